//! A clock moved by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::{Clock, Timestamp};

/// Starts at 2026-01-01T00:00:00Z and stands still until [`FakeClock::advance`].
#[derive(Clone, Debug)]
pub struct FakeClock {
    ms: Arc<AtomicI64>,
}

const START_MS: i64 = 1_767_225_600_000;

impl FakeClock {
    /// A clock at the start.
    #[must_use]
    pub fn new() -> Self {
        Self {
            ms: Arc::new(AtomicI64::new(START_MS)),
        }
    }

    /// Moves both the wall clock and the monotonic one.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.ms.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        self.now().since(Timestamp::from_millis(START_MS))
    }
}
