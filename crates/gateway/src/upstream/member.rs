//! One address of a service: how it is, how much it has to do, what went wrong with it. Shared by
//! all workers; every value is swapped or counted, none is waited for.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::Timestamp;

use super::choose::mix;
use super::ticks::Now;

/// Where bytes go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// What one worker counts, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Shard(AtomicU64);

/// One counter for each worker, so that counting never waits for another.
#[derive(Debug)]
pub(super) struct Shards(Box<[Shard]>);

impl Shards {
    pub(super) fn new(workers: usize) -> Self {
        Self((0..workers.max(1)).map(|_| Shard::default()).collect())
    }

    fn of(&self, worker: usize) -> Option<&AtomicU64> {
        // A worker beyond them shares one: still counted, no longer apart.
        self.0
            .get(worker)
            .or_else(|| self.0.get(worker.checked_rem(self.0.len())?))
            .map(|shard| &shard.0)
    }

    pub(super) fn load(&self, worker: usize) -> u64 {
        self.of(worker)
            .map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(super) fn add(&self, worker: usize) {
        if let Some(count) = self.of(worker) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn take(&self, worker: usize) {
        if let Some(count) = self.of(worker) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, shard| {
            sum.wrapping_add(shard.0.load(Ordering::Relaxed))
        })
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) endpoint: Endpoint,
    /// The same for an address in every process: what is hashed to it stays there.
    pub(super) hash: u64,
    /// Requests under way, by worker.
    pub(super) under_way: Shards,
    /// The same over all workers; counted only where the estate limits it.
    pub(super) under_way_limited: AtomicU32,
    /// Open connections of all workers.
    pub(super) connections: AtomicU32,
    /// What went wrong, by kind.
    pub(super) failed: [AtomicU64; 4],
    /// How often it was passed over.
    pub(super) ejections: AtomicU64,
    /// How often it was asked whether it is well, and was not.
    pub(super) probes: AtomicU64,
    pub(super) probes_failed: AtomicU64,
    condition: Condition,
    told: Mutex<Told>,
}

/// What people are told of it. Locked where something went wrong or changed, never for a request
/// that is answered as usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Since when it stands as it does; nothing where it always did.
    pub(super) since: Option<Timestamp>,
    /// Why.
    pub(super) why: Option<String>,
    /// When an attempt failed last, and how.
    pub(super) last_failure: Option<(Timestamp, &'static str)>,
}

/// Times are ticks; 0 is never.
#[derive(Debug, Default)]
struct Condition {
    /// What probes say.
    unwell: AtomicBool,
    /// Whether a probe ever found it well.
    proven: AtomicBool,
    /// Probes in a row that say otherwise.
    streak: AtomicU32,
    /// Requests in a row that failed.
    failures: AtomicU32,
    ejected_until: AtomicU64,
    /// One request may see whether it works again, and is under way.
    on_trial: AtomicBool,
    /// How often it was passed over lately, and until when the last time.
    ejected_times: AtomicU32,
    last_out: AtomicU64,
    /// Since when it gets a growing share.
    rising_since: AtomicU64,
}

/// Whether an address gets a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Yes.
    Well,
    /// So many of 1024.
    Rising(u64),
    /// One, to see.
    Trial,
    /// Not while there is another.
    Out,
}

/// A share of all.
pub(super) const WHOLE: u64 = 1024;

/// How often an address is passed over doubles the time at most so often: beyond, the estate's
/// longest time holds anyway.
const DOUBLINGS_MAX: u32 = 20;

impl Member {
    pub(super) fn new(endpoint: Endpoint, workers: usize) -> Arc<Self> {
        Arc::new(Self {
            hash: hash_of(endpoint.to_string().as_bytes()),
            endpoint,
            under_way: Shards::new(workers),
            under_way_limited: AtomicU32::new(0),
            connections: AtomicU32::new(0),
            failed: Default::default(),
            ejections: AtomicU64::new(0),
            probes: AtomicU64::new(0),
            probes_failed: AtomicU64::new(0),
            condition: Condition::default(),
            told: Mutex::default(),
        })
    }

    /// What people are told of it.
    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests in a row that failed, while it is not passed over.
    pub(super) fn failing(&self) -> u32 {
        self.condition.failures.load(Ordering::Relaxed)
    }

    /// It stands otherwise from now on.
    pub(super) fn changed(&self, now: Timestamp, why: Option<String>) {
        let mut told = self.told();
        told.since = Some(now);
        told.why = why;
    }

    /// It came to others that were there before: it gets its share gradually, where the estate
    /// says so.
    pub(super) fn rise_from(&self, now: u64) {
        self.condition.rising_since.store(now, Ordering::Relaxed);
    }

    pub(super) fn is_unwell(&self) -> bool {
        self.condition.unwell.load(Ordering::Relaxed)
    }

    pub(super) fn is_ejected(&self, now: u64) -> bool {
        let until = self.condition.ejected_until.load(Ordering::Relaxed);
        until > now
    }

    /// Whether it gets a request. The clock is asked only where something is not as usual.
    pub(super) fn standing(&self, now: &Now<'_>, slow_start: Option<Duration>) -> Standing {
        let condition = &self.condition;
        if condition.unwell.load(Ordering::Relaxed) {
            return Standing::Out;
        }
        let ejected = condition.ejected_until.load(Ordering::Relaxed);
        if ejected != 0 {
            let over = ejected <= now.ticks();
            return if over { Standing::Trial } else { Standing::Out };
        }
        let since = condition.rising_since.load(Ordering::Relaxed);
        let (true, Some(slow_start)) = (since != 0, slow_start) else {
            return Standing::Well;
        };
        let whole = u64::try_from(slow_start.as_millis()).unwrap_or(u64::MAX);
        let gone = now.ticks().saturating_sub(since);
        if gone >= whole {
            condition.rising_since.store(0, Ordering::Relaxed);
            return Standing::Well;
        }
        // Never nothing: an address that gets no request shows nobody that it works.
        let share = gone.saturating_mul(WHOLE).checked_div(whole).unwrap_or(0);
        Standing::Rising(share.max(WHOLE / 50))
    }

    /// Takes the one trial of an address whose time is over; `false` when another request was
    /// faster. A trial nobody hears of is over after `patience`.
    pub(super) fn claim_trial(&self, now: u64, patience: u64) -> bool {
        let condition = &self.condition;
        let until = condition.ejected_until.load(Ordering::Relaxed);
        let next = now.saturating_add(patience.max(1));
        let order = Ordering::Relaxed;
        let is_over = until != 0 && until <= now;
        let claimed = is_over
            && condition
                .ejected_until
                .compare_exchange(until, next, order, order)
                .is_ok();
        if claimed {
            condition.on_trial.store(true, Ordering::Relaxed);
        }
        claimed
    }

    /// A request got a good answer; whether the address was passed over until now.
    pub(super) fn answered(&self, now: &Now<'_>) -> bool {
        let condition = &self.condition;
        // Reading costs nothing while nobody writes; a store would, for every request.
        if condition.failures.load(Ordering::Relaxed) != 0 {
            condition.failures.store(0, Ordering::Relaxed);
        }
        if condition.ejected_until.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let was = condition.ejected_until.swap(0, Ordering::Relaxed);
        condition.on_trial.store(false, Ordering::Relaxed);
        condition.rising_since.store(now.ticks(), Ordering::Relaxed);
        was != 0
    }

    /// One more request in a row failed; how many.
    pub(super) fn failed_again(&self) -> u32 {
        let before = self.condition.failures.fetch_add(1, Ordering::Relaxed);
        before.saturating_add(1)
    }

    /// Whether a failure is news: not while it is passed over already, but on trial.
    pub(super) fn may_be_ejected(&self, now: u64) -> bool {
        !self.is_ejected(now) || self.condition.on_trial.load(Ordering::Relaxed)
    }

    pub(super) fn is_on_trial(&self) -> bool {
        self.condition.on_trial.load(Ordering::Relaxed)
    }

    /// Passes it over; for how long. Called by one at a time.
    pub(super) fn eject(&self, now: u64, base: Duration, max: Duration) -> Duration {
        let condition = &self.condition;
        let before = condition.last_out.load(Ordering::Relaxed);
        let max_ms = u64::try_from(max.as_millis()).unwrap_or(u64::MAX);
        // An address that kept well for as long as the longest time begins anew.
        let times = match now.saturating_sub(before) > max_ms {
            true => 0,
            false => condition.ejected_times.load(Ordering::Relaxed),
        };
        let factor = 1_u32
            .checked_shl(times.min(DOUBLINGS_MAX))
            .unwrap_or(u32::MAX);
        let long = base.saturating_mul(factor).min(max);
        let long_ms = u64::try_from(long.as_millis()).unwrap_or(u64::MAX).max(1);
        condition
            .ejected_times
            .store(times.saturating_add(1), Ordering::Relaxed);
        let until = now.saturating_add(long_ms);
        condition.ejected_until.store(until, Ordering::Relaxed);
        condition.last_out.store(until, Ordering::Relaxed);
        condition.on_trial.store(false, Ordering::Relaxed);
        condition.failures.store(0, Ordering::Relaxed);
        self.ejections.fetch_add(1, Ordering::Relaxed);
        long
    }

    /// A probe's word; `Some` when it changes how the address stands.
    pub(super) fn probed(&self, is_well: bool, limits: (u32, u32), now: u64) -> Option<bool> {
        let (rise, fall) = limits;
        let condition = &self.condition;
        let unwell = condition.unwell.load(Ordering::Relaxed);
        if is_well != unwell {
            condition.streak.store(0, Ordering::Relaxed);
            if is_well {
                condition.proven.store(true, Ordering::Relaxed);
            }
            return None;
        }
        let before = condition.streak.fetch_add(1, Ordering::Relaxed);
        let streak = before.saturating_add(1);
        let needed = match (is_well, condition.proven.load(Ordering::Relaxed)) {
            (true, _) => rise,
            (false, true) => fall,
            // Nobody has seen it well yet.
            (false, false) => 1,
        };
        if streak < needed {
            return None;
        }
        condition.streak.store(0, Ordering::Relaxed);
        if is_well {
            condition.proven.store(true, Ordering::Relaxed);
            condition.ejected_until.store(0, Ordering::Relaxed);
            condition.on_trial.store(false, Ordering::Relaxed);
            condition.failures.store(0, Ordering::Relaxed);
            condition.rising_since.store(now, Ordering::Relaxed);
        }
        condition.unwell.store(!is_well, Ordering::Relaxed);
        Some(is_well)
    }
}

/// FNV-1a, finished: spread well enough to choose by, the same in every process. Nobody gains by
/// choosing what hashes alike: a busy address gets no more than its bound.
pub(super) fn hash_of(bytes: &[u8]) -> u64 {
    let folded = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(folded)
}

#[cfg(test)]
mod tests;
