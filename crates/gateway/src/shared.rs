//! What a request can reach: one set per worker.

use std::sync::Arc;

use arc_swap::ArcSwap;
use model::{SharedClock, SharedEntropy};

use crate::body::Budget;
use crate::metrics::Meter;
use crate::upstream::Upstreams;
use crate::{limiter, link, records, state};

/// What every request of one worker can reach. Each worker has its own, so that nothing on the
/// way of a request waits for another worker; `state`, `budget`, `recorder` and `limiter` are
/// shared between workers and made for that.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The time.
    pub(crate) clock: SharedClock,
    /// Randomness.
    pub(crate) entropy: SharedEntropy,
    /// The compiled estate and the identity index, swapped whole.
    pub(crate) state: Arc<ArcSwap<state::State>>,
    /// This worker's connections to upstreams.
    pub(crate) upstreams: Upstreams,
    /// How many bytes of bodies may be held, over all workers.
    pub(crate) budget: Arc<Budget>,
    /// Where decisions are recorded.
    pub(crate) recorder: records::Recorder,
    /// Rate limits, over all workers.
    pub(crate) limiter: Arc<limiter::Limiter>,
    /// The link to control, for what only control can answer (one-time codes).
    pub(crate) link: crate::link::Client,
    /// This worker's counters.
    pub(crate) metrics: Arc<Meter>,
}
