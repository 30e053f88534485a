use std::time::Duration;

use super::*;

fn guard(allow: &[&str], ours: &[&str]) -> Guard {
    let resolve = Resolve {
        every: Duration::from_secs(10),
        allow: allow.iter().map(|text| text.parse().unwrap()).collect(),
    };
    let ours: Vec<_> = ours.iter().map(|text| text.parse().unwrap()).collect();
    Guard::new(&resolve, &ours)
}

fn check(guard: &Guard, address: &str, is_used: bool) {
    let found = guard.sift([address.parse().unwrap()]);
    assert_eq!(!found.addresses.is_empty(), is_used, "{address}: {found:?}");
    assert_eq!(found.refused.is_empty(), is_used, "{address}");
}

#[test]
fn a_name_leads_to_services_and_never_to_metadata_or_to_the_gateway_itself() {
    let guard = guard(&[], &["0.0.0.0:8443", "10.0.0.1:9464", "[::]:8080"]);
    for fine in [
        "10.0.1.11:8080",
        "192.168.1.1:80",
        "127.0.0.1:8000",
        "[::1]:8000",
        "[2001:db8::1]:8443",
        "10.0.0.1:80",
        "[fd00::1]:80",
    ] {
        check(&guard, fine, true);
    }
    for refused in [
        "169.254.169.254:80",
        "169.254.1.1:443",
        "[fe80::1]:80",
        "[fd00:ec2::254]:80",
        "[fd20:ce::254]:80",
        "[fd00:c1::a9fe:a9fe]:80",
        "100.100.100.200:80",
        "168.63.129.16:80",
        "192.0.0.192:80",
        // The same in other clothes: mapped, translated, 6to4, compatible.
        "[::ffff:169.254.169.254]:80",
        "[64:ff9b::a9fe:a9fe]:80",
        "[2002:a9fe:a9fe::1]:80",
        "[::a9fe:a9fe]:80",
        "0.0.0.0:80",
        "[::]:80",
        "255.255.255.255:80",
        "224.0.0.1:80",
        "[ff02::1]:80",
        "127.0.0.1:8443",
        "[::ffff:127.0.0.1]:8443",
        "10.0.0.1:9464",
        "[::1]:8080",
    ] {
        check(&guard, refused, false);
    }
}

#[test]
fn what_the_estate_allows_is_used_but_never_the_gateway_itself() {
    let guard = guard(&["169.254.0.0/16"], &["169.254.7.7:80"]);
    check(&guard, "169.254.169.254:80", true);
    check(&guard, "169.254.7.7:80", false);
    check(&guard, "[fe80::1]:80", false);
}

#[test]
fn a_name_with_more_addresses_than_may_be_keeps_the_same_ones() {
    let all: Vec<SocketAddr> = (0..=255)
        .map(|last| SocketAddr::from(([10, 0, 0, last], 80)))
        .collect();
    let guard = guard(&[], &[]);
    let found = guard.sift(all.clone());
    assert_eq!((found.addresses.len(), found.left_out), (64, 192));
    assert_eq!(guard.sift(all.into_iter().rev()), found);
}

#[test]
fn the_machine_itself_is_found_and_nobody_at_an_invalid_name() {
    let place = |name: &str| NamedPlace {
        name: name.to_owned(),
        port: 80,
    };
    let found = look_up(&place("localhost")).unwrap();
    assert!(found.iter().all(|address| address.ip().is_loopback()));
    // RFC 6761 §6.4: `invalid` never exists.
    let why = look_up(&place("nobody.invalid")).unwrap_err();
    assert!(why.starts_with("`nobody.invalid`"), "{why}");
}
