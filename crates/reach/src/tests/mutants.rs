//! Texts that were changed: whatever changes what passes is found, and every packet that is named
//! is one that passes differently.

use std::collections::BTreeMap;

use testkit::Mutator;

use super::change::change;
use super::fleet;
use super::nft::{Seen, Table};
use super::probes::packets;
use crate::{Artefact, Difference, Direction, Packet, Policy, Protocol};

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
