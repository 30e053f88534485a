//! Texts that were changed: whatever changes what passes is found, and every packet that is named
//! is one that passes differently.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use testkit::Mutator;

use super::fleet;
use super::nft::{Seen, Table};
use crate::{Artefact, Difference, Direction, Packet, Policy, Protocol};

/// Packets that tell texts apart: from and to an address of each host, of each outside network and
/// of nobody, at each port that is named; and at and beside everything that only one of both says.
fn packets(texts: [&str; 2]) -> Vec<Seen> {
    let mut v4: Vec<u32> = vec![0x0808_0808, 0xc000_0207];
    let mut v6: Vec<u128> = vec![0xfe80 << 112 | 1, 0x2001_0db8_0005 << 80 | 7];
    for host in fleet::intent().hosts {
        for address in host.addresses {
            match address {
                IpAddr::V4(one) => v4.push(one.to_bits()),
                IpAddr::V6(one) => v6.push(one.to_bits()),
            }
        }
    }
    let mut ports: Vec<u32> = vec![0, 53, 80, 443, 5432, 8080, 8085, 8089, 9100, 9443, 65_535];
    let lines = texts.map(|text| text.lines().collect::<Vec<_>>());
    for (one, other) in [(0, 1), (1, 0)] {
        for line in lines[one]
            .iter()
            .filter(|line| !lines[other].contains(line))
        {
            for word in line.split([' ', ',', '-', '/', '\t']) {
                if let Ok(address) = word.parse::<Ipv4Addr>() {
                    let at = address.to_bits();
                    v4.extend([at.wrapping_sub(1), at, at.wrapping_add(1)]);
                } else if let Ok(address) = word.parse::<Ipv6Addr>() {
                    let at = address.to_bits();
                    v6.extend([at.wrapping_sub(1), at, at.wrapping_add(1)]);
                } else if let Ok(port) = word.parse::<u32>() {
                    ports.extend([port.saturating_sub(1), port, port.saturating_add(1)]);
                }
            }
        }
    }
    let mut addresses: Vec<IpAddr> = v4.into_iter().map(|at| Ipv4Addr::from(at).into()).collect();
    addresses.extend(v6.into_iter().map(|at| IpAddr::from(Ipv6Addr::from(at))));
    addresses.sort_unstable();
    addresses.dedup();
    ports.retain(|port| *port <= 65_535);
    ports.sort_unstable();
    ports.dedup();
    let mut made = Vec::new();
    for near in &own(texts[0]) {
        for far in addresses
            .iter()
            .filter(|far| far.is_ipv4() == near.is_ipv4())
        {
            between("input", *far, *near, &ports, &mut made);
            between("output", *near, *far, &ports, &mut made);
        }
    }
    for far in &addresses {
        // To and from addresses that are not the host's.
        let near = if far.is_ipv4() {
            IpAddr::from([10, 77, 0, 1])
        } else {
            Ipv6Addr::from(0x77).into()
        };
        for hook in ["input", "output", "forward"] {
            between(hook, *far, near, &[53, 5432], &mut made);
            between(hook, near, *far, &[53, 5432], &mut made);
        }
    }
    made
}

fn own(text: &str) -> Vec<IpAddr> {
    let lines = text.lines().collect::<Vec<_>>();
    let sets = lines
        .windows(4)
        .filter(|lines| lines[0].trim().starts_with("set self_"));
    let elements = sets.map(|lines| {
        lines[3]
            .trim()
            .trim_start_matches("elements = { ")
            .trim_end_matches(" }")
    });
    let mut own: Vec<IpAddr> = Vec::new();
    for element in elements.flat_map(|elements| elements.split(", ")) {
        let ends = element
            .split(['-', '/'])
            .filter_map(|one| one.parse::<IpAddr>().ok());
        own.extend(ends);
    }
    own
}

const TYPES: [&str; 12] = [
    "echo-request",
    "echo-reply",
    "destination-unreachable",
    "packet-too-big",
    "time-exceeded",
    "parameter-problem",
    "redirect",
    "nd-router-advert",
    "nd-router-solicit",
    "nd-neighbor-solicit",
    "nd-neighbor-advert",
    "mld-listener-query",
];

fn between(
    hook: &'static str,
    source: IpAddr,
    destination: IpAddr,
    ports: &[u32],
    made: &mut Vec<Seen>,
) {
    let base = Seen {
        hook,
        is_loopback: false,
        source,
        destination,
        protocol: "tcp",
        source_port: 40_000,
        port: 5432,
        icmp: "",
        hops: 64,
        state: "new",
        is_reply: false,
    };
    for port in ports {
        for protocol in ["tcp", "udp"] {
            made.push(Seen {
                protocol,
                port: *port,
                ..base
            });
        }
    }
    for (state, is_reply) in [
        ("established", false),
        ("established", true),
        ("related", true),
        ("invalid", false),
        ("invalid", true),
        ("untracked", false),
    ] {
        made.push(Seen {
            state,
            is_reply,
            ..base
        });
        made.push(Seen {
            state,
            is_reply,
            port: 4,
            ..base
        });
    }
    made.push(Seen {
        is_loopback: true,
        port: 4,
        ..base
    });
    made.push(Seen {
        is_loopback: true,
        state: "invalid",
        ..base
    });
    for (source_port, port) in [
        (67, 68),
        (68, 67),
        (546, 547),
        (547, 546),
        (67, 69),
        (547, 9),
    ] {
        made.push(Seen {
            protocol: "udp",
            source_port,
            port,
            ..base
        });
    }
    let protocol = if source.is_ipv4() { "icmp" } else { "icmpv6" };
    for icmp in TYPES.into_iter().chain([
        "mld-listener-report",
        "mld-listener-done",
        "mld2-listener-report",
    ]) {
        for (hops, state) in [
            (255, "untracked"),
            (64, "untracked"),
            (64, "related"),
            (64, "new"),
        ] {
            made.push(Seen {
                protocol,
                icmp,
                hops,
                state,
                is_reply: false,
                port: 0,
                source_port: 0,
                ..base
            });
        }
    }
}

/// Whether two texts let the same packets through, by trying.
fn is_same(before: &str, after: &str) -> bool {
    let (Some(before_table), Some(after_table)) = (Table::load(before), Table::load(after)) else {
        return false;
    };
    if before_table == after_table {
        return true;
    }
    before_table.hooks() == after_table.hooks()
        && packets([before, after])
            .iter()
            .all(|packet| before_table.passes(packet) == after_table.passes(packet))
}

const KINDS: u64 = 17;

/// Changes a text, and says how; none when it does not fit the line that was drawn.
fn change(text: &str, kind: u64, random: &mut Mutator) -> Option<(&'static str, String)> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = random.below(lines.len());
    let line = lines[at].clone();
    let swapped = |line: &str, pairs: &[(&str, &str)], random: &mut Mutator| {
        let (a, b) = *random.pick(pairs)?;
        let made = if line.contains(a) {
            line.replacen(a, b, 1)
        } else {
            line.replacen(b, a, 1)
        };
        (made != line).then_some(made)
    };
    let kind = match kind % KINDS {
        0 => {
            lines.remove(at);
            "drop a line"
        }
        1 => {
            lines.insert(at, line);
            "repeat a line"
        }
        2 => {
            let other = random.below(lines.len());
            lines.swap(at, other);
            "swap two lines"
        }
        3 => {
            lines[at] = swapped(
                &line,
                &[("policy drop", "policy accept"), (" drop", " accept")],
                random,
            )?;
            "turn a verdict"
        }
        4 => {
            let more = random.pick(&[
                "192.0.2.77, ",
                "0.0.0.0/0, ",
                "fd00:2::1, ",
                "10.0.0.0/30, ",
                "::/0, ",
                "10.0.2.1-10.0.2.2, ",
            ])?;
            lines[at] = line
                .contains("elements")
                .then(|| line.replacen("{ ", &format!("{{ {more}"), 1))?;
            "add an element"
        }
        5 => {
            let (start, list) = line.split_once("elements = { ")?;
            let mut all: Vec<&str> = list.strip_suffix(" }")?.split(", ").collect();
            all.remove(random.below(all.len()));
            lines[at] = format!("{start}elements = {{ {} }}", all.join(", "));
            "take an element"
        }
        6 => {
            lines[at] = digit(&line, random)?;
            "change a digit"
        }
        7 => {
            lines[at] = swapped(
                &line,
                &[
                    ("saddr", "daddr"),
                    ("input", "output"),
                    ("iifname", "oifname"),
                    ("forward", "input"),
                ],
                random,
            )?;
            "turn a direction"
        }
        8 => {
            lines[at] = swapped(
                &line,
                &[
                    ("ip ", "ip6 "),
                    ("icmp ", "icmpv6 "),
                    ("ipv4_addr", "ipv6_addr"),
                    ("_4", "_6"),
                ],
                random,
            )?;
            "change a family"
        }
        9 => {
            lines[at] = swapped(&line, &[("tcp ", "udp "), ("dport", "sport")], random)?;
            "change a protocol"
        }
        10 => {
            let part = random.pick(&[
                "ct direction reply ",
                "ct state established ",
                "ct state invalid ",
                "ct state related ",
                "ip6 hoplimit 255 ",
                "iifname \"lo\" ",
                "oifname \"lo\" ",
                "delete table inet rampart",
                "ip saddr fe80::/10 ",
                " accept",
                " drop",
            ])?;
            lines[at] = line.contains(part).then(|| line.replacen(part, "", 1))?;
            "take a match"
        }
        11 => {
            let more = random.pick(&[
                "\t\taccept",
                "\t\ttcp dport 22 accept",
                "\t\tct state new accept",
                "\t\tdrop",
                "\t\tip saddr @self_4 accept",
                "\t\tcounter name \"dropped_input\"",
                "\t\tjump input_4",
            ])?;
            lines.insert(at, (*more).to_owned());
            "add a rule"
        }
        12 => {
            let names = names(&lines);
            let (a, b) = (random.pick(&names)?.clone(), random.pick(&names)?.clone());
            let old = format!("@{a} ");
            lines[at] = line
                .contains(&old)
                .then(|| line.replacen(&old, &format!("@{b} "), 1))?;
            "use another set"
        }
        13 => {
            let end = lines.len() - 1;
            let more = random.pick(&["\tchain more {\n\t\ttype filter hook input priority -30; policy accept;\n\t\taccept\n\t}", "\tchain input_4 {\n\t\taccept\n\t}", "\tset self_4 {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 10.7.7.7 }\n\t}"])?;
            lines.insert(end, (*more).to_owned());
            "add a block"
        }
        14 => {
            lines.push(
                (*random.pick(&[
                    "table inet other {",
                    "flush ruleset",
                    "add rule inet rampart input accept",
                    "include \"/etc/x\"",
                ])?)
                .to_owned(),
            );
            "add a statement"
        }
        15 => {
            let text = lines.join("\n");
            let text = text.replace("chain input_4 {", "chain between {");
            let text = text.replace("chain output_4 {", "chain input_4 {");
            let text = text.replace("chain between {", "chain output_4 {");
            lines = text.lines().map(str::to_owned).collect();
            "swap chains"
        }
        _ => {
            let counter =
                random.pick(&["dropped_input", "invalid_input", "in_ping", "out_names"])?;
            let (start, rest) = line.split_once("counter name \"")?;
            let (_, end) = rest.split_once('"')?;
            lines[at] = format!("{start}counter name \"{counter}\"{end}");
            "count elsewhere"
        }
    };
    let mut made = lines.join("\n");
    made.push('\n');
    (made != text).then_some((kind, made))
}

fn digit(line: &str, random: &mut Mutator) -> Option<String> {
    let digits: Vec<usize> = line
        .bytes()
        .enumerate()
        .filter(|(_, b)| b.is_ascii_digit())
        .map(|(at, _)| at)
        .collect();
    let at = *random.pick(&digits)?;
    let new = char::from(b'0' + u8::try_from(random.below(10)).unwrap());
    Some(format!("{}{new}{}", &line[..at], &line[at + 1..]))
}

fn names(lines: &[String]) -> Vec<String> {
    let sets = lines
        .iter()
        .filter_map(|line| line.trim().strip_prefix("set "));
    sets.map(|set| set.trim_end_matches(" {").to_owned())
        .collect()
}

/// Whether a text lets a packet pass one of its hooks as the first of a connection.
fn lets(text: &str, direction: Direction, packet: &Packet) -> Option<bool> {
    let is_4 = packet.source.is_ipv4();
    let seen = Seen {
        hook: direction.hook(),
        is_loopback: false,
        source: packet.source,
        destination: packet.destination,
        protocol: match packet.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp if is_4 => "icmp",
            Protocol::Icmp => "icmpv6",
        },
        source_port: 40_000,
        port: u32::from(packet.port),
        icmp: if packet.protocol == Protocol::Icmp {
            "echo-request"
        } else {
            ""
        },
        hops: 64,
        state: "new",
        is_reply: false,
    };
    Table::load(text).map(|table| table.passes(&seen))
}

#[derive(Debug, Default)]
struct Tally {
    changed: u32,
    same_and_refused: u32,
    same_and_proved: u32,
}

/// Puts a mutant in the place of a text, and holds the prover against what trying says.
fn judge(
    policy: &Policy,
    artefacts: &mut [Artefact],
    at: usize,
    (kind, mutant): (&str, String),
    tally: &mut Tally,
) {
    let original = std::mem::replace(&mut artefacts[at].rules, mutant);
    let mutant = artefacts[at].rules.clone();
    let proof = policy.prove(artefacts);
    artefacts[at].rules.clone_from(&original);
    let is_same = is_same(&original, &mutant);
    if !is_same {
        assert!(
            !proof.holds(),
            "{kind}: a changed text was proved:\n{mutant}"
        );
        tally.changed += 1;
    } else if proof.holds() {
        tally.same_and_proved += 1;
    } else {
        tally.same_and_refused += 1;
    }
    let frame_holds = !proof
        .differences
        .iter()
        .any(|one| matches!(one, Difference::Frame { .. }));
    if !proof.unproved.is_empty() || !frame_holds || artefacts[at].host == "admin" {
        return;
    }
    for difference in &proof.differences {
        match difference {
            Difference::Opens {
                packet, direction, ..
            } => {
                assert_eq!(
                    lets(&mutant, *direction, packet),
                    Some(true),
                    "{difference}"
                );
                assert_eq!(
                    lets(&original, *direction, packet),
                    Some(false),
                    "{difference}"
                );
            }
            Difference::Closes {
                packet,
                direction,
                flows,
                ..
            } => {
                assert_eq!(
                    lets(&mutant, *direction, packet),
                    Some(false),
                    "{difference}"
                );
                assert_eq!(
                    lets(&original, *direction, packet),
                    Some(true),
                    "{difference}"
                );
                assert!(!flows.is_empty(), "{difference}");
            }
            _ => {}
        }
    }
}

#[test]
fn every_mutant_that_lets_other_packets_through_is_found() {
    let policy = fleet::policy();
    let mut artefacts = policy.compile().unwrap();
    let rounds = testkit::told("RAMPART_FUZZ_ROUNDS").unwrap_or(400);
    let seed = testkit::told("RAMPART_FUZZ_SEED").unwrap_or(1);
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for round in 0..rounds {
        let mut random = Mutator::new(seed.wrapping_add(round.wrapping_mul(0x1000_0001)));
        let at = random.below(artefacts.len());
        // Most kinds of change fit few lines, and some fit none of a host.
        let made = (0..200).find_map(|_| change(&artefacts[at].rules, round, &mut random));
        let Some((kind, mutant)) = made else {
            continue;
        };
        judge(
            &policy,
            &mut artefacts,
            at,
            (kind, mutant),
            tallies.entry(kind).or_default(),
        );
    }
    let sum = |part: fn(&Tally) -> u32| tallies.values().map(part).sum::<u32>();
    let (changed, refused, proved) = (
        sum(|one| one.changed),
        sum(|one| one.same_and_refused),
        sum(|one| one.same_and_proved),
    );
    println!(
        "{changed} changed and found, {refused} same and refused, {proved} same and proved\n{tallies:#?}"
    );
    assert!(changed > refused + proved, "most changes matter");
}

#[test]
fn every_line_that_is_taken_away_is_found() {
    let policy = fleet::policy();
    let mut artefacts = policy.compile().unwrap();
    let mut tally = Tally::default();
    // Both families, an asker for addresses, one family, an observer.
    for host in ["edge-1", "app-1", "db-2", "admin"] {
        let at = artefacts.iter().position(|one| one.host == host).unwrap();
        let text = artefacts[at].rules.clone();
        let lines: Vec<&str> = text.lines().collect();
        for line in 0..lines.len() {
            let mut rest = lines.clone();
            rest.remove(line);
            let mutant = format!("{}\n", rest.join("\n"));
            judge(
                &policy,
                &mut artefacts,
                at,
                ("drop a line", mutant),
                &mut tally,
            );
        }
    }
    println!("{tally:?}");
    assert_eq!(tally.same_and_proved, 0, "no line is there for nothing");
}

#[test]
fn every_change_of_peers_is_found() {
    let policy = fleet::policy();
    let artefacts = policy.compile().unwrap();
    for at in 0..artefacts.len() {
        let text = artefacts[at].peers.clone();
        let lines: Vec<&str> = text.lines().collect();
        let mut mutants = vec![
            format!("{text}db-1 10.0.2.1/32 10.0.2.2/32\n"),
            format!("{text}nobody 10.0.2.1/32\n"),
            format!("{text}\n"),
            text.replace("/32", "/31"),
            text.replace("/128", "/127"),
            text.replace('\n', "\r\n"),
        ];
        for line in 0..lines.len() {
            let mut rest = lines.clone();
            rest.remove(line);
            mutants.push(rest.iter().map(|line| format!("{line}\n")).collect());
            let mut more = lines.clone();
            more.insert(line, lines[line]);
            mutants.push(more.iter().map(|line| format!("{line}\n")).collect());
            mutants.push(text.replacen(lines[line], &format!("{} 0.0.0.0/0", lines[line]), 1));
            mutants.push(text.replacen(lines[line], lines[line].rsplit_once(' ').unwrap().0, 1));
        }
        for mutant in mutants.into_iter().filter(|mutant| *mutant != text) {
            let mut changed = artefacts.clone();
            changed[at].peers.clone_from(&mutant);
            assert!(!policy.prove(&changed).holds(), "{mutant}");
        }
    }
}

#[test]
fn fuzz_no_damaged_text_is_proved_and_means_something_else() {
    let policy = fleet::policy();
    let mut artefacts = policy.compile().unwrap();
    let corpus: Vec<Vec<u8>> = artefacts
        .iter()
        .map(|one| one.rules.clone().into_bytes())
        .collect();
    let words: &[&[u8]] = &[
        b"accept", b"drop", b"\n", b"}", b"{ ", b";", b"#", b"\\\n", b"\r", b"\0", b"/0", b"-",
        b", ",
    ];
    let mut proved = 0;
    testkit::fuzz(1_000, &corpus, words, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        for at in [0, 4] {
            let original = std::mem::replace(&mut artefacts[at].rules, text.to_owned());
            if policy.prove(&artefacts).holds() {
                proved += 1;
                assert!(
                    is_same(&original, text),
                    "proved, and not the same:\n{text}"
                );
            }
            artefacts[at].rules = original;
        }
    });
    println!("{proved} proved");
}
