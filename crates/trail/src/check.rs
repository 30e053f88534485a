//! The whole log, read while everything goes on: whether closed segments still hold what was signed.

use std::path::{Path, PathBuf};

use merkle::{SignedCheckpoint, VerifyingKey};
use model::{Class, Context, Event, Severity, SharedClock, SharedEntropy};
use tokio::sync::oneshot;

use crate::Error;
use crate::verify::{Fault, Trusted, verify};

/// How much the reading thread gives way to others, as `nice(1)` counts.
const NICE: i32 = 15;
/// LIMIT: faults that one event names.
const FAULTS_MAX: usize = 16;

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
/// nobody waits for at the end.
///
/// # Errors
/// [`Error::File`] when a file cannot be read at all.
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
    read.await.map_err(|_| Error::Closed)?
}

fn read_whole(dir: &Path, trusted: &Trusted) -> Result<Option<Damage>, Error> {
    let mut faults = verify(dir, trusted)?.faults;
    faults.truncate(FAULTS_MAX);
    Ok((!faults.is_empty()).then_some(Damage { faults }))
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
