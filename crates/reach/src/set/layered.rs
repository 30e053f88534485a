//! Sets with one more dimension: which region belongs to which address, again in one form only.

use std::fmt;

use super::intervals::{Intervals, Point};

/// A set of anything, closed under the usual operations, with one form for each set.
pub trait Region: Clone + Default + PartialEq + Eq + fmt::Debug {
    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool;
    /// What is in one of both.
    #[must_use]
    fn union(&self, other: &Self) -> Self;
    /// What is in both.
    #[must_use]
    fn intersection(&self, other: &Self) -> Self;
    /// What is in this one only.
    #[must_use]
    fn difference(&self, other: &Self) -> Self;
    /// Whether all of it is in `other`.
    fn is_subset(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }
}

impl<P: Point + Default> Region for Intervals<P> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
    fn union(&self, other: &Self) -> Self {
        self.union(other)
    }
    fn intersection(&self, other: &Self) -> Self {
        self.intersection(other)
    }
    fn difference(&self, other: &Self) -> Self {
        self.difference(other)
    }
}

/// A set of up to 64 things.
impl Region for u64 {
    fn is_empty(&self) -> bool {
        *self == 0
    }
    fn union(&self, other: &Self) -> Self {
        self | other
    }
    fn intersection(&self, other: &Self) -> Self {
        self & other
    }
    fn difference(&self, other: &Self) -> Self {
        self & !other
    }
}

/// Addresses, each with a region that is not empty; neighbours with the same region are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layered<V>(Vec<(u128, u128, V)>);

impl<V: Region> Layered<V> {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Every address of `addresses` with the same region.
    #[must_use]
    pub fn product(addresses: &Intervals<u128>, region: &V) -> Self {
        if region.is_empty() {
            return Self::new();
        }
        let pieces = addresses.iter();
        Self(
            pieces
                .map(|(low, high)| (low, high, region.clone()))
                .collect(),
        )
    }

    /// The pieces, least address first: both ends, and the region.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u128, u128, &V)> + '_ {
        self.0
            .iter()
            .map(|(low, high, region)| (*low, *high, region))
    }

    /// The region at an address.
    #[must_use]
    pub fn at(&self, address: u128) -> Option<&V> {
        let at = self.0.partition_point(|(_, high, _)| *high < address);
        let piece = self.0.get(at).filter(|(low, _, _)| *low <= address)?;
        Some(&piece.2)
    }

    /// The addresses that have a region.
    #[must_use]
    pub fn addresses(&self) -> Intervals<u128> {
        Intervals::from_ranges(self.0.iter().map(|(low, high, _)| (*low, *high)))
    }

    fn combine(&self, other: &Self, apply: impl Fn(&V, &V) -> V) -> Self {
        let none = V::default();
        let mut made: Vec<(u128, u128, V)> = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut left, mut right) = (Cursor::of(self), Cursor::of(other));
        let mut from = Some(0);
        while let Some(start) = from {
            let (a, a_end) = left.at(start);
            let (b, b_end) = right.at(start);
            let end = a_end.min(b_end);
            if a.is_some() || b.is_some() {
                push(
                    &mut made,
                    start,
                    end,
                    apply(a.unwrap_or(&none), b.unwrap_or(&none)),
                );
            }
            from = end.checked_add(1);
        }
        Self(made)
    }
}

/// Appends a piece that begins after the last one ends.
fn push<V: Region>(made: &mut Vec<(u128, u128, V)>, low: u128, high: u128, region: V) {
    if region.is_empty() {
        return;
    }
    match made.last_mut() {
        Some(last) if last.1.checked_add(1) == Some(low) && last.2 == region => last.1 = high,
        _ => made.push((low, high, region)),
    }
}

/// A place in the pieces that only goes forward.
struct Cursor<'a, V> {
    rest: std::iter::Peekable<std::slice::Iter<'a, (u128, u128, V)>>,
}

impl<'a, V> Cursor<'a, V> {
    fn of(layered: &'a Layered<V>) -> Self {
        Self {
            rest: layered.0.iter().peekable(),
        }
    }

    /// The region at `start`, and the last address up to which it is the same piece or gap.
    fn at(&mut self, start: u128) -> (Option<&'a V>, u128) {
        while self.rest.next_if(|(_, high, _)| *high < start).is_some() {}
        match self.rest.peek() {
            Some((low, high, region)) if *low <= start => (Some(region), *high),
            // A piece that begins above an address begins above zero.
            Some((low, _, _)) => (None, low.saturating_sub(1)),
            None => (None, u128::MAX),
        }
    }
}

impl<V: Region> Region for Layered<V> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    fn union(&self, other: &Self) -> Self {
        self.combine(other, V::union)
    }
    fn intersection(&self, other: &Self) -> Self {
        self.combine(other, V::intersection)
    }
    fn difference(&self, other: &Self) -> Self {
        self.combine(other, V::difference)
    }
}
