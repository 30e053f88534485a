//! Intents that are made to break something.

use super::fleet::{checked, flow, host, outside, service, to_ports, to_service, today, zone};
use crate::{Day, Error, Intent, Party, Policy, Prefix};

fn two_hosts() -> Intent {
    Intent {
        zones: vec![zone("a", None)],
        hosts: vec![
            host("low", "a", &[], &["1.0.0.0", "::2"]),
            host(
                "high",
                "a",
                &[],
                &["223.255.255.255", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
            ),
        ],
        ..Intent::default()
    }
}

#[test]
fn networks_at_the_borders_of_all_addresses_are_exact() {
    let mut intent = two_hosts();
    intent.outsides = vec![
        outside("all", &["0.0.0.0/0", "::/0"]),
        outside("first", &["0.0.0.0/32", "::/128"]),
        outside(
            "last",
            &[
                "255.255.255.255/32",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
            ],
        ),
        outside("halves", &["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]),
    ];
    intent.services = vec![service(
        "every",
        &["zone a"],
        &["tcp 1-65535", "udp 1-65535", "icmp"],
    )];
    for name in ["all", "first", "last", "halves"] {
        intent.flows.push(flow(
            name,
            &[&format!("outside {name}")],
            to_service("every"),
        ));
    }
    intent
        .flows
        .push(flow("within", &["zone a"], to_service("every")));
    let policy = checked(&intent);
    let proof = policy.prove(&policy.compile().unwrap());
    assert!(proof.holds(), "{proof:#?}");
    let text = policy.compile_host("low").unwrap().rules;
    assert!(text.contains("elements = { 255.255.255.255 }"), "{text}");
    assert!(
        text.contains("tcp dport 1-65535"),
        "port 0 is never part of it"
    );
}

#[test]
fn any_bytes_as_names_are_findings_and_never_text() {
    let words: &[&[u8]] = &[
        b"\"",
        b"\n",
        b"}",
        b"{",
        b";",
        b"#",
        b"\\",
        b"$",
        b"accept",
        b"`",
        b"\xe2\x80\xae",
    ];
    let corpus = vec![
        b"web\" accept\n}\nflush ruleset\n".to_vec(),
        b"good-name".to_vec(),
        b"a".to_vec(),
    ];
    let mut taken = 0;
    testkit::fuzz(3_000, &corpus, words, |bytes| {
        let name = String::from_utf8_lossy(bytes).into_owned();
        let mut intent = two_hosts();
        intent.zones[0].name.clone_from(&name);
        intent.hosts[0].zone.clone_from(&name);
        intent.hosts[1].zone.clone_from(&name);
        intent.hosts[1].name.clone_from(&name);
        intent.hosts[1].roles = vec![name.clone()];
        intent.services = vec![service("s", &[], &["tcp 1"])];
        intent.services[0].name.clone_from(&name);
        intent.services[0].at = vec![Party::Role(name.clone())];
        intent.flows = vec![flow(&name, &["host low"], to_service(&name))];
        match Policy::check(&intent, today()) {
            Ok(policy) => {
                taken += 1;
                let artefacts = policy.compile().unwrap();
                assert!(policy.prove(&artefacts).holds(), "{name:?}");
            }
            Err(Error::Intent { findings }) => {
                for finding in findings {
                    let text = finding.to_string();
                    let is_plain = |c: char| {
                        c == '\n' || c == '\u{fffd}' || !c.is_control() && c != '\u{202e}'
                    };
                    assert!(text.chars().all(is_plain), "{text:?}");
                    assert!(text.lines().count() <= 2, "{text:?}");
                }
            }
            Err(other) => panic!("{other}"),
        }
    });
    assert!(taken > 0);
}

#[test]
fn names_that_could_meet_in_rules_do_not() {
    // Were names put together without a mark between, these would be one.
    let mut intent = two_hosts();
    intent.hosts[0].roles = vec!["a".to_owned(), "4".to_owned()];
    intent.services = vec![
        service("a", &["role a", "host high"], &["tcp 1"]),
        service("from-a", &["role 4"], &["tcp 2"]),
    ];
    for name in [
        "a",
        "in-a",
        "out-a",
        "from",
        "input",
        "self",
        "dropped-input",
        "4",
        "-",
        "--",
        "accept",
        "drop",
    ] {
        intent
            .flows
            .push(flow(name, &["host high", "role a"], to_service("a")));
        intent.flows.push(flow(
            &format!("{name}-x"),
            &["host high"],
            to_service("from-a"),
        ));
    }
    let policy = checked(&intent);
    let proof = policy.prove(&policy.compile().unwrap());
    assert!(proof.holds(), "{proof:#?}");
}

#[test]
fn overlapping_outside_networks_add_up() {
    let mut intent = two_hosts();
    intent.outsides = vec![
        outside("wide", &["10.0.0.0/8"]),
        outside("narrow", &["10.1.0.0/16", "11.0.0.0/8"]),
        outside("other", &["10.1.2.0/24"]),
    ];
    intent.services = vec![
        service("one", &["host low"], &["tcp 1"]),
        service("two", &["host low"], &["tcp 2"]),
        service("three", &["host low"], &["tcp 3"]),
    ];
    intent.flows = vec![
        flow("one", &["outside wide"], to_service("one")),
        flow("two", &["outside narrow"], to_service("two")),
        flow("three", &["outside other"], to_service("three")),
    ];
    let policy = checked(&intent);
    assert!(policy.prove(&policy.compile().unwrap()).holds());
    for (source, ports) in [
        ("10.1.2.3", "123"),
        ("10.1.3.3", "12"),
        ("10.2.0.1", "1"),
        ("11.0.0.1", "2"),
        ("12.0.0.1", ""),
    ] {
        let open: String = (1..=3_u16)
            .filter(|port| {
                let packet = crate::Packet {
                    source: source.parse().unwrap(),
                    destination: "1.0.0.0".parse().unwrap(),
                    protocol: crate::Protocol::Tcp,
                    port: *port,
                };
                policy.decide(&packet).is_allowed()
            })
            .map(|port| port.to_string())
            .collect();
        assert_eq!(open, ports, "{source}");
    }
}

#[test]
fn prefixes_are_read_in_one_way() {
    for bad in [
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "/8",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0.0/8/8",
        "::/0256",
    ] {
        assert!(bad.parse::<Prefix>().is_err(), "{bad}");
    }
    for good in [
        "0.0.0.0/0",
        "::/0",
        "10.1.2.3/32",
        "2001:db8::/32",
        "::1/128",
        "10.0.0.0/31",
    ] {
        assert_eq!(good.parse::<Prefix>().unwrap().to_string(), good);
    }
}

#[test]
fn network_that_is_named_within_a_special_one_is_meant() {
    let mut intent = two_hosts();
    intent.outsides = vec![
        outside("internet", &["0.0.0.0/0"]),
        outside("metadata", &["169.254.169.254/32"]),
    ];
    intent.flows = vec![
        flow(
            "web",
            &["host low"],
            to_ports("outside internet", &["tcp 80"]),
        ),
        flow(
            "metadata",
            &["host high"],
            to_ports("outside metadata", &["tcp 80"]),
        ),
    ];
    let policy = checked(&intent);
    assert!(policy.prove(&policy.compile().unwrap()).holds());
    for (source, is_reached) in [("1.0.0.0", false), ("223.255.255.255", true)] {
        let packet = crate::Packet {
            source: source.parse().unwrap(),
            destination: "169.254.169.254".parse().unwrap(),
            protocol: crate::Protocol::Tcp,
            port: 80,
        };
        assert_eq!(policy.decide(&packet).is_allowed(), is_reached, "{packet}");
    }
}

#[test]
fn days_are_of_the_calendar() {
    for text in [
        "2027-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-1-1",
        "2026-01-01-1",
        "+026-01-01",
        "2026-04-31",
        "0000-01-01",
        "",
    ] {
        assert!(text.parse::<Day>().is_err(), "{text}");
    }
    for text in ["2028-02-29", "2000-02-29", "2026-12-31"] {
        assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
    }
    assert!("1900-02-29".parse::<Day>().is_err());
    assert!(Day::new(2026, 11, 9) < Day::new(2026, 11, 10));
}
