//! How many long bodies rules look into at once, and how many wait for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// LIMIT: long bodies looked into at once, over all workers.
const PLACES_MAX: usize = 4;
/// LIMIT: long bodies that wait for a place.
const WAITING_MAX: usize = 64;
/// LIMIT: how long one waits.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug)]
pub(crate) struct Places {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES_MAX)),
            waiting: AtomicUsize::new(0),
        }
    }
}

/// Somebody waits, until this is dropped.
struct Waiting<'p>(&'p AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    /// A place; nothing when too many wait already, or none is free in time.
    pub(crate) async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= WAITING_MAX {
            return None;
        }
        let place = timeout(WAIT_MAX, Arc::clone(&self.places).acquire_owned()).await;
        place.ok()?.ok()
    }
}
