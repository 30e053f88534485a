//! How long things took, counted in classes that grow with what they hold: the same few hundred for
//! a microsecond and for a minute, so that any quantile can be said within a known error.
//!
//! Classes are log-linear: each power of two is divided into [`PARTS`] of the same width. Up to
//! `2 × PARTS` microseconds a class is one microsecond; beyond, it is as wide as at most one
//! [`PARTS`]th of what it begins with. A quantile is said as the middle of its class, and so lies at
//! most half of that, [`ERROR_PERCENT_MAX`], beside the true one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Classes of one power of two.
pub const PARTS: u64 = 1 << PART_BITS;
const PART_BITS: u32 = 4;
/// What takes longer than two to the power of so many microseconds (134 s) counts in the last class.
const TOP_BITS: u32 = 27;
/// LIMIT: classes there are.
pub const CLASSES: usize = (1 << PART_BITS) * (1 + (TOP_BITS - PART_BITS) as usize);
/// By so much a quantile may be said wrong, below 134 s.
pub const ERROR_PERCENT_MAX: f64 = 100.0 / (2.0 * PARTS as f64);

/// The class of what took so many microseconds; always below [`CLASSES`].
#[must_use]
pub const fn class_of(us: u64) -> usize {
    let longest = (1 << TOP_BITS) - 1;
    let us = if us > longest { longest } else { us };
    if us < PARTS {
        return narrow(us);
    }
    let shift = us.ilog2() - PART_BITS;
    narrow(((shift as u64) << PART_BITS) + (us >> shift))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what has a class is below 2^9"
)]
const fn narrow(class: u64) -> usize {
    class as usize
}

/// Where a class begins, and how many microseconds it is wide.
const fn extent(class: u16) -> (u64, u64) {
    let class = class as u64;
    if class < PARTS {
        return (class, 1);
    }
    let shift = (class >> PART_BITS) - 1;
    ((PARTS + (class & (PARTS - 1))) << shift, 1 << shift)
}

/// Half microseconds count, so that the middle is the middle.
const fn middle_nanos(class: u16) -> u64 {
    let (begin, width) = extent(class);
    begin * 1000 + (width - 1) * 500
}

/// How often each class was met: only those that were, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u16, u64)>")]
pub struct Latency(Vec<(u16, u64)>);

impl From<Vec<(u16, u64)>> for Latency {
    /// What names a class there is none of counts nowhere.
    fn from(counts: Vec<(u16, u64)>) -> Self {
        let mut latency = Self::default();
        latency.combine(&counts, u64::saturating_add);
        latency
    }
}

impl Latency {
    /// From counts by class, of which the first is class 0.
    pub fn from_counts(counts: impl IntoIterator<Item = u64>) -> Self {
        let met = (0_u16..).zip(counts).take(CLASSES);
        Self(met.filter(|(_, count)| *count > 0).collect())
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0
            .iter()
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts one.
    pub fn add_one(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = u16::try_from(class_of(us)).unwrap_or(u16::MAX);
        self.combine(&[(class, 1)], u64::saturating_add);
    }

    /// Adds what another counted.
    pub fn add(&mut self, other: &Self) {
        self.combine(&other.0, u64::saturating_add);
    }

    /// What was counted since `before`, of the same counter. Counters that went back began anew.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut grown = self.clone();
        let is_older = |(class, count): &(u16, u64)| *count > self.of(*class);
        if !before.0.iter().any(is_older) {
            grown.combine(&before.0, u64::saturating_sub);
            grown.0.retain(|(_, count)| *count > 0);
        }
        grown
    }

    /// Within this time so many of ten thousand came: `9_900` is the 99th percentile. The nearest
    /// rank, said as the middle of its class; zero when nothing was counted.
    #[must_use]
    pub fn quantile(&self, of_ten_thousand: u64) -> Duration {
        let all = u128::from(self.count());
        let rank = (all * u128::from(of_ten_thousand.min(10_000)))
            .div_ceil(10_000)
            .max(1);
        let mut below = 0_u128;
        for (class, count) in &self.0 {
            below += u128::from(*count);
            if below >= rank {
                return Duration::from_nanos(middle_nanos(*class));
            }
        }
        Duration::ZERO
    }

    /// How long all of it took together, within [`ERROR_PERCENT_MAX`].
    #[must_use]
    pub fn total(&self) -> Duration {
        self.0.iter().fold(Duration::ZERO, |sum, (class, count)| {
            let nanos = u128::from(middle_nanos(*class)) * u128::from(*count);
            sum.saturating_add(Duration::from_nanos(
                u64::try_from(nanos).unwrap_or(u64::MAX),
            ))
        })
    }

    /// What came, within which time: where each class ends in microseconds, and its count.
    pub fn classes(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|(class, count)| {
            let (begin, width) = extent(*class);
            (begin + width, *count)
        })
    }

    fn of(&self, class: u16) -> u64 {
        let found = self.0.binary_search_by_key(&class, |(class, _)| *class);
        found
            .ok()
            .and_then(|at| self.0.get(at))
            .map_or(0, |(_, count)| *count)
    }

    fn combine(&mut self, other: &[(u16, u64)], with: fn(u64, u64) -> u64) {
        for (class, count) in other {
            if usize::from(*class) >= CLASSES {
                continue;
            }
            match self.0.binary_search_by_key(class, |(class, _)| *class) {
                Ok(at) => {
                    if let Some((_, own)) = self.0.get_mut(at) {
                        *own = with(*own, *count);
                    }
                }
                Err(at) => self.0.insert(at, (*class, with(0, *count))),
            }
        }
    }
}

#[cfg(test)]
mod tests;
