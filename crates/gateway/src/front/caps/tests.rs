use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn address_over_its_cap_is_refused_until_one_of_its_connections_ends() {
    let caps = Arc::new(Caps::new());
    caps.set(100, 2, &[]);
    let first = caps.admit(ip("192.0.2.1")).unwrap();
    let _second = caps.admit(ip("192.0.2.1")).unwrap();
    assert_eq!(caps.admit(ip("192.0.2.1")).unwrap_err(), Full::Address);
    assert!(caps.admit(ip("192.0.2.2")).is_ok());
    drop(first);
    assert!(caps.admit(ip("192.0.2.1")).is_ok());
}

#[test]
fn all_connections_together_have_a_cap() {
    let caps = Arc::new(Caps::new());
    caps.set(2, 2, &[]);
    let held = (
        caps.admit(ip("192.0.2.1")).unwrap(),
        caps.admit(ip("192.0.2.2")).unwrap(),
    );
    assert_eq!(caps.admit(ip("192.0.2.3")).unwrap_err(), Full::All);
    assert_eq!(caps.open(), 2);
    drop(held);
    assert_eq!(caps.open(), 0);
}

#[test]
fn whole_ipv6_network_of_a_client_counts_as_one_address() {
    let caps = Arc::new(Caps::new());
    caps.set(100, 1, &[]);
    let _held = caps.admit(ip("2001:db8::1")).unwrap();
    assert_eq!(
        caps.admit(ip("2001:db8::ffff:2")).unwrap_err(),
        Full::Address
    );
    assert!(caps.admit(ip("2001:db8:0:1::1")).is_ok());
}

#[test]
fn trusted_proxy_has_no_cap_of_its_own() {
    let caps = Arc::new(Caps::new());
    caps.set(100, 1, &["192.0.2.0/24".parse().unwrap()]);
    let held: Vec<_> = (0..10)
        .map(|_| caps.admit(ip("192.0.2.1")).unwrap())
        .collect();
    assert_eq!(caps.open(), 10);
    drop(held);
}

#[test]
fn nothing_is_remembered_of_addresses_that_left() {
    let caps = Arc::new(Caps::new());
    caps.set(100, 1, &[]);
    for last in 0..50_u8 {
        drop(caps.admit(IpAddr::from([192, 0, 2, last])).unwrap());
    }
    assert!(caps.addresses().open.is_empty());
}
