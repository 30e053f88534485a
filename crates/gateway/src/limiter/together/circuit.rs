//! Whether the server is asked at all. One that does not answer costs a few requests their time;
//! then nobody waits for it, until a trial of our own says that it is back.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many answers in a row that came too late open it.
const LATE_MAX: u32 = 3;
/// The first pause before it is tried again, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Who is away again so soon after it was back is tried as rarely as before.
const SETTLED: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    is_open: AtomicBool,
    late: AtomicU32,
    /// Counts openings: connections of before are given up.
    generation: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    pause: Duration,
    try_at: Duration,
    closed_at: Option<Duration>,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It asks.
    Ask,
    /// It does not ask.
    Away,
    /// It does not ask either, and begins a trial.
    Try,
}

impl Circuit {
    /// What a request does now.
    pub(super) fn gate(&self, now: Duration) -> Gate {
        if !self.is_open() {
            return Gate::Ask;
        }
        let mut inner = self.inner();
        if now < inner.try_at {
            return Gate::Away;
        }
        // A trial whose outcome nobody ever hears of is followed by another.
        inner.try_at = now.saturating_add(PAUSE_MAX);
        Gate::Try
    }

    /// Whether nobody asks.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// See the field.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// How long until it is tried again.
    pub(super) fn pause(&self, now: Duration) -> Duration {
        self.inner().try_at.saturating_sub(now)
    }

    /// It answered in time.
    pub(super) fn answered(&self) {
        if self.late.load(Ordering::Relaxed) != 0 {
            self.late.store(0, Ordering::Relaxed);
        }
    }

    /// It did not answer in time; whether that opened it.
    pub(super) fn late(&self, now: Duration) -> bool {
        let late = self.late.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        late >= LATE_MAX && self.failed(now)
    }

    /// It cannot be asked; whether that opened it.
    pub(super) fn failed(&self, now: Duration) -> bool {
        let mut inner = self.inner();
        if self.is_open() {
            return false;
        }
        let settled = inner
            .closed_at
            .is_none_or(|at| now.saturating_sub(at) >= SETTLED);
        inner.pause = match settled {
            true => PAUSE_MIN,
            false => longer(inner.pause),
        };
        inner.try_at = now.saturating_add(inner.pause);
        self.generation.fetch_add(1, Ordering::Relaxed);
        self.is_open.store(true, Ordering::Relaxed);
        true
    }

    /// A trial failed.
    pub(super) fn still_away(&self, now: Duration) {
        let mut inner = self.inner();
        inner.pause = longer(inner.pause);
        inner.try_at = now.saturating_add(inner.pause);
    }

    /// A trial succeeded; whether that closed it.
    pub(super) fn back(&self, now: Duration) -> bool {
        let mut inner = self.inner();
        inner.closed_at = Some(now);
        self.late.store(0, Ordering::Relaxed);
        self.is_open.swap(false, Ordering::Relaxed)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn longer(pause: Duration) -> Duration {
    pause.saturating_mul(2).clamp(PAUSE_MIN, PAUSE_MAX)
}

#[cfg(test)]
mod tests;
