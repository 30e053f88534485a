//! Stopping in good order: everyone is told, everyone is waited for.
//!
//! A stop may come in two words. *Leave*: take nothing new, finish what there is at its own pace,
//! because somebody else has taken over. *Stop*: end as soon as nothing under way is lost by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// A cheap handle on one stop: ask for it once, hear it anywhere, wait until all guards are gone.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    words: Words,
    tracker: TaskTracker,
}

/// While one exists, [`Drain::finished`] waits.
#[derive(Debug)]
pub struct Guard {
    words: Words,
    _tracked: TaskTrackerToken,
}

#[derive(Clone, Debug, Default)]
struct Words {
    leave: CancellationToken,
    stop: CancellationToken,
    /// The same, for who asks with every request: asking a token takes a lock.
    said: Arc<Said>,
}

#[derive(Debug, Default)]
struct Said {
    leave: AtomicBool,
    stop: AtomicBool,
}

impl Drain {
    /// A stop nobody has asked for yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Something that must end before the stop is complete.
    #[must_use]
    pub fn guard(&self) -> Guard {
        Guard {
            words: self.words.clone(),
            _tracked: self.tracker.token(),
        }
    }

    /// Asks everyone to take nothing new and to end when they have nothing left to do.
    pub fn leave(&self) {
        self.tracker.close();
        // INVARIANT: before the token, so that whoever was woken by it finds it said.
        self.words.said.leave.store(true, Ordering::Release);
        self.words.leave.cancel();
    }

    /// Asks everyone to stop.
    pub fn start(&self) {
        self.words.said.stop.store(true, Ordering::Release);
        self.words.stop.cancel();
        self.leave();
    }

    /// Whether either was asked for.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.words.said.leave.load(Ordering::Acquire)
    }

    /// Ends when either was asked for.
    pub async fn started(&self) {
        self.words.leave.cancelled().await;
    }

    /// Waits until every guard is gone, at most `limit`; `false` when some were left.
    pub async fn finished(&self, limit: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(limit, self.tracker.wait())
            .await
            .is_ok()
    }

    /// How many guards there are.
    #[must_use]
    pub fn open(&self) -> usize {
        self.tracker.len()
    }
}

impl Guard {
    /// Ends when leaving or stopping was asked for.
    pub async fn started(&self) {
        self.words.leave.cancelled().await;
    }

    /// Whether either was asked for.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.words.said.leave.load(Ordering::Acquire)
    }

    /// Ends when stopping was asked for.
    pub async fn stopped(&self) {
        self.words.stop.cancelled().await;
    }

    /// Whether stopping was asked for, not leaving alone.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.words.said.stop.load(Ordering::Acquire)
    }
}
