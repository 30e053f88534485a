//! How many requests may be under way to a service, and how many may wait for one to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// See the module.
#[derive(Debug)]
pub(super) struct Room {
    places: Arc<Semaphore>,
    waiting: AtomicU32,
    waiting_max: u32,
    wait: Duration,
    /// Requests that found no room.
    pub(super) refused: AtomicU64,
}

/// One of those who wait; dropping it says that it does no more, however that came.
struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Room {
    pub(super) fn new(requests: u32, waiting_max: u32, wait: Duration) -> Self {
        let places = usize::try_from(requests).unwrap_or(usize::MAX);
        Self {
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicU32::new(0),
            waiting_max,
            wait,
            refused: AtomicU64::new(0),
        }
    }

    /// A place, at once or in turn; `None` when too many wait or it took too long.
    pub(super) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => return Some(place),
            Err(TryAcquireError::Closed) => return None,
            Err(TryAcquireError::NoPermits) => {}
        }
        let place = self.wait().await;
        if place.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        place
    }

    async fn wait(&self) -> Option<OwnedSemaphorePermit> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= self.waiting_max {
            return None;
        }
        let place = Arc::clone(&self.places).acquire_owned();
        tokio::time::timeout(self.wait, place).await.ok()?.ok()
    }

    /// How many wait now.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }
}
