//! What a request can reach: one set per worker.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use http::Request;
use model::{PooledEntropy, SharedClock, SharedEntropy, Timestamp};
use tokio::sync::{Notify, Semaphore};

use crate::assertion::Signer;
use crate::body::Budget;
use crate::book::Book;
use crate::directory::Directory;
use crate::exchange::{Connection, Incoming};
use crate::front::{Asks, Handler};
use crate::gates::Gate;
use crate::inspect::Rules;
use crate::limiter::{AtOnce, Limiter, Line};
use crate::metrics::Meter;
use crate::reply::Reply;
use crate::ruled::Places;
use crate::state::State;
use crate::upstream::{PoolUse, Target, Upstreams};
use crate::{issuers, link, pipeline, records, token};

/// LIMIT: long bodies looked into at once, over all workers.
const LONG_BODIES_MAX: usize = 4;
/// LIMIT: earlier assertion keys that services may still meet.
const EARLIER_KEYS_MAX: usize = 4;

/// What every request of one worker can reach. Each worker has its own, so that nothing on the
/// way of a request waits for another worker; what lies in [`Common`] is shared between workers
/// and made for that.
#[derive(Debug)]
pub(crate) struct Shared {
    common: Arc<Common>,
    /// This worker's connections to upstreams.
    pub(crate) upstreams: Upstreams,
    /// This worker's counters.
    pub(crate) metrics: Arc<Meter>,
    /// This worker's connection to where limits are counted together.
    pub(crate) line: Line,
    /// Makes the ids of this worker's requests.
    pub(crate) ids: PooledEntropy,
}

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Common {
    /// The time.
    pub(crate) clock: SharedClock,
    /// Randomness.
    pub(crate) entropy: SharedEntropy,
    /// The compiled estate, swapped whole; nothing before the first.
    pub(crate) state: ArcSwapOption<State>,
    /// Who may be let in.
    pub(crate) directory: Directory,
    /// Access tokens that were verified before.
    pub(crate) tokens: token::Remembered,
    /// Those of other issuers.
    pub(crate) foreign_tokens: issuers::Remembered,
    /// Wakes who keeps up to date what lies outside.
    pub(crate) keeper: Notify,
    /// Signs assertions; nothing before control sent the key.
    pub(crate) signer: ArcSwapOption<Signer>,
    earlier_keys: Mutex<Vec<serde_json::Value>>,
    /// The built-in rules.
    pub(crate) rules: Arc<Rules>,
    /// Who may look into a long body now.
    pub(crate) long_bodies: Arc<Semaphore>,
    /// Where rules of `[waf]` look into long bodies.
    pub(crate) places: Places,
    /// How many bytes of bodies may be held.
    pub(crate) budget: Arc<Budget>,
    /// Where decisions are recorded; nowhere when requests are only supposed.
    pub(crate) recorder: Option<records::Recorder>,
    /// What traffic showed of routes that learn.
    pub(crate) book: Arc<Book>,
    /// Rate limits.
    pub(crate) limiter: Limiter,
    /// How many requests are under way.
    pub(crate) at_once: Arc<AtOnce>,
    /// The link to control, for what only control can answer (one-time codes).
    pub(crate) link: Option<link::Client>,
    /// The way to control's pages.
    pub(crate) control: Arc<Target>,
    /// What TLS handshakes are answered with.
    pub(crate) certificates: Arc<net::tls::Certificates>,
}

/// What [`Common`] is made from.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The time.
    pub(crate) clock: SharedClock,
    /// Randomness.
    pub(crate) entropy: SharedEntropy,
    /// How many bytes of bodies may be held.
    pub(crate) budget: Arc<Budget>,
    /// Where decisions are recorded; nowhere when requests are only supposed.
    pub(crate) recorder: Option<records::Recorder>,
    /// The link to control.
    pub(crate) link: Option<link::Client>,
    /// The way to control's pages.
    pub(crate) control: Target,
    /// What TLS handshakes are answered with.
    pub(crate) certificates: Arc<net::tls::Certificates>,
}

impl Common {
    /// Everything that is not given is empty.
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            clock: parts.clock,
            entropy: parts.entropy,
            state: ArcSwapOption::empty(),
            directory: Directory::default(),
            tokens: token::Remembered::default(),
            foreign_tokens: issuers::Remembered::default(),
            keeper: Notify::new(),
            signer: ArcSwapOption::empty(),
            earlier_keys: Mutex::default(),
            rules: Arc::new(Rules::built_in()),
            long_bodies: Arc::new(Semaphore::new(LONG_BODIES_MAX)),
            places: Places::default(),
            budget: parts.budget,
            recorder: parts.recorder,
            book: Arc::default(),
            limiter: Limiter::new(),
            at_once: Arc::new(AtOnce::new()),
            link: parts.link,
            control: Arc::new(parts.control),
            certificates: parts.certificates,
        }
    }

    /// Signs with a new key from now on; services can still verify what the last one signed.
    pub(crate) fn sign_with(&self, signer: Signer) {
        let before = self.signer.swap(Some(Arc::new(signer)));
        if let Some(before) = before {
            let mut earlier = self.earlier();
            let jwk = before.jwk();
            earlier.retain(|known| *known != jwk);
            earlier.insert(0, jwk);
            earlier.truncate(EARLIER_KEYS_MAX);
        }
    }

    /// The keys that verify assertions, newest first.
    pub(crate) fn assertion_keys(&self) -> Vec<serde_json::Value> {
        let current = self.signer.load().as_ref().map(|signer| signer.jwk());
        let earlier = self.earlier().clone();
        let others = earlier
            .into_iter()
            .filter(|key| Some(key) != current.as_ref());
        current.iter().cloned().chain(others).collect()
    }

    fn earlier(&self) -> std::sync::MutexGuard<'_, Vec<serde_json::Value>> {
        self.earlier_keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// A worker's own.
    pub(crate) fn new(common: Arc<Common>, metrics: Arc<Meter>) -> Self {
        Self {
            ids: PooledEntropy::new(Arc::clone(&common.entropy)),
            common,
            upstreams: Upstreams::new(),
            line: Line::default(),
            metrics,
        }
    }
}

impl std::ops::Deref for Shared {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

impl Handler for Shared {
    fn handle(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Reply> + Send {
        pipeline::handle(self, connection, request)
    }

    fn time(&self) -> Timestamp {
        self.clock.now()
    }

    fn refused(&self, peer: SocketAddr, code: &'static str, status: u16) {
        self.metrics.refused(code);
        if let Some(recorder) = &self.recorder {
            recorder.refused_connection(peer, code, status);
        }
    }

    fn asks(&self) -> Asks {
        let state = self.state.load();
        match state.as_ref().is_some_and(|state| state.gates.is_some()) {
            true => Asks::ByName,
            false => Asks::Nobody,
        }
    }

    fn gate(&self, name: Option<&str>) -> Option<Arc<Gate>> {
        let state = self.state.load();
        let gates = state.as_ref()?.gates.as_ref()?;
        // Who names nothing wants a host that has no gate of its own.
        gates.of(name.unwrap_or("")).cloned()
    }

    fn accepted(&self) {
        self.metrics.connection();
    }

    fn exhausted(&self) {
        self.metrics.refused("connection.no_descriptors");
    }

    fn tick(&self) {
        self.upstreams.sweep();
        self.limiter.sweep(self.clock.monotonic());
        let state = self.state.load();
        if let Some(store) = state.as_ref().and_then(|state| state.store.as_ref()) {
            self.line.look_after(store);
        }
    }

    fn upstreams(&self) -> PoolUse {
        self.upstreams.usage()
    }

    fn knows(&self, hello: &rustls::server::ClientHello<'_>) -> bool {
        self.certificates.knows(hello)
    }

    fn challenge(&self, host: &str, token: &str) -> Option<String> {
        self.certificates.challenges().page(host, token)
    }
}
