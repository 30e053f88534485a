//! What services are made with: the folder of their files, time and chance, where to say what
//! changes. One for the process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{SharedClock, SharedEntropy};
use tokio::sync::Semaphore;

use super::report::Report;
use crate::records::Recorder;

/// LIMIT: addresses asked for their health at once.
const PROBES_MAX: usize = 64;
/// LIMIT: names looked up at once; each holds a thread.
const LOOK_UPS_MAX: usize = 16;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub(super) base: PathBuf,
    pub(super) clock: SharedClock,
    pub(super) entropy: SharedEntropy,
    pub(super) report: Arc<Report>,
    /// How many count apart.
    pub(super) workers: usize,
    pub(super) probes: Arc<Semaphore>,
    pub(super) look_ups: Arc<Semaphore>,
}

impl Around {
    /// Paths in estates are relative to `base`. Without a recorder, changes stand in the log
    /// alone.
    pub(crate) fn new(
        base: &Path,
        clock: SharedClock,
        entropy: SharedEntropy,
        recorder: Option<Recorder>,
        workers: usize,
    ) -> Self {
        let sink = recorder.map(|recorder| -> Arc<super::report::Sink> {
            Arc::new(move |event| recorder.event(event))
        });
        Self::with(base, clock, entropy, sink, workers)
    }

    /// The folder of the estate's files.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    pub(super) fn with(
        base: &Path,
        clock: SharedClock,
        entropy: SharedEntropy,
        sink: Option<Arc<super::report::Sink>>,
        workers: usize,
    ) -> Self {
        Self {
            base: base.to_path_buf(),
            report: Arc::new(Report::new(Arc::clone(&clock), Arc::clone(&entropy), sink)),
            clock,
            entropy,
            workers,
            probes: Arc::new(Semaphore::new(PROBES_MAX)),
            look_ups: Arc::new(Semaphore::new(LOOK_UPS_MAX)),
        }
    }
}
