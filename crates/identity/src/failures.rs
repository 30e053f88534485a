//! Keeps a flood of failed sign-ins from filling the trail: the first of a source and account in a
//! second is recorded at once, the rest of that second in one event with their number.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::model::{Clock, Entropy, Event, EventId};

/// LIMIT: source and account pairs told apart within a second; the rest share one entry.
const TOLD_APART_MAX: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    second: i64,
    more: u64,
    /// The first one, to tell the rest by.
    like: Event,
}

impl Failures {
    /// What to record now: nothing but a count when this is not the first of its second.
    pub(crate) fn note(
        &self,
        key: &str,
        mut event: Event,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Vec<Event> {
        let second = event.time.as_secs();
        let mut all = self.lock();
        let full = all.len() >= TOLD_APART_MAX && !all.contains_key(key);
        if full {
            event.source = None;
        }
        let key = if full { "" } else { key };
        if let Some(open) = all.get_mut(key)
            && open.second == second
        {
            open.more += 1;
            return Vec::new();
        }
        let entry = Entry {
            second,
            more: 0,
            like: event.clone(),
        };
        let before = all.insert(key.to_owned(), entry);
        let summary = before.and_then(|entry| entry.summary(clock, entropy));
        summary.into_iter().chain([event]).collect()
    }

    /// Summaries of the seconds that are over.
    pub(crate) fn take(&self, clock: &dyn Clock, entropy: &dyn Entropy) -> Vec<Event> {
        let now = clock.now().as_secs();
        let mut all = self.lock();
        let over = all.extract_if(|_, entry| entry.second < now);
        over.filter_map(|(_, entry)| entry.summary(clock, entropy))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// One event for all that were only counted.
    fn summary(self, clock: &dyn Clock, entropy: &dyn Entropy) -> Option<Event> {
        if self.more == 0 {
            return None;
        }
        let mut event = self.like;
        event.id = EventId::new(clock, entropy);
        event.time = clock.now();
        event.message = format!("{} more within a second: {}", self.more, event.message);
        Some(event.with("count", self.more))
    }
}
