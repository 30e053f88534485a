//! The whole log, read while everything goes on: whether closed segments still hold what was signed.

use std::path::{Path, PathBuf};

use merkle::{SignedCheckpoint, VerifyingKey};
use model::{Class, Context, Event, Severity, SharedClock, SharedEntropy};
use tokio::sync::oneshot;

use crate::Error;
use crate::verify::{Fault, Trusted, verify_within};

/// How much the reading thread gives way to others, as `nice(1)` counts.
const NICE: i32 = 15;
/// LIMIT: faults that one event names.
const FAULTS_MAX: usize = 16;
/// LIMIT: bytes of the history of checkpoints that the log is held against: some days of a server
/// that never rests. `trail verify` takes all of it.
const HISTORY_BYTES_MAX: u64 = 1024 * 1024;

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    faults: Vec<Fault>,
}

/// What the running trail knows of itself.
pub(crate) fn trusted(key: &VerifyingKey, newest: &SignedCheckpoint) -> Trusted {
    Trusted {
        key: Some(key.clone()),
        since: Vec::new(),
        remembered: Some(newest.clone()),
    }
}

/// Reads the whole log in `dir`, on a thread of its own that gives way to every other and that
/// nobody waits for at the end. `None` when nothing is wrong; a file that cannot be read is.
///
/// # Errors
/// [`Error::File`] when there can be no such thread, [`Error::Closed`] when it ended without a word.
pub(crate) async fn whole(dir: PathBuf, trusted: Trusted) -> Result<Option<Damage>, Error> {
    let (done, read) = oneshot::channel();
    let place = dir.clone();
    let work = move || {
        let thread = rustix::thread::gettid();
        if let Err(error) = rustix::process::setpriority_process(Some(thread), NICE) {
            tracing::debug!(%error, "reading the whole log does not give way");
        }
        // Nobody waits when the trail was closed meanwhile.
        drop(done.send(read_whole(&dir, &trusted)));
    };
    let named = std::thread::Builder::new().name("trail-check".to_owned());
    named.spawn(work).map_err(|source| Error::File {
        path: place,
        source,
    })?;
    read.await.map_err(|_| Error::Closed)
}

fn read_whole(dir: &Path, trusted: &Trusted) -> Option<Damage> {
    let mut faults = match verify_within(dir, trusted, HISTORY_BYTES_MAX) {
        Ok(report) => {
            let mut faults = report.faults;
            if report.erased > 0 {
                let what = format!(
                    "payloads are erased, which no command does: {}",
                    report.erased
                );
                faults.push(fault(what));
            }
            faults
        }
        // A disk that does not give an entry back has lost it.
        Err(error) => {
            let source = std::error::Error::source(&error);
            let why = source.map_or_else(String::new, |source| format!(": {source}"));
            vec![fault(format!("{error}{why}"))]
        }
    };
    faults.truncate(FAULTS_MAX);
    (!faults.is_empty()).then_some(Damage { faults })
}

fn fault(what: String) -> Fault {
    Fault {
        entry: None,
        file: None,
        offset: None,
        what,
    }
}

impl Damage {
    /// In one line, for health.
    pub(crate) fn reason(&self) -> String {
        let first = self.faults.first().map_or("", |fault| fault.what.as_str());
        format!("the trail's log is damaged: {first}; `rampart trail verify` says more")
    }

    /// The event that says so for ever.
    pub(crate) fn event(&self, clock: &SharedClock, entropy: &SharedEntropy) -> Event {
        let ctx = Context::system(&**clock, &**entropy);
        let text = self.reason();
        tracing::error!("{text}");
        let event = Event::change("trail.log.damaged", &ctx, &**clock, &**entropy)
            .class(Class::Change)
            .severity(Severity::Critical)
            .message(text);
        match serde_json::to_value(&self.faults) {
            Ok(faults) => event.with("faults", faults),
            Err(_) => event,
        }
    }
}
