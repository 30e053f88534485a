//! Where gateways count together: a Redis or Valkey server that the estate names.
//!
//! A request asks it once, for all its limits, and waits no longer than the estate allows. What it
//! decides is decided by one script within the server, by the server's own time, so that gateways
//! need not agree on theirs. Nobody's name or address stands there, but digests of them.

mod circuit;
mod line;
mod script;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use estate::{Estate, Mode, SharedLimits, WhenAway};
use model::{Class, Context, Event, Outcome, Rate, Severity, SharedClock, SharedEntropy, ocsf};

use super::{Rated, What};
use crate::Error;
use crate::records::Recorder;
use circuit::{Circuit, Gate};
use script::Script;

pub(crate) use line::Line;
pub(crate) use script::{Answer, Question};

/// LIMIT: requests that wait for it at once, over all workers; others go on as if it were away.
const WAITING_MAX: usize = 4096;
/// An event at most so often: what flaps is told in the log.
const EVENT_EVERY: Duration = Duration::from_secs(60);
/// LIMIT: bytes that are told of why it is away.
const WHY_BYTES_MAX: usize = 200;

/// Makes stores: what they share over versions.
#[derive(Clone, Debug)]
pub(crate) struct Maker {
    /// Paths in estates are relative to this folder.
    pub(crate) base: PathBuf,
    /// The time.
    pub(crate) clock: SharedClock,
    /// Randomness.
    pub(crate) entropy: SharedEntropy,
    /// Where it is told that one went or came back.
    pub(crate) recorder: Option<Recorder>,
}

/// One server, as one process sees it. Every worker has a connection of its own.
pub(crate) struct Store {
    settings: SharedLimits,
    maker: Maker,
    script: Script,
    circuit: Circuit,
    waiting: AtomicUsize,
    outcomes: [AtomicU64; OUTCOMES.len()],
    told: Mutex<Told>,
}

/// What events said last.
#[derive(Debug, Default)]
struct Told {
    away_at: Option<Duration>,
    is_away: bool,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It was counted there.
    Counted,
    /// The answer did not come in time.
    Late,
    /// It came to nothing.
    Failed,
    /// It was not asked, because it is away.
    Away,
    /// It was not asked, because too many wait.
    Busy,
}

const OUTCOMES: [(Asked, &str); 5] = [
    (Asked::Counted, "counted"),
    (Asked::Late, "late"),
    (Asked::Failed, "failed"),
    (Asked::Away, "away"),
    (Asked::Busy, "busy"),
];

/// What metrics say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreStats {
    /// Whether nobody asks it.
    pub(crate) is_away: bool,
    /// Questions by what became of them.
    pub(crate) outcomes: Vec<(&'static str, u64)>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Maker {
    /// The server of an estate; the one of `before` when nothing about it changed.
    ///
    /// # Errors
    /// When a file that it needs cannot be read.
    pub(crate) fn store(
        &self,
        estate: &Estate,
        before: Option<&Arc<Store>>,
    ) -> Result<Option<Arc<Store>>, Error> {
        let Some(settings) = &estate.shared_limits else {
            return Ok(None);
        };
        let store = Store::new(
            settings.clone(),
            self.clone(),
            (&estate.name, &estate.domain),
        );
        let same = before.filter(|before| {
            before.settings == store.settings && before.script.is_same(&store.script)
        });
        if let Some(before) = same {
            return Ok(Some(Arc::clone(before)));
        }
        line::check(&store).map_err(|message| Error::SharedLimits { message })?;
        Ok(Some(Arc::new(store)))
    }
}

impl Store {
    fn new(settings: SharedLimits, maker: Maker, (name, domain): (&str, &str)) -> Self {
        Self {
            settings,
            maker,
            script: Script::new(name, domain),
            circuit: Circuit::default(),
            waiting: AtomicUsize::new(0),
            outcomes: Default::default(),
            told: Mutex::default(),
        }
    }

    /// A question about a request that costs so much; see [`Question::ask`].
    pub(crate) fn question<'r>(
        &self,
        cost: u32,
        mode: Mode,
        limits: impl Iterator<Item = (&'r Rated, What)>,
    ) -> Question {
        let mut question = Question::new(cost, mode);
        for (rated, what) in limits {
            question.ask(&self.script, rated, &what);
        }
        question
    }

    /// What a trial asks: it reads and writes as every question does.
    fn trial(&self) -> Question {
        let mut question = Question::new(1, Mode::Observe);
        let rate = Rate {
            count: 1000,
            per_ms: 1000,
        };
        question.push(self.script.key(b"trial", None), rate);
        question
    }

    /// What happens while it is away.
    pub(crate) fn when_away(&self) -> WhenAway {
        self.settings.when_away
    }

    /// When it may be worth asking again.
    pub(crate) fn pause(&self) -> Duration {
        self.circuit.pause(self.maker.clock.monotonic())
    }

    /// For metrics.
    pub(crate) fn stats(&self) -> StoreStats {
        let counts = OUTCOMES.iter().zip(&self.outcomes);
        StoreStats {
            is_away: self.circuit.is_open(),
            outcomes: counts
                .map(|((_, word), count)| (*word, count.load(Ordering::Relaxed)))
                .collect(),
        }
    }

    fn gate(&self) -> Gate {
        self.circuit.gate(self.maker.clock.monotonic())
    }

    fn note(&self, asked: Asked) -> Asked {
        let mut counts = OUTCOMES.iter().zip(&self.outcomes);
        if let Some((_, count)) = counts.find(|((outcome, _), _)| *outcome == asked) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        asked
    }

    fn answered(&self) {
        self.circuit.answered();
        self.note(Asked::Counted);
    }

    fn late(&self) -> Asked {
        if self.circuit.late(self.maker.clock.monotonic()) {
            self.say_away("its answers come too late");
        }
        self.note(Asked::Late)
    }

    fn failed(&self, why: &str) -> Asked {
        if self.circuit.failed(self.maker.clock.monotonic()) {
            self.say_away(why);
        }
        self.note(Asked::Failed)
    }

    fn still_away(&self, why: &str) {
        tracing::debug!(store = %self.settings.address, why, "limits are not counted together yet");
        self.circuit.still_away(self.maker.clock.monotonic());
    }

    fn back(&self) {
        if self.circuit.back(self.maker.clock.monotonic()) {
            let text = "limits are counted together again";
            tracing::info!(store = %self.settings.address, "{text}");
            self.tell("gateway.limits.store_back", Severity::Info, text.to_owned());
        }
    }

    /// SECURITY: what a server says is shortened and one line; secrets are never in it.
    fn say_away(&self, why: &str) {
        let what = match self.settings.when_away {
            WhenAway::Local => "each gateway counts its limits for itself",
            WhenAway::Refuse => "requests that have limits are refused",
        };
        let mut room = WHY_BYTES_MAX;
        let why: String = why
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take_while(|c| {
                let fits = c.len_utf8() <= room;
                room = room.saturating_sub(c.len_utf8());
                fits
            })
            .collect();
        tracing::warn!(store = %self.settings.address, %why, "{what}");
        let text = format!("{}: {why}; {what}", self.settings.address);
        self.tell("gateway.limits.store_away", Severity::Medium, text);
    }

    fn tell(&self, kind: &'static str, severity: Severity, text: String) {
        let Some(recorder) = &self.maker.recorder else {
            return;
        };
        let now = self.maker.clock.monotonic();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // That it is back is told when its going was, and once.
        if severity == Severity::Info {
            if !std::mem::take(&mut told.is_away) {
                return;
            }
        } else {
            let lately = |at: Duration| now.saturating_sub(at) < EVENT_EVERY;
            if told.away_at.is_some_and(lately) {
                return;
            }
            *told = Told {
                away_at: Some(now),
                is_away: true,
            };
        }
        drop(told);
        let outcome = match severity {
            Severity::Info => Outcome::Success,
            _ => Outcome::Failure,
        };
        let (clock, entropy) = (&*self.maker.clock, &*self.maker.entropy);
        let ctx = Context::system(clock, entropy);
        let event = Event::change(kind, &ctx, clock, entropy)
            .class(Class::Traffic)
            .ocsf(ocsf::APPLICATION_LIFECYCLE, model::activity::OTHER)
            .severity(severity)
            .outcome(outcome)
            .target("limits", &*self.settings.address.to_string())
            .message(text);
        recorder.event(event);
    }

    /// A place among those that wait.
    fn wait(&self) -> Option<Waiting<'_>> {
        let waiting = Waiting(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        (before < WAITING_MAX).then_some(waiting)
    }
}

/// One that waits; also when it is abandoned.
struct Waiting<'s>(&'s AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
