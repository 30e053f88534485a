//! One side of one host in full: which addresses at which ports, over all addresses there are.

use super::{Difference, Prover};
use crate::policy::{Direction, Policy};
use crate::read::{HostRules, Store};
use crate::set::{Family, Intervals, Layered, Packet, PortSet, Region as _};
use crate::space::Class;

/// LIMIT: packets named of one host, direction, family and kind of difference.
const EXAMPLES: usize = 4;

/// Which other ends at which ports.
pub(super) type Side = Layered<PortSet>;

/// What a host's text lets through.
pub(super) fn written(
    store: &Store<'_>,
    rules: &HostRules<'_>,
    direction: Direction,
    family: Family,
) -> Side {
    let rules = rules.rules(direction, family).iter();
    union(rules.filter_map(|rule| {
        let addresses = &store.set(rule.set)?.addresses;
        Some(Layered::product(addresses, store.ports.set(rule.ports)))
    }))
}

/// What the policy lets through.
pub(super) fn meant(policy: &Policy, host: Class, direction: Direction, family: Family) -> Side {
    let grants = policy.grants_at(family, direction, host);
    union(grants.filter_map(|grant| {
        let (grant, from, to) = policy.ends(grant)?;
        let other = match direction {
            Direction::In => from,
            Direction::Out => to,
        };
        Some(Layered::product(
            other.addresses.at(family),
            grant.ports.at(family),
        ))
    }))
}

/// Neighbours by twos, so that no piece is gone over more often than their number has digits.
fn union(sides: impl Iterator<Item = Side>) -> Side {
    let mut sides: Vec<Side> = sides.collect();
    while sides.len() > 1 {
        let twos = sides.chunks(2);
        sides = twos
            .filter_map(|two| match two {
                [one, other] => Some(one.union(other)),
                _ => two.first().cloned(),
            })
            .collect();
    }
    sides.pop().unwrap_or_default()
}

impl Prover<'_> {
    /// Names what differs between text and policy on one side of a host. What the host sends to
    /// itself is left aside: that never meets these rules.
    pub(super) fn name_differences(&mut self, host: Class, direction: Direction, family: Family) {
        let policy = self.policy;
        let (Some(member), Some(Some(rules))) = (policy.hosts.get(host), self.rules.get(host))
        else {
            return;
        };
        let own = member.addresses.at(family);
        let own = Intervals::from_ranges(own.iter().map(|address| (*address, *address)));
        let own = Layered::product(&own, &PortSet::every());
        let written = written(&self.store, rules, direction, family).difference(&own);
        let meant = meant(policy, host, direction, family).difference(&own);
        let mut found = Vec::new();
        for (address, _, ports) in written.difference(&meant).iter().take(EXAMPLES) {
            let packet = example(policy, host, direction, family, (address, ports));
            let rule = rules.rules(direction, family).iter().find(|rule| {
                let known = self.store.set(rule.set);
                known.is_some_and(|known| known.addresses.contains(address))
                    && (packet.is_some_and(|packet| {
                        let ports = self.store.ports.set(rule.ports);
                        ports.contains(packet.protocol, packet.port)
                    }))
            });
            if let (Some(packet), Some(rule)) = (packet, rule) {
                found.push(Difference::Opens {
                    host: member.name.clone(),
                    direction,
                    packet,
                    line: rule.line,
                    rule: rule.text.to_owned(),
                    arrives: self.arrives(direction, family, address, &packet),
                });
            }
        }
        for (address, _, ports) in meant.difference(&written).iter().take(EXAMPLES) {
            let packet = example(policy, host, direction, family, (address, ports));
            let other = policy.spaces.at(family).class_of(address);
            if let (Some(packet), Some(other)) = (packet, other) {
                let (from, to) = match direction {
                    Direction::In => (other, host),
                    Direction::Out => (host, other),
                };
                found.push(Difference::Closes {
                    host: member.name.clone(),
                    direction,
                    packet,
                    flows: policy.flows_for(&packet, from, to),
                });
            }
        }
        for difference in found {
            self.proof.differs(difference);
        }
    }

    /// Whether the other end lets a packet through as well.
    fn arrives(
        &self,
        direction: Direction,
        family: Family,
        address: u128,
        packet: &Packet,
    ) -> bool {
        let other = self.policy.spaces.at(family).class_of(address);
        let Some(other) = other.filter(|class| *class < self.policy.hosts.len()) else {
            return true;
        };
        let opposite = match direction {
            Direction::In => Direction::Out,
            Direction::Out => Direction::In,
        };
        let near = match direction {
            Direction::In => packet.destination,
            Direction::Out => packet.source,
        };
        let near = crate::set::number(near);
        // What cannot be read may let everything through.
        self.rules
            .get(other)
            .and_then(Option::as_ref)
            .is_none_or(|rules| {
                rules.rules(opposite, family).iter().any(|rule| {
                    let known = self.store.set(rule.set);
                    let ports = self.store.ports.set(rule.ports);
                    known.is_some_and(|known| known.addresses.contains(near))
                        && ports.contains(packet.protocol, packet.port)
                })
            })
    }
}

/// A packet between a host and an address.
fn example(
    policy: &Policy,
    host: Class,
    direction: Direction,
    family: Family,
    (address, ports): (u128, &PortSet),
) -> Option<Packet> {
    let own = family.address(*policy.hosts.get(host)?.addresses.at(family).first()?);
    let other = family.address(address);
    let (protocol, port) = ports.first()?;
    let (source, destination) = match direction {
        Direction::In => (other, own),
        Direction::Out => (own, other),
    };
    Some(Packet {
        source,
        destination,
        protocol,
        port,
    })
}
