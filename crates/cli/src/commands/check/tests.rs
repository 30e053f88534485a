use net::{Authority, Purpose};
use testkit::{FakeClock, SeededEntropy};

use crate::Exit;
use crate::testing::Place;

const ESTATE: &str = r#"
[estate]
name = "shop"
domain = "shop.de"

[[certificate]]
hosts = ["www.shop.de"]
chain = "www.pem"
key = "www.key"

[[zone]]
name = "app"

[[service]]
name = "shop"
address = "127.0.0.1:8000"

[[route]]
host = "www"
path = "/**"
to = "shop"
auth = "none"
"#;

/// Writes a certificate for `host`; its chain.
fn write(place: &Place, host: &str, seed: u64) -> String {
    let clock = FakeClock::new();
    let authority = Authority::create("test", &clock, &SeededEntropy::new(1)).unwrap();
    let hosts = [host.to_owned()];
    let made = authority.issue(&hosts, Purpose::Server, &clock, &SeededEntropy::new(seed));
    let made = made.unwrap();
    let chain = format!("{}{}", made.chain, authority.certificate());
    place.write("www.pem", &chain);
    place.write("www.key", made.key.expose());
    chain
}

#[test]
fn check_reads_the_files_of_certificates_and_points_at_each() {
    let place = Place::new();
    place.write("rampart.toml", ESTATE);
    let check = |text: &str| {
        let ran = place.run(&["check"]);
        assert!(ran.err.contains(text), "{text}: {}", ran.err);
        ran.exit
    };
    // The files may lie on the machine that serves.
    assert_eq!(check("`www.pem` was not looked at"), Exit::Ok);
    let first = write(&place, "www.shop.de", 2);
    assert_eq!(place.run(&["check"]).err, "");
    write(&place, "other.shop.de", 3);
    assert_eq!(check("`www.pem` is not for `www.shop.de`"), Exit::Usage);
    place.write("www.pem", &first);
    assert_eq!(check("it belongs to another"), Exit::Usage);
    place.write("www.pem", "-----BEGIN CERTIFICATE-----\n!\n");
    assert_eq!(check("certificate `www.pem`:"), Exit::Usage);
    assert_eq!(place.run(&["check", "--strict"]).exit, Exit::Usage);
}

#[test]
fn two_certificates_of_one_kind_for_one_name_are_refused() {
    let place = Place::new();
    let (before, after) = ESTATE.split_once("[[zone]]").unwrap();
    let again =
        "[[certificate]]\nhosts = [\"www.shop.de\"]\nchain = \"www.pem\"\nkey = \"www.key\"\n";
    place.write("rampart.toml", &format!("{before}{again}[[zone]]{after}"));
    write(&place, "www.shop.de", 2);
    let ran = place.run(&["check"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("with the same kind of key"), "{}", ran.err);
}
