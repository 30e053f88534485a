//! How often something may happen, per key: the generic cell rate algorithm (GCRA, ITU-T I.371).
//!
//! One number per key: the theoretical arrival time of the next conforming request. Bounded:
//! when too many keys are tracked, those that are not limited by anything any more go first, and
//! when that is not enough the oldest half of a shard goes.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ahash::{AHashMap, RandomState};
use model::Rate;

/// Shards: workers rarely meet in one.
const SHARDS: usize = 64;

/// Whether one more is allowed, and what to tell the client (`RateLimit` fields).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is.
    pub allowed: bool,
    /// How many of cost one would still be allowed right now.
    pub remaining: u32,
    /// After how long the whole burst is there again.
    pub reset: Duration,
    /// After how long the same would be allowed; zero when it was.
    pub retry_after: Duration,
}

/// Limits for many keys at once. Times come from the caller, so nothing here reads a clock.
#[derive(Debug)]
pub struct RateLimiter<K> {
    shards: Box<[Mutex<AHashMap<K, u64>>]>,
    hasher: RandomState,
    keys_per_shard_max: usize,
}

impl<K: Hash + Eq> RateLimiter<K> {
    /// A limiter that tracks at most `keys_max` keys.
    #[must_use]
    pub fn new(keys_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(AHashMap::new())).collect(),
            hasher: RandomState::new(),
            keys_per_shard_max: keys_max.div_ceil(SHARDS).max(1),
        }
    }

    /// Counts one more for `key` under `rate`, at `now` of a clock that never goes back
    /// (`model::Clock::monotonic`). A refused one costs nothing.
    ///
    /// One key must always be asked with the same rate.
    pub fn check(&self, key: K, rate: Rate, now: Duration) -> Decision {
        self.take(key, rate, 1, now)
    }

    /// Counts `cost` at once: all of it, or nothing. More than the rate's count is never allowed.
    pub fn take(&self, key: K, rate: Rate, cost: u32, now: Duration) -> Decision {
        let cell = Cell::new(rate);
        let now_ns = nanos(now);
        let Some(shard) = self.shard(&key) else {
            return Decision {
                allowed: false,
                remaining: 0,
                reset: Duration::ZERO,
                retry_after: Duration::from_nanos(cell.interval_ns),
            };
        };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(due) = shard.get_mut(&key) {
            let (decision, next) = cell.decide(*due, cost, now_ns);
            *due = next;
            return decision;
        }
        if shard.len() >= self.keys_per_shard_max {
            make_room(&mut shard, now_ns, self.keys_per_shard_max);
        }
        let (decision, next) = cell.decide(0, cost, now_ns);
        shard.insert(key, next);
        decision
    }

    /// What [`RateLimiter::take`] would say; counts nothing.
    pub fn look(&self, key: &K, rate: Rate, cost: u32, now: Duration) -> Decision {
        let due = self.shard(key).and_then(|shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.get(key).copied()
        });
        let (cell, due, now_ns) = (Cell::new(rate), due.unwrap_or(0), nanos(now));
        let (decision, _) = cell.decide(due, cost, now_ns);
        let (remaining, reset) = cell.left(due, now_ns);
        Decision {
            remaining,
            reset,
            ..decision
        }
    }

    /// Takes back what [`RateLimiter::take`] counted: it was for nothing, because something else
    /// refused.
    pub fn give_back(&self, key: &K, rate: Rate, cost: u32) {
        let Some(shard) = self.shard(key) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(due) = shard.get_mut(key) {
            *due = due.saturating_sub(Cell::new(rate).price(cost));
        }
    }

    /// Forgets keys that are back at their full burst.
    pub fn sweep(&self, now: Duration) {
        let now_ns = nanos(now);
        for shard in &self.shards {
            shard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .retain(|_, due| *due > now_ns);
        }
    }

    /// How many keys are tracked.
    #[must_use]
    pub fn len(&self) -> usize {
        let count = |shard: &Mutex<AHashMap<K, u64>>| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).len()
        };
        self.shards.iter().map(count).sum()
    }

    /// Whether no key is tracked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &K) -> Option<&Mutex<AHashMap<K, u64>>> {
        let hash = self.hasher.hash_one(key);
        let count = u64::try_from(self.shards.len()).unwrap_or(1).max(1);
        self.shards.get(usize::try_from(hash % count).unwrap_or(0))
    }
}

/// LIMIT: keys of one shard.
fn make_room<K: Hash + Eq>(shard: &mut AHashMap<K, u64>, now_ns: u64, max: usize) {
    shard.retain(|_, due| *due > now_ns);
    if shard.len() < max {
        return;
    }
    // SECURITY: whoever floods with fresh keys makes others' counts forgotten at worst; memory
    // stays bounded, and the limits that do not depend on a forgeable key still hold.
    let mut dues: Vec<u64> = shard.values().copied().collect();
    let middle = dues.len() / 2;
    let (_, median, _) = dues.select_nth_unstable(middle);
    let median = *median;
    shard.retain(|_, due| *due > median);
}

/// A rate as GCRA's two numbers.
#[derive(Clone, Copy, Debug)]
struct Cell {
    interval_ns: u64,
    burst_ns: u64,
}

impl Cell {
    fn new(rate: Rate) -> Self {
        let period_ns = rate.per_ms.saturating_mul(1_000_000);
        let interval_ns = period_ns
            .checked_div(u64::from(rate.count))
            .unwrap_or(u64::MAX)
            .max(1);
        Self {
            interval_ns,
            burst_ns: interval_ns.saturating_mul(u64::from(rate.count)),
        }
    }

    fn price(self, cost: u32) -> u64 {
        self.interval_ns.saturating_mul(u64::from(cost))
    }

    /// How many are left, and after how long all are there again.
    fn left(self, due_ns: u64, now_ns: u64) -> (u32, Duration) {
        let taken_ns = due_ns.saturating_sub(now_ns);
        let free_ns = self.burst_ns.saturating_sub(taken_ns);
        let left = free_ns.checked_div(self.interval_ns).unwrap_or(0);
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        (left, Duration::from_nanos(taken_ns))
    }

    /// The decision, and the next theoretical arrival time.
    fn decide(self, due_ns: u64, cost: u32, now_ns: u64) -> (Decision, u64) {
        let start = due_ns.max(now_ns);
        let next = start.saturating_add(self.price(cost));
        let allowed = next.saturating_sub(now_ns) <= self.burst_ns;
        let due = if allowed { next } else { due_ns };
        let (remaining, reset) = self.left(due, now_ns);
        let wait_ns = if allowed {
            0
        } else {
            next.saturating_sub(now_ns).saturating_sub(self.burst_ns)
        };
        let decision = Decision {
            allowed,
            remaining,
            reset,
            retry_after: Duration::from_nanos(wait_ns),
        };
        (decision, due)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
