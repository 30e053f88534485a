//! What both surfaces stand on: the services, and a few facts about this installation.

use std::path::PathBuf;
use std::sync::Arc;

use model::{SharedClock, SharedEntropy};

use crate::health::Counters;
use crate::history::History;
use crate::observed::Reports;
use crate::port::GatewayPort;

/// Everything the API and the console call. Cheap to clone: every part is a handle.
#[derive(Clone, Debug)]
pub struct Services {
    /// People, credentials, sessions, keys, rights.
    pub identity: identity::Identity,
    /// Versions of the estate.
    pub rollout: rollout::Rollout,
    /// The record of everything.
    pub trail: trail::Trail,
    /// The gateway's control side: its hub, the explainer and the ban list.
    pub gateway: Arc<dyn GatewayPort>,
    /// For its health.
    pub store: store::Store,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
    /// Facts that do not change while the process runs.
    pub facts: Facts,
    /// What this process counts of its own answers.
    pub counters: Arc<Counters>,
    /// How traffic moved lately.
    pub history: Arc<History>,
    /// Whose turn it is to read much of the trail.
    pub reports: Arc<Reports>,
}

/// Facts about this installation.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The data folder.
    pub data: PathBuf,
    /// The estate file `serve` was started with, for drift.
    pub estate_file: Option<PathBuf>,
    /// The user this process runs as: on the administration socket it counts as an administrator.
    pub uid: u32,
    /// The key that verifies the trail's checkpoints, as `--key` takes it.
    pub trail_key: String,
    /// The program's version.
    pub version: &'static str,
}
