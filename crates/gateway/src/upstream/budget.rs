//! How many requests may be sent again: a share of all requests within ten seconds, and ten beside
//! that. Without a bound, a service in trouble would get a multiple of what brought it there.
//!
//! Requests are counted by each worker for itself; they are added up only once a second and when
//! something is to be sent again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::member::Shards;

/// Seconds that count.
const SLOTS: usize = 10;
/// Ticks of one.
const SLOT_TICKS: u64 = 1000;
/// Retries within the window that are free: a quiet service must get over one bad address too.
const FREE: u64 = 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Budget {
    share_percent: u64,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    /// The second that the newest slot is for.
    second: u64,
    /// Requests counted in all when each second began, oldest first.
    begun: [u64; SLOTS],
    /// Retries within each second, oldest first.
    retried: [u64; SLOTS],
}

impl Budget {
    pub(super) fn new(share_percent: u8) -> Self {
        Self {
            share_percent: u64::from(share_percent),
            window: Mutex::new(Window {
                second: 0,
                begun: [0; SLOTS],
                retried: [0; SLOTS],
            }),
        }
    }

    /// Moves on to the time it is.
    pub(super) fn turn(&self, requests: &Shards, now: u64) {
        self.window().turn(requests.sum(), now);
    }

    /// Takes one retry; `false` when there is none left.
    pub(super) fn take(&self, requests: &Shards, now: u64) -> bool {
        let sum = requests.sum();
        let mut window = self.window();
        window.turn(sum, now);
        let has = window.left(sum, self.share_percent) > 0;
        if has && let Some(newest) = window.retried.last_mut() {
            *newest = newest.saturating_add(1);
        }
        has
    }

    /// Retries that are left now.
    pub(super) fn left(&self, requests: &Shards, now: u64) -> u64 {
        let sum = requests.sum();
        let mut window = self.window();
        window.turn(sum, now);
        window.left(sum, self.share_percent)
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn turn(&mut self, sum: u64, now: u64) {
        let second = now / SLOT_TICKS;
        let gone = second.saturating_sub(self.second);
        if gone == 0 {
            return;
        }
        self.second = second;
        let gone = usize::try_from(gone).unwrap_or(SLOTS).min(SLOTS);
        self.begun.rotate_left(gone % SLOTS);
        self.retried.rotate_left(gone % SLOTS);
        for slot in self.begun.iter_mut().rev().take(gone) {
            *slot = sum;
        }
        for slot in self.retried.iter_mut().rev().take(gone) {
            *slot = 0;
        }
    }

    fn left(&self, sum: u64, share_percent: u64) -> u64 {
        let oldest = self.begun.first().copied().unwrap_or(sum);
        let requests = sum.saturating_sub(oldest);
        let allowed = requests.saturating_mul(share_percent) / 100;
        let retried: u64 = self.retried.iter().sum();
        allowed.saturating_add(FREE).saturating_sub(retried)
    }
}

#[cfg(test)]
mod tests;
