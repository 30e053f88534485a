use crate::tests::fleet::{checked, flow, host, intent, policy, service, to_service, zone};
use crate::{Artefact, Difference, Direction, Intent, Policy, Proof};

fn changed(policy: &Policy, host: &str, from: &str, to: &str) -> Proof {
    let mut artefacts = policy.compile().unwrap();
    let one = artefacts.iter_mut().find(|one| one.host == host).unwrap();
    assert!(one.rules.contains(from), "no {from} in {}", one.rules);
    one.rules = one.rules.replacen(from, to, 1);
    policy.prove(&artefacts)
}

#[test]
fn what_is_compiled_is_proved_and_counted() {
    let policy = policy();
    let proof = policy.prove(&policy.compile().unwrap());
    assert!(proof.holds(), "{proof:#?}");
    // Seven hosts with IPv4, six with IPv6.
    assert_eq!(proof.pairs, 7 * 6 + 6 * 5);
    assert_eq!(proof.outside, 2 * (7 + 6));
    assert_eq!(proof.pairs_differing, 0);
    assert!(proof.peers > 0);
    assert_eq!(proof.observing, ["admin"]);
    assert_eq!(proof.forwarding_left, ["app-2"]);
}

#[test]
fn element_too_many_is_named_with_packet_rule_and_what_the_other_end_does() {
    // One address more in the set of those who may reach the database.
    let proof = changed(
        &policy(),
        "db-2",
        "{ 10.0.1.1-10.0.1.2, 10.0.1.9 }",
        "{ 10.0.0.1, 10.0.1.1-10.0.1.2, 10.0.1.9 }",
    );
    let [
        difference @ Difference::Opens {
            host,
            direction,
            packet,
            line,
            rule,
            arrives,
        },
    ] = &proof.differences[..]
    else {
        panic!("{proof:#?}");
    };
    assert_eq!((host.as_str(), *direction), ("db-2", Direction::In));
    assert_eq!(packet.to_string(), "10.0.0.1 -> 10.0.2.2 tcp port 5432");
    assert!(
        *line > 10 && rule.starts_with("ip saddr @role_api_4"),
        "{line} {rule}"
    );
    assert!(!arrives, "edge-1 does not send it");
    assert!(
        difference.to_string().contains("the other end stops it"),
        "{difference}"
    );
    assert_eq!(proof.pairs_differing, 0, "between the two nothing changed");
}

#[test]
fn what_opens_at_both_ends_arrives() {
    let policy = policy();
    let mut artefacts = policy.compile().unwrap();
    let widen = |artefacts: &mut Vec<Artefact>, host: &str, from: &str, to: &str| {
        let one = artefacts.iter_mut().find(|one| one.host == host).unwrap();
        assert!(one.rules.contains(from));
        one.rules = one.rules.replace(from, to);
    };
    widen(
        &mut artefacts,
        "app-2",
        "tcp dport 5432",
        "tcp dport 5432-5433",
    );
    widen(
        &mut artefacts,
        "db-1",
        "tcp dport 5432",
        "tcp dport 5432-5433",
    );
    let proof = policy.prove(&artefacts);
    let arrives = proof
        .differences
        .iter()
        .filter(|one| matches!(one, Difference::Opens { arrives: true, .. }));
    assert!(arrives.count() > 0, "{proof:#?}");
    assert_eq!(
        proof.pairs_differing, 2,
        "app-2 to db-1, over both families"
    );
}

#[test]
fn element_too_few_is_named_with_the_flow() {
    let proof = changed(
        &policy(),
        "db-2",
        "{ 10.0.1.1-10.0.1.2, 10.0.1.9 }",
        "{ 10.0.1.1, 10.0.1.9 }",
    );
    let [Difference::Closes { packet, flows, .. }] = &proof.differences[..] else {
        panic!("{proof:#?}");
    };
    assert_eq!(packet.to_string(), "10.0.1.2 -> 10.0.2.2 tcp port 5432");
    assert_eq!(flows, &["api-db"]);
    assert_eq!(
        proof.pairs_differing, 1,
        "a host of which one address is let through is not let through"
    );
}

#[test]
fn halves_that_make_a_whole_are_proved() {
    let policy = policy();
    let mut artefacts = policy.compile().unwrap();
    let one = artefacts.iter_mut().find(|one| one.host == "db-2").unwrap();
    // The same addresses by two sets and two rules.
    let set = "\tset role_api_4 {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 10.0.1.1-10.0.1.2, 10.0.1.9 }\n\t}\n";
    assert!(one.rules.contains(set));
    let halves = format!(
        "{}{}",
        set.replace("10.0.1.1-10.0.1.2, ", "10.0.1.2, "),
        set.replace("10.0.1.1-10.0.1.2, 10.0.1.9", "10.0.1.1")
            .replace("role_api_4", "role_half_4")
    );
    let rule = "\t\tip saddr @role_api_4 tcp dport 5432 counter name \"in_api-db\" accept\n";
    assert!(one.rules.contains(rule));
    one.rules = one
        .rules
        .replace(set, &halves)
        .replace(rule, &format!("{rule}{}", rule.replace("api_4", "half_4")));
    let proof = policy.prove(&artefacts);
    assert!(proof.holds(), "{proof:#?}");
}

#[test]
fn addresses_of_nobody_count_as_well() {
    // Without an outside network every other address is nobody's.
    let intent = Intent {
        zones: vec![zone("a", None)],
        hosts: vec![
            host("a", "a", &["r"], &["10.0.0.1"]),
            host("b", "a", &[], &["10.0.0.9"]),
        ],
        services: vec![service("s", &["host a"], &["tcp 1"])],
        flows: vec![flow("f", &["host b"], to_service("s"))],
        ..Intent::default()
    };
    for elements in ["{ 10.0.0.9-10.0.0.10 }", "{ 0.0.0.0/0 }", "{ 10.0.0.8/31 }"] {
        let proof = changed(&checked(&intent), "a", "{ 10.0.0.9 }", elements);
        let opens = proof
            .differences
            .iter()
            .filter(|one| matches!(one, Difference::Opens { .. }));
        assert!(opens.count() > 0, "{elements}: {proof:#?}");
    }
    // Its own address never comes from a wire.
    let proof = changed(
        &checked(&intent),
        "b",
        "{ 10.0.0.1 }",
        "{ 10.0.0.1, 10.0.0.9 }",
    );
    assert!(proof.holds(), "{proof:#?}");
}

#[test]
fn frame_is_held_line_by_line() {
    for (from, to) in [
        ("policy drop", "policy accept"),
        (
            "\t\tct state invalid counter name \"invalid_input\" drop\n",
            "",
        ),
        ("ct direction reply ", ""),
        ("hoplimit 255", "hoplimit 64"),
        ("iifname \"lo\" accept", "iifname \"eth0\" accept"),
        ("ip daddr @self_4 jump", "ip daddr @role_web_4 jump"),
        (
            "elements = { 10.0.2.1 }",
            "elements = { 10.0.2.1-10.0.2.2 }",
        ),
        ("group 64", "group 65"),
        ("hook forward", "hook input"),
    ] {
        let proof = changed(&policy(), "db-1", from, to);
        assert!(!proof.holds(), "{from} -> {to}");
        let told = proof
            .differences
            .iter()
            .any(|one| matches!(one, Difference::Frame { host, .. } if host == "db-1"));
        assert!(told || !proof.unproved.is_empty(), "{proof:#?}");
    }
}

#[test]
fn host_that_is_missing_doubled_or_unknown_is_not_proved() {
    let policy = policy();
    let all = policy.compile().unwrap();
    let mut fewer = all.clone();
    fewer.pop();
    let mut twice = all.clone();
    twice.push(all[0].clone());
    let mut unknown = all.clone();
    unknown.push(Artefact {
        host: "stranger".to_owned(),
        ..all[0].clone()
    });
    let mut swapped = all;
    let rules = swapped[0].rules.clone();
    swapped[0].rules = std::mem::replace(&mut swapped[1].rules, rules);
    for (artefacts, words) in [
        (fewer, "no rules"),
        (twice, "twice"),
        (unknown, "no such host"),
    ] {
        let proof = policy.prove(&artefacts);
        assert!(!proof.holds());
        assert!(
            proof
                .unproved
                .iter()
                .any(|one| one.to_string().contains(words)),
            "{proof:?}"
        );
    }
    assert!(!policy.prove(&swapped).holds());
    assert!(!policy.prove(&[]).holds());
}

#[test]
fn drift_looks_at_one_host() {
    let policy = policy();
    let text = policy.compile_host("edge-2").unwrap().rules;
    let listed = text.split_once("delete table inet rampart\n").unwrap().1;
    assert!(policy.drift("edge-2", listed).unwrap().holds());
    let proof = policy.drift("edge-1", listed).unwrap();
    assert!(!proof.holds(), "it is another host's");
    assert!(policy.drift("edge-3", listed).is_err());
}

#[test]
fn differences_without_end_are_counted() {
    let mut intent = intent();
    for at in 0..150_u16 {
        let [high, low] = (at * 2).to_be_bytes();
        let address = format!("10.40.{high}.{low}");
        intent
            .hosts
            .push(host(&format!("more-{at}"), "edge", &[], &[&address]));
    }
    let policy = checked(&intent);
    let mut artefacts = policy.compile().unwrap();
    for artefact in &mut artefacts {
        artefact.rules = artefact
            .rules
            .replace("8080-8089", "8080")
            .replace(" 53 ", " 54 ");
    }
    let proof = policy.prove(&artefacts);
    assert!(!proof.holds());
    assert!(
        proof.differences.len() <= 1_000 && proof.left_out > 0,
        "{}",
        proof.left_out
    );
}
