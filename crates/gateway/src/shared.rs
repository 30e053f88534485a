//! What a request can reach: one set per worker.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;
use model::{SharedClock, SharedEntropy};

use crate::body::Budget;
use crate::exchange::{Connection, Outgoing};
use crate::front::Handler;
use crate::metrics::Meter;
use crate::upstream::{PoolUse, Upstreams};
use crate::{limiter, link, pipeline, records, state};

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

impl Handler for Shared {
    async fn handle(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Outgoing> {
        pipeline::handle(self, connection, request).await
    }

    fn refused(&self, peer: SocketAddr, code: &'static str, status: u16) {
        self.metrics.refused(code);
        self.recorder.refused_connection(peer, code, status);
    }

    fn accepted(&self) {
        self.metrics.connection();
    }

    fn tick(&self) {
        self.upstreams.sweep();
    }

    fn upstreams(&self) -> PoolUse {
        self.upstreams.usage()
    }
}
