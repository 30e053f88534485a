//! Stopping in good order: everyone is told, everyone is waited for.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// A cheap handle on one stop: ask for it once, hear it anywhere, wait until all guards are gone.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    token: CancellationToken,
    tracker: TaskTracker,
}

/// While one exists, [`Drain::finished`] waits.
#[derive(Debug)]
pub struct Guard {
    token: CancellationToken,
    _tracked: TaskTrackerToken,
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
            token: self.token.clone(),
            _tracked: self.tracker.token(),
        }
    }

    /// Asks everyone to stop.
    pub fn start(&self) {
        self.tracker.close();
        self.token.cancel();
    }

    /// Whether the stop was asked for.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Ends when the stop was asked for.
    pub async fn started(&self) {
        self.token.cancelled().await;
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
    /// Ends when the stop was asked for.
    pub async fn started(&self) {
        self.token.cancelled().await;
    }

    /// Whether the stop was asked for.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.token.is_cancelled()
    }
}
