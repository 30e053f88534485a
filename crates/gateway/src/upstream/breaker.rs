//! Keeps requests from a service of which most attempts fail: it gets none for a while, then one,
//! and all again when that one succeeds. Whoever waits for a service that cannot answer holds what
//! others need.
//!
//! Numbers only; never waits. Two workers that begin a new slot at once may lose a few counts:
//! a rate over a window is no ledger.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Parts of the window.
const SLOTS: usize = 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Breaker {
    failures_percent: u64,
    requests_min: u64,
    slot_ticks: u64,
    open_ticks: u64,
    slots: [Slot; SLOTS],
    /// 0 when closed; else until when, shifted, and whether one request is on its way to see.
    state: AtomicU64,
}

#[derive(Debug, Default)]
struct Slot {
    number: AtomicU64,
    good: AtomicU32,
    failed: AtomicU32,
}

/// Whether a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Like any other.
    Go,
    /// To see.
    Trial,
    /// Not for so many ticks.
    Wait(u64),
}

/// What an attempt changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    Opened,
    Closed,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BreakerState {
    Closed,
    Open,
    HalfOpen,
}

impl Breaker {
    pub(super) fn new(settings: &estate::Breaker) -> Self {
        let ticks = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let slots = u64::try_from(SLOTS).unwrap_or(1);
        Self {
            failures_percent: u64::from(settings.failures.0),
            requests_min: u64::from(settings.requests_min),
            slot_ticks: (ticks(settings.window) / slots).max(1),
            open_ticks: ticks(settings.open).max(1),
            slots: Default::default(),
            state: AtomicU64::new(0),
        }
    }

    /// Whether a request may go now.
    pub(super) fn ask(&self, now: u64) -> Word {
        let state = self.state.load(Ordering::Acquire);
        if state == 0 {
            return Word::Go;
        }
        let until = state >> 1;
        if now < until {
            return Word::Wait(until - now);
        }
        // A trial of which nobody hears makes room for the next after the same time.
        let next = now.saturating_add(self.open_ticks);
        let trial = (next << 1) | 1;
        match self
            .state
            .compare_exchange(state, trial, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => Word::Trial,
            // Another request was faster, and is the trial.
            Err(_) => Word::Wait(self.open_ticks),
        }
    }

    /// What came of an attempt.
    pub(super) fn record(&self, is_good: bool, is_trial: bool, now: u64) -> Option<Turned> {
        let state = self.state.load(Ordering::Acquire);
        if state != 0 {
            // Those that were under way when it opened say nothing about now.
            return is_trial.then(|| self.tried(is_good, state, now)).flatten();
        }
        let number = now / self.slot_ticks;
        let slot = self.slot(number);
        if slot.number.load(Ordering::Relaxed) != number {
            slot.number.store(number, Ordering::Relaxed);
            slot.good.store(0, Ordering::Relaxed);
            slot.failed.store(0, Ordering::Relaxed);
        }
        let count = if is_good { &slot.good } else { &slot.failed };
        count.fetch_add(1, Ordering::Relaxed);
        if is_good || !self.is_too_much(number) {
            return None;
        }
        let open = now.saturating_add(self.open_ticks) << 1;
        let order = Ordering::AcqRel;
        let opened = self
            .state
            .compare_exchange(0, open, order, Ordering::Acquire);
        opened.is_ok().then_some(Turned::Opened)
    }

    fn tried(&self, is_good: bool, state: u64, now: u64) -> Option<Turned> {
        if state & 1 == 0 {
            return None;
        }
        let next = if is_good {
            for slot in &self.slots {
                slot.good.store(0, Ordering::Relaxed);
                slot.failed.store(0, Ordering::Relaxed);
            }
            0
        } else {
            now.saturating_add(self.open_ticks) << 1
        };
        let changed = self
            .state
            .compare_exchange(state, next, Ordering::AcqRel, Ordering::Acquire);
        (is_good && changed.is_ok()).then_some(Turned::Closed)
    }

    fn is_too_much(&self, number: u64) -> bool {
        let slots = u64::try_from(SLOTS).unwrap_or(1);
        let oldest = number.saturating_sub(slots.saturating_sub(1));
        let (mut good, mut failed) = (0_u64, 0_u64);
        for slot in &self.slots {
            if (oldest..=number).contains(&slot.number.load(Ordering::Relaxed)) {
                good = good.saturating_add(u64::from(slot.good.load(Ordering::Relaxed)));
                failed = failed.saturating_add(u64::from(slot.failed.load(Ordering::Relaxed)));
            }
        }
        let all = good.saturating_add(failed);
        all >= self.requests_min
            && failed.saturating_mul(100) >= all.saturating_mul(self.failures_percent)
    }

    fn slot(&self, number: u64) -> &Slot {
        let slots = u64::try_from(SLOTS).unwrap_or(1);
        let place = usize::try_from(number % slots).unwrap_or(0);
        self.slots.get(place).unwrap_or(&self.slots[0])
    }

    /// How it stands now.
    pub(super) fn state(&self, now: u64) -> BreakerState {
        match self.state.load(Ordering::Relaxed) {
            0 => BreakerState::Closed,
            state if state & 1 == 1 || state >> 1 <= now => BreakerState::HalfOpen,
            _ => BreakerState::Open,
        }
    }
}

#[cfg(test)]
mod tests;
