use proptest::prelude::*;

use super::*;

fn named(name: &str, port: u16) -> Place {
    let name = name.to_owned();
    Place::Named(NamedPlace { name, port })
}

#[test]
fn place_is_an_address_or_a_name_and_never_a_misspelt_address() {
    assert_eq!(
        place("orders.internal:8080"),
        Ok(named("orders.internal", 8080))
    );
    assert_eq!(place("Orders:80"), Ok(named("orders", 80)));
    assert_eq!(
        place("[::1]:80"),
        Ok(Place::Fixed("[::1]:80".parse().unwrap()))
    );
    for wrong in [
        "orders",
        "orders:",
        "orders:0",
        "orders:65536",
        "orders:+80",
        "10.0.0.256:80",
        "10.1:80",
        "0x7f000001:80",
        "a..b:80",
        "http://orders:80",
        "::1:80",
        ":80",
        "or ders:80",
    ] {
        assert!(place(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn shares_statuses_and_keys_are_read_strictly() {
    assert_eq!(percent("20%"), Ok(Percent(20)));
    for wrong in ["0%", "101%", "20", "%", "-1%", "2.5%", ""] {
        assert!(percent(wrong).is_err(), "{wrong}");
    }
    let some = statuses("200-299, 404").unwrap();
    assert!(some.contain(204) && some.contain(404) && !some.contain(301));
    assert_eq!(some.to_string(), "200-299, 404");
    for wrong in ["", "abc", "100", "600", "299-200", "200,", "200-"] {
        assert!(statuses(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        hash_key("header:X-Tenant"),
        Ok(HashKey::Header("x-tenant".to_owned()))
    );
    assert_eq!(
        hash_key("cookie:Sid"),
        Ok(HashKey::Cookie("Sid".to_owned()))
    );
    for wrong in ["", "ip", "header:", "cookie:a b", "header", "body:x"] {
        assert!(hash_key(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn nothing_written_makes_a_parser_panic(text in ".{0,40}") {
        // Nothing is two of them.
        let read = [
            place(&text).is_ok(),
            percent(&text).is_ok(),
            statuses(&text).is_ok(),
            hash_key(&text).is_ok(),
        ];
        prop_assert!(read.iter().filter(|is_read| **is_read).count() <= 1);
    }

    #[test]
    fn what_is_shown_of_statuses_reads_as_the_same(first in 200_u16..600, more in 0_u16..50) {
        let one = Statuses(vec![(first, (first + more).min(599))]);
        prop_assert_eq!(statuses(&one.to_string()), Ok(one));
    }
}
