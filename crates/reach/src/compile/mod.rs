//! From a policy to what each host is given: a text for `nft -f`, and the peers it may have in a
//! WireGuard mesh. The same policy gives the same bytes.
//!
//! A text replaces our table as a whole, in one transaction, and touches no other: it never says
//! `flush ruleset`. It is written as `nft list table` writes it, so that what a host has can be
//! read back by the same reader.

mod bans;
pub(crate) mod frame;
mod peers;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use bans::{BANS, Ban};

use crate::error::Error;
use crate::policy::{Direction, Grant, Member, Policy};
use crate::prefix::spell;
use crate::set::{Bits, Family, PerFamily, PortRange, PortSet, Protocol, Region as _};
use crate::space::Class;
use frame::{Frame, TABLE};

/// LIMIT: the text of one host; nft takes a few seconds for so much.
pub(crate) const TEXT_BYTES: usize = 8 << 20;

/// What one host is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artefact {
    /// The host.
    pub host: String,
    /// The text for `nft -f -`.
    pub rules: String,
    /// A line for each peer: its name, and the addresses that it may send from and be sent to
    /// (WireGuard's AllowedIPs), each as a prefix.
    pub peers: String,
}

impl Policy {
    /// What every host is given, in the order of [`Policy::hosts`].
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn compile(&self) -> Result<Vec<Artefact>, Error> {
        let mut compiler = Compiler::new(self);
        let hosts = self.hosts.iter().enumerate();
        hosts.map(|(at, host)| compiler.host(at, host)).collect()
    }

    /// What one host is given.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is no such host, [`Error::TooLarge`].
    pub fn compile_host(&self, host: &str) -> Result<Artefact, Error> {
        let party = crate::intent::Party::Host(host.to_owned());
        let at = self
            .members(&party)?
            .hosts
            .iter()
            .next()
            .unwrap_or(usize::MAX);
        match self.hosts.get(at) {
            Some(member) => Compiler::new(self).host(at, member),
            None => Err(Error::Unknown {
                what: "host",
                name: host.to_owned(),
                hint: String::new(),
            }),
        }
    }
}

/// A policy, and its sides as nftables spells them, each spelt once.
struct Compiler<'a> {
    policy: &'a Policy,
    elements: Vec<PerFamily<Option<String>>>,
    peers: Vec<PerFamily<String>>,
}

/// A flow's rules at one host.
struct Rule<'a> {
    grant: &'a Grant,
    /// The number of the other side.
    side: usize,
    label: &'a str,
    ports: &'a PortSet,
}

impl<'a> Compiler<'a> {
    fn new(policy: &'a Policy) -> Self {
        Self {
            policy,
            elements: vec![PerFamily::default(); policy.sides.len()],
            peers: peers::spelled(policy),
        }
    }

    fn host(&mut self, at: Class, host: &Member) -> Result<Artefact, Error> {
        let mut chains = String::new();
        let mut counters = BTreeSet::new();
        let mut sets = BTreeMap::new();
        for direction in Direction::BOTH {
            for family in Family::BOTH {
                if host.addresses.at(family).is_empty() {
                    continue;
                }
                chains.push_str(&format!(
                    "\tchain {}_{} {{\n",
                    direction.hook(),
                    family.digit()
                ));
                for rule in self.rules(at, family, direction) {
                    let counter = format!("{}_{}", direction.short(), rule.grant.flow);
                    write_rule(&mut chains, family, direction, &rule, &counter);
                    counters.insert(counter);
                    sets.insert((rule.label, family), rule.side);
                }
                chains.push_str("\t}\n");
            }
        }
        let mut rules =
            format!("table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n");
        let frame = Frame::of(self.policy, host);
        for counter in frame
            .counters
            .iter()
            .copied()
            .chain(counters.iter().map(String::as_str))
        {
            rules.push_str(&format!("\tcounter {counter} {{\n\t}}\n"));
        }
        for family in Family::BOTH {
            if let Some(own) = frame.own.at(family) {
                write_set(&mut rules, "self", family, &spell(family, own));
            }
        }
        for ((label, family), side) in sets {
            write_set(&mut rules, label, family, self.elements(side, family));
        }
        rules.push_str(&chains);
        frame.write(&mut rules);
        rules.push_str("}\n");
        if rules.len() > TEXT_BYTES {
            return Err(Error::TooLarge {
                host: host.name.clone(),
                bytes: rules.len(),
                most_bytes: TEXT_BYTES,
            });
        }
        Ok(Artefact {
            host: host.name.clone(),
            rules,
            peers: peers::text(self.policy, at, &self.peers),
        })
    }

    /// The flows that begin or end at a host, with their other ends.
    fn rules(&self, host: Class, family: Family, direction: Direction) -> Vec<Rule<'a>> {
        let policy: &'a Policy = self.policy;
        let grants = policy.grants_at(family, direction, host);
        let rules = grants.filter_map(|grant| {
            let (_, from, to) = policy.ends(grant)?;
            let (side, other) = match direction {
                Direction::In => (grant.from, from),
                Direction::Out => (grant.to, to),
            };
            let ports = grant.ports.at(family);
            // A set of the host alone would let nothing through that is not its own.
            let mut others = other.classes.at(family).iter();
            let matters = !ports.is_empty() && others.any(|class| class != host);
            matters.then_some(Rule {
                grant,
                side,
                label: &other.label,
                ports,
            })
        });
        rules.collect()
    }

    fn elements(&mut self, side: usize, family: Family) -> &str {
        let policy = self.policy;
        let Some(slot) = self.elements.get_mut(side) else {
            return "";
        };
        slot.at_mut(family).get_or_insert_with(|| {
            let side = policy.sides.get(side);
            side.map_or_else(String::new, |side| spell(family, side.addresses.at(family)))
        })
    }
}

fn write_set(text: &mut String, label: &str, family: Family, elements: &str) {
    let digit = family.digit();
    text.push_str(&format!(
        "\tset {label}_{digit} {{\n\t\ttype ipv{digit}_addr\n\t\tflags interval\n\
         \t\telements = {{ {elements} }}\n\t}}\n"
    ));
}

fn write_rule(
    text: &mut String,
    family: Family,
    direction: Direction,
    rule: &Rule<'_>,
    counter: &str,
) {
    let word = family.word();
    let end = match direction {
        Direction::In => "saddr",
        Direction::Out => "daddr",
    };
    for protocol in Protocol::ALL {
        let ranges = rule.ports.ranges(protocol);
        if ranges.is_empty() {
            continue;
        }
        let service = match (protocol, family) {
            (Protocol::Icmp, Family::V4) => "icmp type echo-request".to_owned(),
            (Protocol::Icmp, Family::V6) => "icmpv6 type echo-request".to_owned(),
            _ => format!("{protocol} dport {}", spell_ports(&ranges)),
        };
        text.push_str(&format!(
            "\t\t{word} {end} @{}_{} {service} counter name \"{counter}\" accept\n",
            rule.label,
            family.digit()
        ));
    }
}

fn spell_ports(ranges: &[(u16, u16)]) -> String {
    let spelt = ranges
        .iter()
        .map(|(low, high)| PortRange(*low, *high).to_string());
    let spelt = spelt.collect::<Vec<_>>().join(", ");
    match ranges {
        [_] => spelt,
        _ => format!("{{ {spelt} }}"),
    }
}

/// The hosts that a host may open connections to over a family, or hear from.
pub(crate) fn linked(policy: &Policy, family: Family, host: Class) -> Bits {
    let mut all = Bits::new(policy.spaces.at(family).classes());
    for direction in Direction::BOTH {
        for grant in policy.grants_at(family, direction, host) {
            let Some((grant, from, to)) = policy.ends(grant) else {
                continue;
            };
            if !grant.ports.at(family).is_empty() {
                all.add_all(match direction {
                    Direction::In => from.classes.at(family),
                    Direction::Out => to.classes.at(family),
                });
            }
        }
    }
    all.remove(host);
    all
}
