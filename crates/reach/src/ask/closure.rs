//! Stepping stones: who reaches what over hosts that each reach the next.
//!
//! A host that is taken over may open every connection that flows permit it, over either family.
//! Outside networks are ends of ways and never in their middle: who is on the internet already does
//! not come closer by it.

use crate::error::Error;
use crate::intent::Party;
use crate::policy::{Direction, Policy};
use crate::set::{Bits, Family, PerFamily, Region as _};
use crate::space::Class;

/// How far hosts are from each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// Ordered pairs of hosts with a connection from one to the other.
    pub direct: u64,
    /// Ordered pairs of hosts with any way from one to the other.
    pub reached: u64,
    /// Each host, in the order of [`Policy::hosts`].
    pub targets: Vec<Reach>,
}

/// Who reaches a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The host.
    pub target: String,
    /// How many hosts need one connection at least, how many two, and so on.
    pub by_hops: Vec<u64>,
}

/// A shortest way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// Hosts from the beginning to the end, which may both be outside networks.
    pub stones: Vec<String>,
    /// A flow for each step.
    pub flows: Vec<String>,
}

impl Path {
    /// How many connections it takes.
    #[must_use]
    pub const fn hops(&self) -> usize {
        self.flows.len()
    }
}

/// Hosts and outside classes of both families under one numbering.
pub(super) struct Graph<'a> {
    policy: &'a Policy,
    /// By target: who may open a connection to it.
    incoming: Vec<Bits>,
    hosts: usize,
    outside_4: usize,
}

/// Who reaches a target: by level, those that need so many connections at least.
pub(super) struct Levels(Vec<Bits>);

impl<'a> Graph<'a> {
    pub(super) fn of(policy: &'a Policy) -> Self {
        let hosts = policy.hosts.len();
        let outside_4 = policy.spaces.v4.classes().saturating_sub(hosts);
        let outside_6 = policy.spaces.v6.classes().saturating_sub(hosts);
        let nodes = hosts + outside_4 + outside_6;
        let mut graph = Self {
            policy,
            incoming: vec![Bits::new(nodes); nodes],
            hosts,
            outside_4,
        };
        for family in Family::BOTH {
            // Each side once, in the numbering of nodes.
            let sides: Vec<Bits> = policy
                .sides
                .iter()
                .map(|side| graph.nodes(family, side.classes.at(family), nodes))
                .collect();
            for target in 0..policy.spaces.at(family).classes() {
                for grant in policy.grants_at(family, Direction::In, target) {
                    let node = graph.node(family, target);
                    if let (Some(from), Some(slot), false) = (
                        sides.get(grant.from),
                        graph.incoming.get_mut(node),
                        grant.ports.at(family).is_empty(),
                    ) {
                        slot.add_all(from);
                    }
                }
            }
        }
        for node in 0..nodes {
            if let Some(slot) = graph.incoming.get_mut(node) {
                slot.remove(node);
                if node >= hosts {
                    for outside in hosts..nodes {
                        slot.remove(outside);
                    }
                }
            }
        }
        graph
    }

    fn node(&self, family: Family, class: Class) -> usize {
        match family {
            Family::V6 if class >= self.hosts => class + self.outside_4,
            _ => class,
        }
    }

    fn nodes(&self, family: Family, classes: &Bits, nodes: usize) -> Bits {
        let mut made = Bits::new(nodes);
        for class in classes.iter() {
            made.insert(self.node(family, class));
        }
        made
    }

    /// The nodes of classes of both families.
    pub(super) fn all_nodes(&self, classes: &PerFamily<Bits>) -> Bits {
        let mut all = Bits::new(self.incoming.len());
        for family in Family::BOTH {
            all.add_all(&self.nodes(family, classes.at(family), self.incoming.len()));
        }
        all
    }

    /// Who reaches a target with at most so many connections.
    pub(super) fn levels(&self, target: usize, hops_max: Option<u32>) -> Levels {
        let mut seen = Bits::new(self.incoming.len());
        seen.insert(target);
        let mut levels = Vec::new();
        let mut frontier = seen.clone();
        while hops_max.is_none_or(|most| levels.len() < most as usize) {
            let mut next = Bits::new(self.incoming.len());
            for stone in frontier.iter() {
                // Outside is never in the middle of a way.
                if (stone < self.hosts || stone == target)
                    && let Some(before) = self.incoming.get(stone)
                {
                    next.add_all(before);
                }
            }
            next.remove_all(&seen);
            if next.is_empty() {
                break;
            }
            seen.add_all(&next);
            levels.push(next.clone());
            frontier = next;
        }
        Levels(levels)
    }

    /// A shortest way from a node to a target whose levels these are.
    pub(super) fn path(&self, levels: &Levels, from: usize, target: usize) -> Option<Path> {
        let level = levels.0.iter().position(|level| level.contains(from))?;
        let mut path = Path {
            stones: vec![self.name(from)],
            flows: Vec::new(),
        };
        let mut at = from;
        for level in (0..=level).rev() {
            let leads = |next: &usize| {
                (*next < self.hosts || *next == target)
                    && self
                        .incoming
                        .get(*next)
                        .is_some_and(|before| before.contains(at))
            };
            let next = match level.checked_sub(1).and_then(|nearer| levels.0.get(nearer)) {
                Some(nearer) => nearer.iter().find(leads)?,
                None => target,
            };
            path.flows.push(self.flow(at, next)?);
            path.stones.push(self.name(next));
            at = next;
        }
        Some(path)
    }

    /// The family and class of a node; a host has one in each.
    fn classes(&self, node: usize) -> impl Iterator<Item = (Family, Class)> + use<> {
        let (hosts, outside_4) = (self.hosts, self.outside_4);
        Family::BOTH
            .into_iter()
            .filter_map(move |family| match family {
                _ if node < hosts => Some((family, node)),
                Family::V4 => (node < hosts + outside_4).then_some((family, node)),
                Family::V6 => (node >= hosts + outside_4).then_some((family, node - outside_4)),
            })
    }

    fn name(&self, node: usize) -> String {
        let first = self.classes(node).next();
        first.map_or_else(String::new, |(family, class)| {
            self.policy.class_name(family, class)
        })
    }

    /// A flow between two nodes, the first by name.
    fn flow(&self, from: usize, to: usize) -> Option<String> {
        let mut flows = Vec::new();
        for (family, class) in self.classes(from) {
            let target = self.classes(to).find(|(other, _)| *other == family);
            let Some((_, target)) = target else {
                continue;
            };
            for grant in self.policy.grants_at(family, Direction::Out, class) {
                let to = self.policy.sides.get(grant.to);
                if to.is_some_and(|to| to.classes.at(family).contains(target))
                    && !grant.ports.at(family).is_empty()
                {
                    flows.push(&grant.flow);
                }
            }
        }
        flows.into_iter().min().cloned()
    }
}

impl Levels {
    /// Everybody who reaches the target.
    pub(super) fn all(&self, nodes: &Bits) -> Bits {
        let mut all = Bits::default();
        for level in &self.0 {
            let mut some = level.clone();
            some.keep_common(nodes);
            if all == Bits::default() {
                all = some;
            } else {
                all.add_all(&some);
            }
        }
        all
    }
}

impl Policy {
    /// How far all hosts are from each other.
    #[must_use]
    pub fn closure(&self) -> Closure {
        let graph = Graph::of(self);
        let mut hosts = Bits::new(graph.incoming.len());
        for host in 0..self.hosts.len() {
            hosts.insert(host);
        }
        let mut closure = Closure {
            direct: 0,
            reached: 0,
            targets: Vec::with_capacity(self.hosts.len()),
        };
        for (target, host) in self.hosts.iter().enumerate() {
            let Levels(levels) = graph.levels(target, None);
            let by_hops: Vec<u64> = levels
                .into_iter()
                .map(|mut level| {
                    level.keep_common(&hosts);
                    level.count()
                })
                .filter(|count| *count > 0)
                .collect();
            closure.direct += by_hops.first().copied().unwrap_or(0);
            closure.reached += by_hops.iter().sum::<u64>();
            closure.targets.push(Reach {
                target: host.name.clone(),
                by_hops,
            });
        }
        closure
    }

    /// A shortest way to each host or network of a party, a crown jewel say, from everybody who has
    /// one of at most `hops_max` connections; in the order of targets and of how far.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is no such party.
    pub fn paths_to(&self, target: &Party, hops_max: Option<u32>) -> Result<Vec<Path>, Error> {
        let members = self.members(target)?;
        let classes = PerFamily::of(|family| members.classes(self.spaces.at(family)));
        let graph = Graph::of(self);
        let mut paths = Vec::new();
        for target in graph.all_nodes(&classes).iter() {
            let levels = graph.levels(target, hops_max);
            let from = levels.0.iter().flat_map(Bits::iter);
            paths.extend(from.filter_map(|from| graph.path(&levels, from, target)));
        }
        Ok(paths)
    }
}
