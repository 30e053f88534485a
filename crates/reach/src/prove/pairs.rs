//! All ordered pairs: what one host's output and another's input let through together, against
//! what flows say of the two.

use super::{Prover, exact};
use crate::policy::Direction;
use crate::set::{Bits, Family, PerFamily, PortId, PortTable};
use crate::space::Class;

/// Which hosts exchange packets, over each family.
pub(super) type Links = PerFamily<Vec<Bits>>;

impl<'a> Prover<'a> {
    /// Each side of each host by itself, for [`Policy::drift`](crate::Policy::drift).
    pub(super) fn sides(&mut self) {
        for family in Family::BOTH {
            let mut row = Vec::new();
            for host in 0..self.policy.hosts.len() {
                for direction in Direction::BOTH {
                    if self.rules.get(host).is_some_and(Option::is_some) {
                        self.side(host, direction, family, &mut row);
                    }
                }
            }
        }
    }

    /// All pairs. Says which hosts the policy lets exchange packets.
    pub(super) fn pairs(&mut self) -> Links {
        PerFamily::of(|family| self.family(family))
    }

    fn family(&mut self, family: Family) -> Vec<Bits> {
        let count = self.policy.hosts.len();
        // What each host takes from each other, by receiver.
        let mut taken: Vec<Vec<PortId>> = Vec::with_capacity(count);
        let mut row = Vec::new();
        for host in 0..count {
            self.side(host, Direction::In, family, &mut row);
            row.truncate(count);
            taken.push(row.clone());
        }
        let mut links = vec![Bits::new(count); count];
        let mut meant = Vec::new();
        for source in 0..count {
            self.side(source, Direction::Out, family, &mut row);
            if !self.policy.spaces.at(family).has(source) {
                continue;
            }
            self.policy.row(
                family,
                Direction::Out,
                source,
                &mut self.store.ports,
                &mut meant,
            );
            for (target, ((sent, meant), taken)) in row.iter().zip(&meant).zip(&taken).enumerate() {
                if target == source || !self.policy.spaces.at(family).has(target) {
                    continue;
                }
                let taken = taken.get(source).copied().unwrap_or(PortTable::EMPTY);
                if self.store.ports.intersection(*sent, taken) == *meant {
                    self.proof.pairs += 1;
                } else {
                    self.proof.pairs_differing += 1;
                }
                if *meant != PortTable::EMPTY {
                    for (a, b) in [(source, target), (target, source)] {
                        if let Some(bits) = links.get_mut(a) {
                            bits.insert(b);
                        }
                    }
                }
            }
        }
        links
    }

    /// What one side of a host lets through, by class. Differences to the policy are named.
    fn side(&mut self, host: Class, direction: Direction, family: Family, row: &mut Vec<PortId>) {
        let space = self.policy.spaces.at(family);
        row.clear();
        row.resize(space.classes(), PortTable::EMPTY);
        let Some(Some(rules)) = self.rules.get(host) else {
            return;
        };
        let mut is_whole = true;
        for rule in rules.rules(direction, family) {
            let Some(known) = self.store.sets.get(rule.set) else {
                continue;
            };
            is_whole &= known.covered.is_whole;
            for class in &known.covered.classes {
                if let Some(cell) = row.get_mut(*class) {
                    *cell = self.store.ports.union(*cell, rule.ports);
                }
            }
        }
        if let Some(own) = row.get_mut(host) {
            *own = PortTable::EMPTY;
        }
        let mut meant = Vec::new();
        self.policy
            .row(family, direction, host, &mut self.store.ports, &mut meant);
        if is_whole && *row == meant {
            self.proof.outside += u64::from(space.has(host));
            return;
        }
        let found = self.proof.differences.len();
        self.name_differences(host, direction, family);
        if is_whole || self.proof.differences.len() > found || self.proof.left_out > 0 {
            self.clip(host, direction, family, row);
        } else {
            // Sets that cut through a class add up to whole ones.
            *row = meant;
            self.proof.outside += u64::from(space.has(host));
        }
    }

    /// A class of which only a part is let through is not let through: its pairs differ.
    fn clip(&mut self, host: Class, direction: Direction, family: Family, row: &mut [PortId]) {
        let Some(Some(rules)) = self.rules.get(host) else {
            return;
        };
        let written = exact::written(&self.store, rules, direction, family);
        let mut common: Vec<Option<PortId>> = vec![None; row.len()];
        let mut differing = Vec::new();
        for (low, high, class) in self.policy.spaces.at(family).pieces() {
            let at = written.at(low).cloned().unwrap_or_default();
            let id = self.store.ports.id(at);
            match common.get_mut(class) {
                Some(slot @ None) => *slot = Some(id),
                Some(Some(other)) if *other != id => differing.push(class),
                _ => {}
            }
            let _ = high;
        }
        for (class, cell) in row.iter_mut().enumerate() {
            *cell = common
                .get(class)
                .copied()
                .flatten()
                .unwrap_or(PortTable::EMPTY);
            if class == host || differing.contains(&class) {
                *cell = PortTable::EMPTY;
            }
        }
    }
}
