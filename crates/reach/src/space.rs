//! All addresses of a family, cut where the policy makes a difference: each piece belongs to a
//! host, to a class of outside networks, or to nobody.

use crate::set::{Bits, Intervals, Layered};

/// The number of a class of addresses that the policy treats alike: a host, or, from the number of
/// hosts on, the addresses that lie in the same outside networks.
pub(crate) type Class = usize;

#[derive(Clone, Copy, Debug)]
struct Piece {
    low: u128,
    high: u128,
    class: Class,
}

/// The pieces of one family.
#[derive(Clone, Debug, Default)]
pub(crate) struct Space {
    /// Sorted, apart; gaps belong to nobody.
    pieces: Vec<Piece>,
    /// How many pieces each class has.
    counts: Vec<u32>,
    /// Outside networks of each class after the hosts, a bit for each.
    signatures: Vec<u64>,
    hosts: usize,
}

/// Which classes a set of addresses has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Covered {
    /// Those it has an address of, in no order.
    pub(crate) classes: Vec<Class>,
    /// Whether it has all addresses of each, and no others.
    pub(crate) is_whole: bool,
}

impl Space {
    /// Cuts the addresses. `hosts` are the addresses of each host, all different; `outside` says
    /// which addresses lie in which outside networks, and has none of a host.
    pub(crate) fn new(hosts: &[Vec<u128>], outside: &Layered<u64>) -> Self {
        let mut signatures: Vec<u64> = outside.iter().map(|(_, _, networks)| *networks).collect();
        signatures.sort_unstable();
        signatures.dedup();
        let mut pieces = Vec::new();
        for (class, addresses) in hosts.iter().enumerate() {
            pieces.extend(addresses.iter().map(|address| Piece {
                low: *address,
                high: *address,
                class,
            }));
        }
        for (low, high, networks) in outside.iter() {
            let at = signatures.partition_point(|signature| signature < networks);
            let class = hosts.len() + at;
            pieces.push(Piece { low, high, class });
        }
        pieces.sort_unstable_by_key(|piece| piece.low);
        let mut counts = vec![0; hosts.len() + signatures.len()];
        for piece in &pieces {
            if let Some(count) = counts.get_mut(piece.class) {
                *count += 1;
            }
        }
        Self {
            pieces,
            counts,
            signatures,
            hosts: hosts.len(),
        }
    }

    /// How many classes there are, hosts without an address in this family included.
    pub(crate) const fn classes(&self) -> usize {
        self.counts.len()
    }

    /// Whether a class has an address in this family.
    pub(crate) fn has(&self, class: Class) -> bool {
        self.counts.get(class).is_some_and(|count| *count > 0)
    }

    /// The outside networks of a class; none of a host.
    pub(crate) fn networks(&self, class: Class) -> u64 {
        let at = class.checked_sub(self.hosts);
        at.and_then(|at| self.signatures.get(at))
            .copied()
            .unwrap_or(0)
    }

    /// The classes that lie in one of these networks.
    pub(crate) fn within(&self, networks: u64) -> impl Iterator<Item = Class> + '_ {
        self.signatures
            .iter()
            .enumerate()
            .filter_map(move |(at, one)| (one & networks != 0).then_some(self.hosts + at))
    }

    /// The class of an address, or `None` when it is nobody's.
    pub(crate) fn class_of(&self, address: u128) -> Option<Class> {
        let at = self.pieces.partition_point(|piece| piece.high < address);
        let piece = self.pieces.get(at).filter(|piece| piece.low <= address)?;
        Some(piece.class)
    }

    /// The pieces: both ends and the class.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (u128, u128, Class)> + '_ {
        self.pieces
            .iter()
            .map(|piece| (piece.low, piece.high, piece.class))
    }

    /// The addresses of some classes.
    pub(crate) fn addresses(&self, classes: &Bits) -> Intervals<u128> {
        let chosen = self
            .pieces
            .iter()
            .filter(|piece| classes.contains(piece.class));
        Intervals::from_ranges(chosen.map(|piece| (piece.low, piece.high)))
    }

    /// The classes of a set of addresses.
    pub(crate) fn cover(&self, addresses: &Intervals<u128>) -> Covered {
        let mut classes = Vec::new();
        let mut is_whole = true;
        for (low, high) in addresses.iter() {
            let first = self.pieces.partition_point(|piece| piece.high < low);
            // The next address that no piece has accounted for; `None` after the last of all.
            let mut next = Some(low);
            for piece in self.pieces.get(first..).unwrap_or_default() {
                if piece.low > high {
                    break;
                }
                is_whole &= next == Some(piece.low) && piece.high <= high;
                classes.push(piece.class);
                next = piece.high.checked_add(1);
            }
            is_whole &= next == high.checked_add(1);
        }
        classes.sort_unstable();
        let count = |class: Class| self.counts.get(class).copied().unwrap_or(0) as usize;
        is_whole &= classes
            .chunk_by(|a, b| a == b)
            .all(|run| run.first().is_some_and(|class| count(*class) == run.len()));
        classes.dedup();
        Covered { classes, is_whole }
    }
}
