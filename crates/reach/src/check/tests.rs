use std::net::IpAddr;

use crate::tests::fleet::{
    checked, flow, host, intent, outside, parties, party, policy, ports, service, to_ports,
    to_service, today, zone,
};
use crate::{
    Day, Error, Expectation, Families, Finding, Intent, Invariant, Packet, Party, Policy, Prefix,
    Protocol, Target, Verdict, Ways, Weight,
};

fn findings(change: impl FnOnce(&mut Intent)) -> Vec<Finding> {
    let mut intent = intent();
    change(&mut intent);
    match Policy::check(&intent, today()) {
        Err(Error::Intent { findings }) => findings,
        Ok(_) => panic!("taken"),
        Err(other) => panic!("{other}"),
    }
}

/// One error, at a part, with words.
#[track_caller]
fn refused(change: impl FnOnce(&mut Intent), part: &str, words: &str) {
    let all = findings(change);
    let found = all.iter().any(|finding| {
        finding.part.to_string() == part
            && finding.message.contains(words)
            && finding.weight == Weight::Error
    });
    assert!(found, "no `{words}` at `{part}` in {all:#?}");
    let unhelpful: Vec<_> = all.iter().filter(|one| one.message.is_empty()).collect();
    assert!(unhelpful.is_empty());
}

#[test]
fn fleet_is_taken_without_a_word() {
    assert_eq!(policy().notes(), []);
}

#[test]
fn every_error_is_told_at_once_with_its_part() {
    let all = findings(|intent| {
        intent.hosts[0].zone = "edgee".to_owned();
        intent.flows[1].to = to_service("apy");
        intent.flows[2].from = parties(&["role apis"]);
        intent.zones[2].within = Some("nowhere".to_owned());
    });
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    let texts = texts.join("\n");
    for wanted in [
        "host[0] \"edge-1\".zone: there is no zone \"edgee\"\nhint: did you mean `edge`?",
        "flow[1] \"edge-api\".to: there is no service \"apy\"\nhint: did you mean `api`?",
        "flow[2] \"api-db\".from[0]: there is no role \"apis\"\nhint: did you mean `api`?",
        "zone[2] \"jobs\".within: there is no zone \"nowhere\"",
    ] {
        assert!(texts.contains(wanted), "{wanted} in\n{texts}");
    }
}

#[test]
fn names_that_mean_something_to_others_are_refused() {
    for name in [
        "",
        "a b",
        "A",
        "a;b",
        "a\nb",
        "a\"b",
        "a{",
        "a}",
        "a_b",
        "ä",
        "a\0",
        "$(x)",
        "a#",
        "a\\",
        &"a".repeat(64),
    ] {
        let shown: String = name.chars().take(63).collect();
        refused(
            |intent| intent.flows[0].name = name.to_owned(),
            &format!("flow[0] {shown:?}.name"),
            "is not a name",
        );
        refused(
            |intent| intent.hosts[0].name = name.to_owned(),
            &format!("host[0] {shown:?}.name"),
            "is not a name",
        );
        refused(
            |intent| intent.zones[0].name = name.to_owned(),
            &format!("zone[0] {shown:?}.name"),
            "is not a name",
        );
        refused(
            |intent| intent.hosts[0].roles[0] = name.to_owned(),
            "host[0] \"edge-1\".roles",
            "is not a name",
        );
    }
    checked(&Intent {
        flows: vec![flow(&"f".repeat(63), &["zone edge"], to_service("api"))],
        ..intent()
    });
}

#[test]
fn names_are_unique_within_their_list() {
    refused(
        |intent| intent.hosts[1].name = "edge-1".to_owned(),
        "host[1] \"edge-1\".name",
        "host[0]",
    );
    refused(
        |intent| intent.flows[1].name = "public".to_owned(),
        "flow[1] \"public\".name",
        "flow[0]",
    );
    // A host in two zones would be the same name twice.
    refused(
        |intent| intent.hosts.push(host("db-1", "app", &[], &["10.5.0.1"])),
        "host[7] \"db-1\".name",
        "host[4]",
    );
}

#[test]
fn addresses_are_one_hosts_and_can_be_reached() {
    let address = |text: &str| {
        let address: IpAddr = text.parse().unwrap();
        move |intent: &mut Intent| intent.hosts[0].addresses[1] = address
    };
    let at = "host[0] \"edge-1\".addresses[1]";
    refused(address("10.0.0.1"), at, "host `edge-1` already");
    refused(
        address("fd00:2::1"),
        "host[4] \"db-1\".addresses[1]",
        "host `edge-1` already",
    );
    for (text, words) in [
        ("0.0.0.0", "no address"),
        ("::", "no address"),
        ("127.0.0.1", "within the host"),
        ("::1", "within the host"),
        ("0.1.2.3", "no host's"),
        ("224.0.0.1", "group"),
        ("ff02::1", "group"),
        ("255.255.255.255", "reserved"),
        ("::ffff:10.0.0.1", "in the form of IPv6"),
        ("fe80::1", "of one link"),
    ] {
        refused(address(text), at, words);
    }
    refused(
        |intent| intent.hosts[0].addresses.clear(),
        "host[0] \"edge-1\".addresses",
        "0 addresses",
    );
}

#[test]
fn zones_in_themselves_and_too_deep_are_refused() {
    refused(
        |intent| intent.zones[1].within = Some("jobs".to_owned()),
        "zone[1] \"app\".within",
        "in itself",
    );
    refused(
        |intent| {
            for at in 0..9 {
                let within = (at > 0).then(|| format!("deep-{}", at - 1));
                intent
                    .zones
                    .push(zone(&format!("deep-{at}"), within.as_deref()));
            }
        },
        "zone[13] \"deep-8\".within",
        "more than 8 zones",
    );
}

#[test]
fn outside_networks_are_networks_and_apart() {
    let networks = |texts: &[&str]| outside("partner", texts);
    let at = |field: &str| format!("outside[1] \"partner\".{field}");
    refused(
        |intent| intent.outsides[1] = networks(&["10.0.0.1/24"]),
        &at("networks[0]"),
        "bits set",
    );
    refused(
        |intent| intent.outsides[1] = networks(&["192.0.2.0/24", "192.0.2.128/25"]),
        &at("networks[1]"),
        "overlaps",
    );
    refused(
        |intent| intent.outsides[1] = networks(&[]),
        &at("networks"),
        "0 networks",
    );
    refused(
        |intent| intent.outsides[1] = networks(&["10.0.2.1/32"]),
        &at("networks"),
        "nothing is left",
    );
    refused(
        |intent| intent.outsides[1] = networks(&["::ffff:0:0/96"]),
        &at("networks"),
        "nothing is left",
    );
    let long = Prefix {
        address: "10.0.0.0".parse().unwrap(),
        length: 33,
    };
    refused(
        |intent| intent.outsides[1].networks = vec![long],
        &at("networks[0]"),
        "more bits",
    );
}

#[test]
fn ports_are_ranges_from_one_on() {
    let set = |text: &'static str| {
        move |intent: &mut Intent| intent.services[1].ports = vec![ports(text)]
    };
    let at = "service[1] \"api\".ports[0]";
    for text in ["tcp 0", "tcp 0-65535", "udp 9-8"] {
        refused(set(text), at, "no range of ports");
    }
    refused(set("tcp"), at, "no ports");
    refused(set("icmp 8"), at, "icmp has no ports");
    refused(
        |intent| intent.services[1].ports.clear(),
        "service[1] \"api\".ports",
        "no ports",
    );
    let many: Vec<(u16, u16)> = (1..66).map(|port| (port * 3, port * 3)).collect();
    refused(
        |intent| intent.services[1].ports[0].ranges = many,
        at,
        "too many",
    );
}

#[test]
fn flows_that_can_carry_nothing_are_refused() {
    let to =
        |flow: usize, target: Target| move |intent: &mut Intent| intent.flows[flow].to = target;
    let at = "flow[0] \"public\".to";
    refused(to(0, to_service("names")), at, "both ends are outside");
    refused(
        to(6, to_ports("outside internet", &["tcp 1"])),
        "flow[6] \"partner\".to",
        "both ends are outside",
    );
    refused(
        to(5, to_ports("host admin", &["tcp 1"])),
        "flow[5] \"scrape\".to",
        "no packet",
    );
    let only_v6 = Target::Ports {
        at: party("host db-2"),
        ports: vec![ports("tcp 1")],
        families: Families::V6,
    };
    refused(to(1, only_v6), "flow[1] \"edge-api\".to", "no packet");
    refused(
        |intent| {
            intent.zones.push(zone("empty", None));
            intent.flows[1].from = parties(&["zone edge", "zone empty"]);
        },
        "flow[1] \"edge-api\".from[1]",
        "has no hosts",
    );
    refused(
        |intent| intent.flows[1].from.clear(),
        "flow[1] \"edge-api\".from",
        "0 parties",
    );
}

#[test]
fn zone_without_hosts_is_no_error_by_itself() {
    let mut intent = intent();
    intent.zones.push(zone("empty", None));
    checked(&intent);
}

fn never(name: &str, from: &str, to: &str) -> Invariant {
    Invariant {
        name: name.to_owned(),
        from: parties(&[from]),
        to: parties(&[to]),
        ways: Ways::Direct,
    }
}

#[test]
fn flow_that_an_invariant_forbids_is_refused() {
    let at = "flow[2] \"api-db\".to";
    refused(
        |intent| intent.invariants.push(never("n", "zone app", "zone data")),
        at,
        "invariant `n`",
    );
    // The zone around it means the zone within it.
    refused(
        |intent| intent.invariants = vec![never("n", "host app-2", "host db-2")],
        at,
        "invariant `n`",
    );
    // Who is in the partner's network is on the internet as well.
    refused(
        |intent| intent.invariants = vec![never("n", "outside partner", "zone edge")],
        "flow[0] \"public\".to",
        "invariant `n`",
    );
    // Within a zone: the two databases replicate.
    refused(
        |intent| intent.invariants.push(never("n", "zone data", "zone data")),
        "flow[3] \"replicate\".to",
        "invariant `n`",
    );
}

#[test]
fn invariant_that_nothing_breaks_is_taken() {
    let mut intent = intent();
    intent
        .invariants
        .push(never("no-db", "outside internet", "zone data"));
    intent
        .invariants
        .push(never("not-itself", "host admin", "host admin"));
    intent
        .invariants
        .push(never("not-outward", "zone data", "outside internet"));
    checked(&intent);
}

#[test]
fn expired_flow_permits_nothing_and_is_noted() {
    let mut intent = intent();
    let packet = Packet {
        source: "10.0.1.1".parse().unwrap(),
        destination: "10.0.2.1".parse().unwrap(),
        protocol: Protocol::Tcp,
        port: 5432,
    };
    intent.flows[2].expires = Some(today());
    assert!(
        checked(&intent).decide(&packet).is_allowed(),
        "its last day counts"
    );
    intent.flows[2].expires = Day::new(2026, 11, 25);
    let policy = checked(&intent);
    assert!(!policy.decide(&packet).is_allowed());
    let [note] = policy.notes() else {
        panic!("{:?}", policy.notes());
    };
    assert_eq!(note.weight, Weight::Note);
    assert!(
        note.to_string().contains("it expired with 2026-11-25"),
        "{note}"
    );
}

#[test]
fn expectations_are_packets_there_can_be() {
    let expect = |source: &str, destination: &str, protocol, port| Expectation {
        name: "e".to_owned(),
        packet: Packet {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            protocol,
            port,
        },
        verdict: Verdict::Deny,
    };
    let at = "expectation[0] \"e\".packet";
    for (one, words) in [
        (
            expect("10.0.0.1", "fd00::1", Protocol::Tcp, 1),
            "no packet goes",
        ),
        (
            expect("10.0.0.1", "10.0.0.2", Protocol::Tcp, 0),
            "has no port 0",
        ),
        (
            expect("10.0.0.1", "10.0.0.2", Protocol::Icmp, 8),
            "has no port 8",
        ),
    ] {
        refused(|intent| intent.expectations.push(one), at, words);
    }
}

#[test]
fn lists_that_are_too_long_are_refused_before_anything_else() {
    let long = |intent: &mut Intent| {
        let one = intent.flows[0].clone();
        intent.flows = vec![one; 4_097];
    };
    let all = findings(long);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].message.contains("4097 flows, 4096 are the most"));
    let mut room = intent();
    room.flows[0].from = vec![Party::Zone("edge".to_owned()); 65];
    assert!(Policy::check(&room, today()).is_err());
}

#[test]
fn findings_without_end_are_cut_and_still_refuse() {
    let all = findings(|intent| {
        let one = flow("x", &["zone none"], to_service("none"));
        intent.flows.extend(vec![one; 3_000]);
    });
    assert_eq!(all.len(), 1_001);
    assert!(all.iter().any(|one| one.weight == Weight::Error));
    assert!(all[1_000].message.contains("more findings"));
}

#[test]
fn texts_for_people_are_one_line() {
    for text in ["a\nb", "\u{1b}[31m", &"x".repeat(501)] {
        refused(
            |intent| intent.flows[0].purpose = text.to_owned(),
            "flow[0] \"public\".purpose",
            "one line",
        );
        refused(
            |intent| intent.flows[0].owner = text.to_owned(),
            "flow[0] \"public\".owner",
            "one line",
        );
    }
}

#[test]
fn rate_of_logs_has_bounds() {
    refused(
        |intent| intent.settings.logs_per_second = 0,
        "settings.logs_per_second",
        "`0`",
    );
    refused(
        |intent| intent.settings.logs_per_second = 10_001,
        "settings.logs_per_second",
        "`10001`",
    );
}

#[test]
fn services_may_run_in_many_places() {
    let mut intent = intent();
    intent.services.push(service(
        "ssh",
        &["zone edge", "host db-1", "role api"],
        &["tcp 22"],
    ));
    intent
        .flows
        .push(flow("ssh", &["host admin"], to_service("ssh")));
    let policy = checked(&intent);
    for (address, is_reached) in [
        ("10.0.0.2", true),
        ("10.0.2.1", true),
        ("10.0.1.9", true),
        ("10.0.2.2", false),
    ] {
        let packet = Packet {
            source: "10.9.0.1".parse().unwrap(),
            destination: address.parse().unwrap(),
            protocol: Protocol::Tcp,
            port: 22,
        };
        assert_eq!(policy.decide(&packet).is_allowed(), is_reached, "{address}");
    }
}
