use std::collections::BTreeSet;

use super::*;
use crate::tests::fleet::{
    checked, flow, host, intent, parties, party, policy, service, to_ports, to_service, zone,
};
use crate::{
    Error, Expectation, Family, Intent, Invariant, Mode, Packet, Policy, Protocol, Verdict, Ways,
};

fn packet(source: &str, destination: &str, protocol: Protocol, port: u16) -> Packet {
    Packet {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        protocol,
        port,
    }
}

#[test]
fn explanation_names_flows_and_rules_of_both_ends() {
    let policy = policy();
    let why = policy
        .explain(&packet("10.0.1.9", "10.0.2.1", Protocol::Tcp, 5432))
        .unwrap();
    assert_eq!(why.decision, Decision::Allowed);
    assert_eq!(why.flows, ["api-db"]);
    let End::Host { name, rules, mode } = &why.source else {
        panic!("{why:?}");
    };
    assert_eq!(
        (name.as_str(), *mode, rules.len()),
        ("app-2", Mode::Enforce, 1)
    );
    assert!(
        rules[0]
            .1
            .starts_with("ip daddr @service_postgres_4 tcp dport 5432 counter name \"out_api-db\"")
    );
    let End::Host { rules, .. } = &why.destination else {
        panic!("{why:?}");
    };
    let text = policy.compile_host("db-1").unwrap().rules;
    let line = text.lines().nth(rules[0].0 as usize - 1).unwrap();
    assert_eq!(line.trim(), rules[0].1, "the line is the one in the text");
}

#[test]
fn decisions_say_why_not() {
    let policy = policy();
    for (source, destination, port, wanted) in [
        ("10.0.0.1", "10.0.2.1", 5432, Decision::NoFlow),
        ("10.0.1.1", "10.0.2.1", 5433, Decision::NoFlow),
        ("10.0.1.1", "10.0.1.2", 1, Decision::WithinHost),
        ("10.0.1.1", "10.0.1.1", 1, Decision::WithinHost),
        ("8.8.8.8", "10.0.0.1", 443, Decision::Allowed),
        ("8.8.8.8", "10.0.2.1", 443, Decision::NoFlow),
        ("10.0.2.1", "8.8.8.8", 53, Decision::NoFlow),
        ("10.0.1.1", "8.8.8.8", 53, Decision::Allowed),
        ("8.8.8.8", "1.1.1.1", 53, Decision::NotOurs),
        ("192.0.2.1", "10.0.1.1", 9443, Decision::Allowed),
        ("192.0.3.1", "10.0.1.1", 9443, Decision::NoFlow),
        // The estate's own addresses are never the internet's.
        ("10.0.1.1", "10.0.0.1", 443, Decision::NoFlow),
        ("::ffff:8.8.8.8", "fd00::1", 443, Decision::UnknownSource),
        (
            "fd00::1",
            "::ffff:8.8.8.8",
            53,
            Decision::UnknownDestination,
        ),
        ("2001:db8::1", "fd00::1", 443, Decision::Allowed),
        ("::", "fd00::1", 443, Decision::UnknownSource),
        // By their addresses on a link, hosts of the estate would be outside.
        ("fe80::1", "fd00::1", 443, Decision::UnknownSource),
        (
            "10.0.1.1",
            "169.254.169.254",
            53,
            Decision::UnknownDestination,
        ),
        ("::2", "fd00::1", 443, Decision::Allowed),
        (
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "fd00::1",
            443,
            Decision::UnknownSource,
        ),
    ] {
        let packet = packet(source, destination, Protocol::Tcp, port);
        assert_eq!(policy.decide(&packet), wanted, "{packet}");
    }
    let mixed = packet("10.0.0.1", "fd00::1", Protocol::Tcp, 443);
    assert_eq!(policy.decide(&mixed), Decision::NoPacket);
    assert_eq!(policy.explain(&mixed).unwrap().flows, Vec::<String>::new());
    let ping = packet("10.9.0.1", "10.0.2.1", Protocol::Icmp, 0);
    assert_eq!(policy.decide(&ping), Decision::Allowed);
}

#[test]
fn decisions_are_those_of_the_set_of_all_packets_and_of_the_rules() {
    let policy = policy();
    let packets = policy.packets();
    let mut addresses: Vec<String> = policy.hosts().map(str::to_owned).collect();
    addresses = addresses
        .iter()
        .flat_map(|host| policy.addresses(host).map(|one| one.to_string()))
        .collect();
    addresses
        .extend(["8.8.8.8", "192.0.2.200", "2001:db8:5::1", "2001:db8:6::1"].map(str::to_owned));
    let mut allowed = 0;
    for source in &addresses {
        for destination in &addresses {
            for (protocol, port) in [
                (Protocol::Tcp, 443),
                (Protocol::Tcp, 5432),
                (Protocol::Udp, 53),
                (Protocol::Tcp, 8085),
                (Protocol::Icmp, 0),
            ] {
                let packet = packet(source, destination, protocol, port);
                let decision = policy.decide(&packet);
                let is_in = packets.contains(&packet);
                assert_eq!(is_in, decision == Decision::Allowed, "{packet}");
                allowed += u32::from(is_in);
                let why = policy.explain(&packet).unwrap();
                let lets = |end: &End| match end {
                    End::Host { rules, .. } => !rules.is_empty(),
                    End::Outside(_) => true,
                    End::Nobody => false,
                };
                let within = matches!(
                    decision,
                    Decision::WithinHost | Decision::NotOurs | Decision::NoPacket
                );
                assert!(
                    within || is_in == (lets(&why.source) && lets(&why.destination)),
                    "{why:?}"
                );
            }
        }
    }
    assert!(allowed > 20, "{allowed}");
}

#[test]
fn difference_of_a_policy_with_itself_is_empty() {
    let diff = policy().diff(&policy());
    assert!(
        diff.is_empty()
            && diff.changes.is_empty()
            && diff.revoked.is_empty()
            && diff.is_all_revoked
    );
}

#[test]
fn difference_names_what_opens_what_closes_and_what_to_end() {
    let mut changed = intent();
    changed.flows.retain(|flow| flow.name != "partner");
    changed.flows.push(flow(
        "new",
        &["host edge-1"],
        to_ports("host db-2", &["tcp 22 5432"]),
    ));
    let diff = policy().diff(&checked(&changed));
    let told: Vec<String> = (diff.changes.iter())
        .map(|one| {
            format!(
                "{}>{} {:?} +[{}] -[{}]",
                one.from, one.to, one.family, one.opened, one.closed
            )
        })
        .collect();
    let wanted = [
        "edge-1>db-2 V4 +[tcp 22, 5432] -[]",
        "internet+partner>app-1 V4 +[] -[tcp 9443]",
        "internet+partner>app-1 V6 +[] -[tcp 9443]",
    ];
    assert_eq!(told, wanted);
    assert_eq!((diff.opened_pairs, diff.closed_pairs), (1, 2));
    assert_eq!(
        diff.newly_reached.into_iter().collect::<Vec<_>>(),
        [("db-2".to_owned(), 1)]
    );
}

#[test]
fn revoked_tuples_are_exactly_what_is_not_permitted_any_more() {
    let old = policy();
    let mut changed = intent();
    changed
        .flows
        .retain(|flow| !matches!(flow.name.as_str(), "partner" | "api-db"));
    changed.hosts[0].addresses = vec!["10.0.0.7".parse().unwrap(), "fd00::1".parse().unwrap()];
    let new = checked(&changed);
    let diff = old.diff(&new);
    assert!(diff.is_all_revoked);
    // A tuple's corners were permitted and are not; every packet that was and is not is in one.
    for tuple in &diff.revoked {
        for (source, destination) in [
            (tuple.source.0, tuple.destination.0),
            (tuple.source.1, tuple.destination.1),
        ] {
            let packet = Packet {
                source,
                destination,
                protocol: tuple.protocol,
                port: tuple.ports.0,
            };
            assert!(
                old.decide(&packet).is_allowed() && !new.decide(&packet).is_allowed(),
                "{packet}"
            );
        }
    }
    let addresses = [
        "10.0.0.1",
        "10.0.0.7",
        "10.0.0.2",
        "10.0.1.1",
        "10.0.2.1",
        "8.8.8.8",
        "192.0.2.9",
        "10.0.1.9",
    ];
    let mut found = BTreeSet::new();
    for source in addresses {
        for destination in addresses {
            for port in [53, 80, 443, 5432, 8080, 9443] {
                let packet = packet(source, destination, Protocol::Tcp, port);
                let is_gone = old.decide(&packet) == Decision::Allowed
                    && new.decide(&packet) != Decision::Allowed;
                let is_in = diff.revoked.iter().any(|tuple| {
                    (tuple.source.0..=tuple.source.1).contains(&packet.source)
                        && (tuple.destination.0..=tuple.destination.1).contains(&packet.destination)
                        && tuple.protocol == Protocol::Tcp
                        && (tuple.ports.0..=tuple.ports.1).contains(&port)
                });
                assert_eq!(is_gone, is_in, "{packet}");
                found.extend(is_gone.then(|| packet.to_string()));
            }
        }
    }
    assert!(found.len() > 8, "{found:?}");
}

/// a → b → c → d, and a → d directly at another port.
fn chain() -> Intent {
    Intent {
        zones: vec![zone("z", None)],
        hosts: ["a", "b", "c", "d", "e"]
            .iter()
            .zip(1..)
            .map(|(name, at): (_, u8)| host(name, "z", &[], &[&format!("10.0.0.{at}")]))
            .collect(),
        outsides: vec![crate::tests::fleet::outside("world", &["0.0.0.0/0"])],
        services: vec![service("s", &["host b"], &["tcp 1"])],
        flows: vec![
            flow(
                "world-a",
                &["outside world"],
                to_ports("host a", &["tcp 443"]),
            ),
            flow("a-b", &["host a"], to_service("s")),
            flow("b-c", &["host b"], to_ports("host c", &["udp 2"])),
            flow("c-d", &["host c"], to_ports("host d", &["tcp 3"])),
            flow(
                "c-world",
                &["host c"],
                to_ports("outside world", &["tcp 443"]),
            ),
        ],
        ..Intent::default()
    }
}

#[test]
fn closure_counts_stepping_stones() {
    let closure = checked(&chain()).closure();
    assert_eq!((closure.direct, closure.reached), (3, 6));
    let hops: Vec<(&str, &[u64])> = closure
        .targets
        .iter()
        .map(|one| (one.target.as_str(), &one.by_hops[..]))
        .collect();
    let wanted: [(&str, &[u64]); 5] = [
        ("a", &[]),
        ("b", &[1]),
        ("c", &[1, 1]),
        ("d", &[1, 1, 1]),
        ("e", &[]),
    ];
    assert_eq!(hops, wanted);
}

#[test]
fn paths_to_a_crown_jewel_are_shortest_and_name_their_flows() {
    let policy = checked(&chain());
    let paths = policy.paths_to(&party("host d"), None).unwrap();
    let told: Vec<String> = paths.iter().map(|path| path.stones.join(">")).collect();
    assert_eq!(told, ["c>d", "b>c>d", "a>b>c>d", "world>a>b>c>d"]);
    assert_eq!(paths[3].flows, ["world-a", "a-b", "b-c", "c-d"]);
    assert_eq!(paths[3].hops(), 4);
    assert_eq!(policy.paths_to(&party("host d"), Some(2)).unwrap().len(), 2);
    assert_eq!(policy.paths_to(&party("host d"), Some(0)).unwrap().len(), 0);
    let outward = policy.paths_to(&party("outside world"), None).unwrap();
    assert_eq!(
        outward.len(),
        3,
        "c, b and a get out; nobody comes in over the world: {outward:?}"
    );
    assert!(matches!(
        policy.paths_to(&party("host x"), None),
        Err(Error::Unknown { what: "host", .. })
    ));
}

fn never(from: &str, to: &str, ways: Ways) -> Invariant {
    Invariant {
        name: "never".to_owned(),
        from: parties(&[from]),
        to: parties(&[to]),
        ways,
    }
}

#[test]
fn invariants_look_over_stepping_stones_as_far_as_they_say() {
    let breaches = |invariant: Invariant| {
        let mut intent = chain();
        intent.invariants.push(invariant);
        checked(&intent).breaches()
    };
    assert_eq!(breaches(never("outside world", "host d", Ways::Direct)), []);
    let steps = |hops_max| Ways::SteppingStones { hops_max };
    assert_eq!(
        breaches(never("outside world", "host d", steps(Some(3)))),
        []
    );
    let found = breaches(never("outside world", "host d", steps(Some(4))));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path.stones, ["world", "a", "b", "c", "d"]);
    assert_eq!(
        breaches(never("outside world", "host d", steps(None))),
        found
    );
    assert_eq!(breaches(never("host d", "host a", steps(None))), []);
    assert_eq!(breaches(never("host e", "host e", steps(None))), []);
    assert_eq!(
        breaches(never("host a", "outside world", steps(None)))[0]
            .path
            .stones,
        ["a", "b", "c", "world"]
    );
}

#[test]
fn closure_is_what_squaring_the_graph_says() {
    use crate::tests::generate::{self, Layout, Size};
    let size = Size {
        hosts: 14,
        flows: 20,
        zones: 4,
        roles: 8,
        layout: Layout::Dense,
    };
    for seed in 0..6 {
        let policy = checked(&generate::intent(size, seed));
        let hosts: Vec<&str> = policy.hosts().collect();
        let count = hosts.len();
        let mut reach = vec![vec![false; count]; count];
        for (a, from) in hosts.iter().enumerate() {
            for (b, to) in hosts.iter().enumerate() {
                reach[a][b] = a != b && is_joined(&policy, from, to);
            }
        }
        let direct = reach.iter().flatten().filter(|one| **one).count() as u64;
        for via in 0..count {
            for a in 0..count {
                for b in 0..count {
                    reach[a][b] |= reach[a][via] && reach[via][b];
                }
            }
        }
        let all = (0..count).flat_map(|a| (0..count).map(move |b| (a, b)));
        let reached = all.filter(|(a, b)| a != b && reach[*a][*b]).count() as u64;
        let closure = policy.closure();
        assert_eq!(
            (closure.direct, closure.reached),
            (direct, reached),
            "seed {seed}"
        );
    }
}

/// By the set of all packets, which the closure does not use.
fn is_joined(policy: &Policy, from: &str, to: &str) -> bool {
    use crate::set::{Intervals, PacketSet, PortSet, Region as _, number};
    let packets = policy.packets();
    Family::BOTH.into_iter().any(|family| {
        let of = |host: &str| {
            let all = policy
                .addresses(host)
                .filter(|one| Family::of(*one) == family)
                .map(number);
            Intervals::from_ranges(all.map(|one| (one, one)))
        };
        let box_ = PacketSet::product(family, &of(from), &of(to), &PortSet::every());
        !packets.intersection(&box_).is_empty()
    })
}

#[test]
fn expectations_are_tried() {
    let mut intent = intent();
    let expect = |name: &str, packet, verdict| Expectation {
        name: name.to_owned(),
        packet,
        verdict,
    };
    let web = packet("8.8.8.8", "10.0.0.1", Protocol::Tcp, 443);
    let db = packet("8.8.8.8", "10.0.2.1", Protocol::Tcp, 5432);
    intent.expectations = vec![
        expect("web", web, Verdict::Accept),
        expect("no-db", db, Verdict::Deny),
        expect("wrong", db, Verdict::Accept),
    ];
    let outcomes = checked(&intent).outcomes();
    let holds: Vec<(&str, bool)> = outcomes
        .iter()
        .map(|one| (one.name.as_str(), one.holds()))
        .collect();
    assert_eq!(holds, [("web", true), ("no-db", true), ("wrong", false)]);
    assert_eq!(outcomes[2].found, Decision::NoFlow);
}
