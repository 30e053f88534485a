//! Sets of numbers as intervals, in one form only: sorted, apart, and never touching, so that
//! equal sets are equal values.

use std::fmt;

/// A number that has neighbours.
pub trait Point: Copy + Ord + fmt::Debug {
    /// The least.
    const LEAST: Self;
    /// The greatest.
    const GREATEST: Self;
    /// The next one, or `None` after the greatest.
    fn after(self) -> Option<Self>;
    /// The one before, or `None` before the least.
    fn before(self) -> Option<Self>;
}

macro_rules! points {
    ($($number:ty),*) => {$(
        impl Point for $number {
            const LEAST: Self = Self::MIN;
            const GREATEST: Self = Self::MAX;
            fn after(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn before(self) -> Option<Self> {
                self.checked_sub(1)
            }
        }
    )*};
}

points!(u8, u32, u128);

/// A set of numbers. Both ends of an interval belong to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Intervals<P>(Vec<(P, P)>);

impl<P: Point> Intervals<P> {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Everything from `low` to `high`, both included; empty when `low` is above `high`.
    #[must_use]
    pub fn range(low: P, high: P) -> Self {
        Self::from_ranges([(low, high)])
    }

    /// The union of ranges in any order, both ends included; a range whose first end is above its
    /// second is empty.
    #[must_use]
    pub fn from_ranges(ranges: impl IntoIterator<Item = (P, P)>) -> Self {
        let mut all: Vec<(P, P)> = ranges
            .into_iter()
            .filter(|(low, high)| low <= high)
            .collect();
        all.sort_unstable();
        let mut made = Self(Vec::with_capacity(all.len()));
        for range in all {
            made.append(range);
        }
        made
    }

    /// Adds a range that begins at or after where the last one begins.
    fn append(&mut self, (low, high): (P, P)) {
        match self.0.last_mut() {
            Some(last) if last.1.after().is_none_or(|next| low <= next) => {
                last.1 = last.1.max(high);
            }
            _ => self.0.push((low, high)),
        }
    }

    /// The intervals, least first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (P, P)> + '_ {
        self.0.iter().copied()
    }

    /// How many intervals there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The least number in it.
    #[must_use]
    pub fn first(&self) -> Option<P> {
        self.0.first().map(|(low, _)| *low)
    }

    /// Whether `point` is in it.
    #[must_use]
    pub fn contains(&self, point: P) -> bool {
        let at = self.0.partition_point(|(_, high)| *high < point);
        self.0.get(at).is_some_and(|(low, _)| *low <= point)
    }

    /// What is in one of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut made = Self(Vec::with_capacity(self.0.len() + other.0.len()));
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let Some(next) = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if a <= b => left.next(),
            (_, Some(_)) => right.next(),
            (_, None) => left.next(),
        } {
            made.append(*next);
        }
        made
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut made = Vec::new();
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let (low, high) = (a.0.max(b.0), a.1.min(b.1));
            if low <= high {
                made.push((low, high));
            }
            if a.1 < b.1 {
                left.next();
            } else {
                right.next();
            }
        }
        // INVARIANT: what is apart and never touching stays so when parts are taken away.
        Self(made)
    }

    /// Everything that is not in it.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut made = Vec::with_capacity(self.0.len() + 1);
        let mut from = Some(P::LEAST);
        for (low, high) in &self.0 {
            if let (Some(start), Some(end)) = (from, low.before())
                && start <= end
            {
                made.push((start, end));
            }
            from = high.after();
        }
        if let Some(start) = from {
            made.push((start, P::GREATEST));
        }
        Self(made)
    }

    /// What is in this one only.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        self.intersection(&other.complement())
    }

    /// Whether all of it is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }
}
