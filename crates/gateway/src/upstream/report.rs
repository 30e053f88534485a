//! Changes of how services stand, as events for the trail. An address that comes and goes leaves a
//! few events and then one a minute that says how often: a flood would hide what matters.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahash::AHashMap;
use model::{Class, Context, Event, Outcome, Severity, SharedClock, SharedEntropy, ocsf};

/// Within this time, of one subject, so many events are left one by one.
const WINDOW: Duration = Duration::from_secs(60);
const ONE_BY_ONE: u32 = 4;
/// LIMIT: subjects remembered; what has no room is told each time, in the log alone.
const SUBJECTS_MAX: usize = 4096;

/// Takes events.
pub(super) type Sink = dyn Fn(Event) + Send + Sync;

/// See the module.
pub(super) struct Report {
    clock: SharedClock,
    entropy: SharedEntropy,
    sink: Option<Arc<Sink>>,
    subjects: Mutex<AHashMap<Subject, Told>>,
}

/// Whose changes are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Subject {
    service: Arc<str>,
    address: Option<String>,
    topic: Topic,
}

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    Health,
    Ejection,
    Breaker,
    Names,
    Tls,
}

/// One change.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) topic: Topic,
    pub(super) kind: &'static str,
    pub(super) severity: Severity,
    /// One sentence after the name of the service or the address.
    pub(super) text: String,
}

#[derive(Debug)]
struct Told {
    since: Duration,
    one_by_one: u32,
    /// Not told yet, and how many.
    held: Option<(Said, u64)>,
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").finish_non_exhaustive()
    }
}

impl Report {
    pub(super) fn new(clock: SharedClock, entropy: SharedEntropy, sink: Option<Arc<Sink>>) -> Self {
        Self {
            clock,
            entropy,
            sink,
            subjects: Mutex::default(),
        }
    }

    /// Says that something changed about a service, or about one of its addresses.
    pub(super) fn say(&self, service: &Arc<str>, address: Option<String>, said: Said) {
        let subject = Subject {
            service: Arc::clone(service),
            address,
            topic: said.topic,
        };
        log(&subject, &said);
        let now = self.clock.monotonic();
        let mut subjects = self.subjects();
        if subjects.len() >= SUBJECTS_MAX && !subjects.contains_key(&subject) {
            return;
        }
        let told = subjects.entry(subject.clone()).or_insert(Told {
            since: now,
            one_by_one: 0,
            held: None,
        });
        if now.saturating_sub(told.since) >= WINDOW && told.held.is_none() {
            told.since = now;
            told.one_by_one = 0;
        }
        if told.one_by_one < ONE_BY_ONE && told.held.is_none() {
            told.one_by_one = told.one_by_one.saturating_add(1);
            drop(subjects);
            self.leave(&subject, &said, 1);
            return;
        }
        let count = told.held.take().map_or(0, |(_, count)| count);
        told.held = Some((said, count.saturating_add(1)));
    }

    /// Tells what was held back for long enough.
    pub(super) fn turn(&self) {
        let now = self.clock.monotonic();
        let mut due = Vec::new();
        self.subjects().retain(|subject, told| {
            if now.saturating_sub(told.since) < WINDOW {
                return true;
            }
            told.since = now;
            match told.held.take() {
                Some((said, count)) => {
                    // It went on: from now on one event a minute, until a minute is quiet.
                    told.one_by_one = ONE_BY_ONE;
                    due.push((subject.clone(), said, count));
                    true
                }
                None => false,
            }
        });
        for (subject, said, count) in due {
            self.leave(&subject, &said, count);
        }
    }

    fn leave(&self, subject: &Subject, said: &Said, count: u64) {
        let Some(sink) = &self.sink else { return };
        let ctx = Context::system(&*self.clock, &*self.entropy);
        let place = match &subject.address {
            Some(address) => format!("{address} of service {}", subject.service),
            None => format!("service {}", subject.service),
        };
        let mut message = format!("{place}: {}", said.text);
        if count > 1 {
            message.push_str(&format!(", the last of {count} changes within a minute"));
        }
        let outcome = match said.severity {
            Severity::Info => Outcome::Success,
            _ => Outcome::Failure,
        };
        let mut event = Event::change(said.kind, &ctx, &*self.clock, &*self.entropy)
            .class(Class::Traffic)
            .ocsf(ocsf::APPLICATION_LIFECYCLE, model::activity::OTHER)
            .severity(said.severity)
            .outcome(outcome)
            .target("service", &*subject.service)
            .message(message);
        if let Some(address) = &subject.address {
            event = event.with("address", address.as_str());
        }
        if count > 1 {
            event = event.with("count", count);
        }
        sink(event);
    }

    fn subjects(&self) -> MutexGuard<'_, AHashMap<Subject, Told>> {
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(subject: &Subject, said: &Said) {
    let (service, address) = (&subject.service, subject.address.as_deref().unwrap_or("-"));
    let text = &said.text;
    if said.severity == Severity::Info {
        tracing::info!(%service, address, "{text}");
    } else {
        tracing::warn!(%service, address, "{text}");
    }
}

#[cfg(test)]
mod tests;
