//! Whether a service gets a request at all: its breaker, and how many may be under way. A service
//! whose estate says nothing of either is not asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::Failed;
use super::breaker::Word;
use super::group::Group;

/// What a request holds while it is under way.
#[derive(Debug)]
pub(super) struct Pass {
    _place: Option<OwnedSemaphorePermit>,
    /// The breaker lets it see whether the service works again.
    pub(super) is_trial: bool,
}

impl Group {
    /// Whether [`Group::admit`] has anything to say.
    pub(super) fn is_guarded(&self) -> bool {
        self.breaker.is_some() || self.room.is_some()
    }

    /// Lets a request in, or says why not.
    pub(super) async fn admit(&self) -> Result<Option<Arc<Pass>>, Failed> {
        let place = match &self.room {
            None => None,
            Some(room) => Some(room.enter().await.ok_or(Failed::TooMany)?),
        };
        // After the wait: the breaker may have opened, and a trial that waits would try nothing.
        let word = match &self.breaker {
            None => Word::Go,
            Some(breaker) => breaker.ask(self.now()),
        };
        if let Word::Wait(ticks) = word {
            self.held_off.fetch_add(1, Ordering::Relaxed);
            return Err(Failed::BreakerOpen {
                again: Duration::from_millis(ticks),
            });
        }
        Ok(Some(Arc::new(Pass {
            _place: place,
            is_trial: word == Word::Trial,
        })))
    }
}
