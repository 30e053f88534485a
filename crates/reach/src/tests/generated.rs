//! Generated intents: the texts mean what the policy does, by sets that neither of both uses.

use super::fleet::checked;
use super::generate::{self, Layout, Size};
use crate::set::{Family, Intervals, PacketSet, PortSet, Region as _, number};
use crate::{Difference, Policy};

fn size(hosts: usize, layout: Layout) -> Size {
    Size {
        hosts,
        flows: 40,
        zones: 6,
        roles: 12,
        layout,
    }
}

#[test]
fn every_seed_is_proved() {
    for seed in 0..40 {
        for layout in [Layout::Dense, Layout::Scattered] {
            let policy = checked(&generate::intent(size(40, layout), seed));
            let proof = policy.prove(&policy.compile().unwrap());
            assert!(
                proof.holds(),
                "seed {seed}: {:?} {:?}",
                proof.differences,
                proof.unproved
            );
        }
    }
}

/// The packets that a policy lets pass between hosts, by asking of each pair alone.
fn by_pairs(policy: &Policy) -> PacketSet {
    let mut all = PacketSet::default();
    let names: Vec<&str> = policy.hosts().collect();
    let packets = policy.packets();
    for from in &names {
        for to in names.iter().filter(|to| *to != from) {
            for family in Family::BOTH {
                let of = |host: &str| {
                    let all = policy
                        .addresses(host)
                        .filter(|one| Family::of(*one) == family)
                        .map(number);
                    Intervals::from_ranges(all.map(|one| (one, one)))
                };
                let pair = PacketSet::product(family, &of(from), &of(to), &PortSet::every());
                all = all.union(&packets.intersection(&pair));
            }
        }
    }
    all
}

#[test]
fn difference_of_two_policies_is_the_difference_of_their_packets() {
    let size = size(14, Layout::Dense);
    for seed in 0..8 {
        let old = checked(&generate::intent(size, seed));
        let mut changed = generate::intent(size, seed);
        let more = generate::intent(size, seed + 100).flows;
        changed.flows.truncate(changed.flows.len() / 2);
        let wanted = more.into_iter().filter(|flow| {
            let mut one = changed.clone();
            one.flows = vec![flow.clone()];
            Policy::check(&one, super::fleet::today()).is_ok()
        });
        let mut wanted: Vec<_> = wanted.collect();
        for flow in &mut wanted {
            flow.name.push_str("-new");
        }
        changed.flows.extend(wanted);
        let new = checked(&changed);
        let diff = old.diff(&new);
        let (before, after) = (by_pairs(&old), by_pairs(&new));
        let mut closed = PacketSet::default();
        for tuple in &diff.revoked {
            let range = |ends: (std::net::IpAddr, std::net::IpAddr)| {
                Intervals::range(number(ends.0), number(ends.1))
            };
            let ports = PortSet::range(tuple.protocol, tuple.ports.0, tuple.ports.1);
            let family = Family::of(tuple.source.0);
            closed = closed.union(&PacketSet::product(
                family,
                &range(tuple.source),
                &range(tuple.destination),
                &ports,
            ));
        }
        let hosts = by_pairs(&old).union(&by_pairs(&new));
        assert_eq!(
            closed.intersection(&hosts),
            before.difference(&after),
            "seed {seed}"
        );
        assert_eq!(diff.is_empty(), old.packets() == new.packets());
    }
}

#[test]
fn each_flow_that_a_text_lacks_is_named() {
    let policy = checked(&generate::intent(size(30, Layout::Dense), 3));
    let artefacts = policy.compile().unwrap();
    let mut named = 0;
    for at in 0..artefacts.len() {
        let lines: Vec<&str> = artefacts[at].rules.lines().collect();
        let Some(line) = lines
            .iter()
            .position(|line| line.contains("counter name \"in_"))
        else {
            continue;
        };
        let mut rest = lines.clone();
        rest.remove(line);
        let mut changed = artefacts.clone();
        changed[at].rules = format!("{}\n", rest.join("\n"));
        let proof = policy.prove(&changed);
        let flow = lines[line]
            .split("\"in_")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        for difference in &proof.differences {
            let Difference::Closes { flows, .. } = difference else {
                panic!("{difference}");
            };
            assert!(flows.iter().any(|one| one == flow), "{flow}: {difference}");
            named += 1;
        }
    }
    assert!(named > 10, "{named}");
}
