//! What changes from one policy to another: by addresses, so that a host that got others is seen
//! as what it is.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::policy::{Direction, Policy};
use crate::set::{Family, PortId, PortSet, PortTable, Protocol, Region as _};
use crate::space::Class;

/// LIMIT: changes listed, and tuples; the others are counted.
const CHANGES: usize = 10_000;
const TUPLES: usize = 100_000;

/// What changes between two ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// From whom, as the new policy calls it, or the old one if only that knows it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Over which addresses.
    pub family: Family,
    /// What is permitted now and was not.
    pub opened: PortSet,
    /// What was permitted and is not any more.
    pub closed: PortSet,
}

/// Connections to end, as conntrack knows them: by the addresses and ports of their first packet,
/// both ends of each range included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tuple {
    /// Who opened them.
    pub source: (IpAddr, IpAddr),
    /// To whom.
    pub destination: (IpAddr, IpAddr),
    /// By which protocol.
    pub protocol: Protocol,
    /// At which ports; zero of [`Protocol::Icmp`].
    pub ports: (u16, u16),
}

/// What changes from one policy to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Each pair of ends between which something changes.
    pub changes: Vec<Change>,
    /// Such pairs that are not listed because there are too many.
    pub changes_left_out: u64,
    /// Pairs of ends, counted for each family, where something opens.
    pub opened_pairs: u64,
    /// Where something closes.
    pub closed_pairs: u64,
    /// Who is reached by somebody who did not reach them at all, and by how many such.
    pub newly_reached: BTreeMap<String, u64>,
    /// Connections that were permitted and are not any more.
    pub revoked: Vec<Tuple>,
    /// Whether all of them are listed. If not, every connection of the hosts concerned is to be
    /// ended.
    pub is_all_revoked: bool,
}

impl Diff {
    /// Whether nothing changes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.opened_pairs == 0 && self.closed_pairs == 0
    }
}

type Ranges = Vec<(u128, u128)>;

/// Addresses that each policy treats alike.
struct Node {
    old: Option<Class>,
    new: Option<Class>,
    ranges: Ranges,
}

/// What changes from one policy to another.
struct Differ<'a> {
    old: &'a Policy,
    new: &'a Policy,
    ports: PortTable,
    diff: Diff,
}

impl Policy {
    /// What changes when `new` takes the place of this policy.
    #[must_use]
    pub fn diff(&self, new: &Self) -> Diff {
        let mut differ = Differ {
            old: self,
            new,
            ports: PortTable::new(),
            diff: Diff {
                is_all_revoked: true,
                ..Diff::default()
            },
        };
        for family in Family::BOTH {
            differ.family(family);
        }
        differ.diff
    }
}

impl Differ<'_> {
    fn family(&mut self, family: Family) {
        let nodes = nodes(self.old, self.new, family);
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for source in &nodes {
            row(self.old, family, source.old, &mut self.ports, &mut old);
            row(self.new, family, source.new, &mut self.ports, &mut new);
            for target in &nodes {
                let cell = |row: &[PortId], class: Option<Class>| {
                    class
                        .and_then(|class| row.get(class))
                        .copied()
                        .unwrap_or(PortTable::EMPTY)
                };
                let (before, after) = (cell(&old, target.old), cell(&new, target.new));
                if before != after {
                    self.change(family, source, target, (before, after));
                }
            }
        }
    }

    fn change(&mut self, family: Family, source: &Node, target: &Node, ids: (PortId, PortId)) {
        let (before, after) = (self.ports.set(ids.0), self.ports.set(ids.1));
        let change = Change {
            from: self.name(family, source),
            to: self.name(family, target),
            family,
            opened: after.difference(before),
            closed: before.difference(after),
        };
        if before.is_empty() {
            *self
                .diff
                .newly_reached
                .entry(change.to.clone())
                .or_default() += 1;
        }
        self.diff.opened_pairs += u64::from(!change.opened.is_empty());
        self.diff.closed_pairs += u64::from(!change.closed.is_empty());
        self.revoke(family, source, target, &change.closed);
        if self.diff.changes.len() < CHANGES {
            self.diff.changes.push(change);
        } else {
            self.diff.changes_left_out += 1;
        }
    }

    fn revoke(&mut self, family: Family, source: &Node, target: &Node, closed: &PortSet) {
        let ends = |(low, high): (u128, u128)| (family.address(low), family.address(high));
        for protocol in Protocol::ALL {
            for ports in closed.ranges(protocol) {
                for from in &source.ranges {
                    for to in &target.ranges {
                        if self.diff.revoked.len() == TUPLES {
                            self.diff.is_all_revoked = false;
                            return;
                        }
                        self.diff.revoked.push(Tuple {
                            source: ends(*from),
                            destination: ends(*to),
                            protocol,
                            ports,
                        });
                    }
                }
            }
        }
    }

    fn name(&self, family: Family, node: &Node) -> String {
        match (node.new, node.old) {
            (Some(class), _) => self.new.class_name(family, class),
            (None, Some(class)) => self.old.class_name(family, class),
            (None, None) => String::new(),
        }
    }
}

fn row(
    policy: &Policy,
    family: Family,
    class: Option<Class>,
    ports: &mut PortTable,
    row: &mut Vec<PortId>,
) {
    row.clear();
    if let Some(class) = class {
        policy.row(family, Direction::Out, class, ports, row);
    }
}

/// All addresses that one of both policies knows, cut where either makes a difference.
fn nodes(old: &Policy, new: &Policy, family: Family) -> Vec<Node> {
    let mut starts = Vec::new();
    for policy in [old, new] {
        for (low, high, _) in policy.spaces.at(family).pieces() {
            starts.push(low);
            starts.extend(high.checked_add(1));
        }
    }
    starts.sort_unstable();
    starts.dedup();
    let mut known: BTreeMap<(Option<Class>, Option<Class>), Ranges> = BTreeMap::new();
    for (at, start) in starts.iter().enumerate() {
        let space = |policy: &Policy| policy.spaces.at(family).class_of(*start);
        let key = (space(old), space(new));
        // A start above the family's last address belongs to nobody.
        if key != (None, None) {
            let next = starts
                .get(at + 1)
                .map_or(family.greatest(), |next| next.saturating_sub(1));
            known.entry(key).or_default().push((*start, next));
        }
    }
    let nodes = known.into_iter();
    nodes
        .map(|((old, new), ranges)| Node { old, new, ranges })
        .collect()
}
