use std::net::IpAddr;

use crate::tests::fleet::{checked, intent, policy};
use crate::{BANS, Ban, Error, Family, Host};

#[test]
fn text_of_a_host_is_the_one_in_testdata() {
    let artefacts = policy().compile().unwrap();
    let all: Vec<String> = (artefacts.iter())
        .map(|one| format!("# {}\n{}# peers\n{}", one.host, one.rules, one.peers))
        .collect();
    let found = all.join("\n");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/fleet.txt");
    if std::env::var_os("UPDATE").is_some() {
        let mut file = std::fs::File::create(path).unwrap();
        std::io::Write::write_all(&mut file, found.as_bytes()).unwrap();
    }
    let wanted = std::fs::read_to_string(path).unwrap();
    assert_eq!(found, wanted, "UPDATE=1 writes it anew");
}

#[test]
fn same_intent_gives_the_same_bytes_in_whatever_order_it_is_written() {
    let before = policy().compile().unwrap();
    assert_eq!(policy().compile().unwrap(), before);
    let mut turned = intent();
    turned.flows.reverse();
    turned.services.reverse();
    turned.zones.reverse();
    for flow in &mut turned.flows {
        flow.from.reverse();
    }
    assert_eq!(checked(&turned).compile().unwrap(), before);
    for artefact in &before {
        assert_eq!(policy().compile_host(&artefact.host).unwrap(), *artefact);
    }
}

#[test]
fn no_text_touches_what_is_not_ours() {
    for artefact in policy().compile().unwrap() {
        let text = &artefact.rules;
        assert!(!text.contains("flush"), "{text}");
        let lines = text.lines().filter(|line| !line.starts_with(['\t', '}']));
        let lines: Vec<&str> = lines.collect();
        assert_eq!(
            lines,
            [
                "table inet rampart",
                "delete table inet rampart",
                "table inet rampart {"
            ],
            "one table, replaced as a whole"
        );
    }
    let outer: Vec<&str> = BANS
        .lines()
        .filter(|line| !line.starts_with(['\t', '}']))
        .collect();
    assert_eq!(
        outer,
        [
            "table inet rampart_bans",
            "flush table inet rampart_bans",
            "table inet rampart_bans {"
        ]
    );
}

#[test]
fn host_without_addresses_of_a_family_lets_nothing_of_it_through() {
    let artefact = policy().compile_host("db-2").unwrap();
    for word in ["ip6", "icmpv6", "input_6", "self_6"] {
        assert!(
            !artefact.rules.contains(word),
            "{word} in {}",
            artefact.rules
        );
    }
}

#[test]
fn dhcp_is_heard_only_where_it_is_asked_for() {
    for artefact in policy().compile().unwrap() {
        let hears = artefact.rules.contains("udp sport 67 udp dport 68 accept");
        assert_eq!(hears, artefact.host == "app-1", "{}", artefact.host);
    }
}

#[test]
fn addresses_of_the_estate_are_never_outside() {
    let policy = policy();
    let artefact = policy.compile_host("edge-1").unwrap();
    let set = artefact
        .rules
        .split("set outside_internet_4")
        .nth(1)
        .unwrap();
    let elements = set.split('}').next().unwrap();
    assert!(
        elements.contains("10.0.0.3-10.0.1.0"),
        "app-1 and its neighbours are cut out: {elements}"
    );
    // An IPv4 address in the form of IPv6 is none of the internet's.
    let set = artefact
        .rules
        .split("set outside_internet_6")
        .nth(1)
        .unwrap();
    assert!(set.contains("::2-::fffe:ffff:ffff, ::1:0:0:0-"), "{set}");
}

#[test]
fn peers_are_those_that_flows_join_and_no_others() {
    let artefact = policy().compile_host("db-2").unwrap();
    let wanted =
        "app-1 10.0.1.1/32 10.0.1.2/32\napp-2 10.0.1.9/32\ndb-1 10.0.2.1/32\nadmin 10.9.0.1/32\n";
    assert_eq!(
        artefact.peers, wanted,
        "db-2 has no IPv6, and edge hosts never reach it"
    );
}

#[test]
fn bans_are_single_statements_with_an_end() {
    let ban = |ban: Ban| ban.text(600);
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let text = ban(Ban::Address(address("192.0.2.9")));
    assert!(
        text.ends_with("add element inet rampart_bans ban_4 { 192.0.2.9 timeout 600s }\n"),
        "{text}"
    );
    assert!(ban(Ban::Network(address("192.0.2.9"))).contains("ban_4_24 { 192.0.2.0 timeout"));
    let text = ban(Ban::Network(address("2001:db8:1:2:3::4")));
    assert!(text.contains("ban_6_64 { 2001:db8:1:2:: timeout"), "{text}");
    assert!(Ban::Address(address("::1")).text(0).contains("timeout 1s"));
    assert!(
        Ban::Address(address("::1"))
            .text(u32::MAX)
            .contains("timeout 31536000s")
    );
    assert!(!Ban::Address(address("::1")).lift_text().contains("timeout"));
}

#[test]
fn unknown_host_is_told_with_what_may_be_meant() {
    match policy().compile_host("db-3") {
        Err(Error::Unknown {
            what: "host", hint, ..
        }) => assert!(hint.contains("did you mean `db-"), "{hint}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_of_a_host_has_a_limit() {
    let mut intent = intent();
    // Every second address: no two follow each other, and each is spelt by itself in many sets.
    for at in 0..4_000_u32 {
        intent.hosts.push(Host {
            name: format!("many-{at}"),
            zone: "app".to_owned(),
            roles: Vec::new(),
            addresses: vec![IpAddr::from((0x0a20_0000 + 2 * at).to_be_bytes())],
            ..Host::default()
        });
    }
    for at in 0..200 {
        let mut flow = intent.flows[1].clone();
        flow.name = format!("copy-{at}");
        flow.from = vec![
            crate::Party::Zone("app".to_owned()),
            crate::Party::Host("edge-1".to_owned()),
        ];
        flow.to = crate::tests::fleet::to_service("postgres");
        intent.flows.push(flow);
    }
    match checked(&intent).compile_host("db-1") {
        Err(Error::TooLarge {
            host,
            bytes,
            most_bytes,
        }) => {
            assert!(host == "db-1" && bytes > most_bytes, "{host} {bytes}");
        }
        other => panic!("{:?}", other.map(|one| one.rules.len())),
    }
}

#[test]
fn spellings_of_intervals_are_those_of_nft() {
    let v4 = |low: [u8; 4], high: [u8; 4]| {
        let number = |octets| u128::from(u32::from_be_bytes(octets));
        crate::prefix::Spelled(Family::V4, number(low), number(high)).to_string()
    };
    for (spelt, wanted) in [
        (v4([10, 0, 0, 1], [10, 0, 0, 1]), "10.0.0.1"),
        (v4([10, 0, 0, 0], [10, 0, 0, 1]), "10.0.0.0/31"),
        (v4([10, 0, 0, 1], [10, 0, 0, 2]), "10.0.0.1-10.0.0.2"),
        (v4([10, 0, 0, 2], [10, 0, 0, 5]), "10.0.0.2-10.0.0.5"),
        (v4([0, 0, 0, 0], [255, 255, 255, 255]), "0.0.0.0/0"),
        (v4([128, 0, 0, 0], [255, 255, 255, 255]), "128.0.0.0/1"),
    ] {
        assert_eq!(spelt, wanted);
    }
    let v6 = |low, high| crate::prefix::Spelled(Family::V6, low, high).to_string();
    assert_eq!(v6(0, u128::MAX), "::/0");
    assert_eq!(v6(1 << 127, u128::MAX), "8000::/1");
    assert_eq!(
        v6(u128::MAX - 1, u128::MAX),
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"
    );
    assert_eq!(v6(0, 0), "::");
}
