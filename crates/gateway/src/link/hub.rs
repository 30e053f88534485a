//! Control's end of every link: keeps what gateways must know, tells each that connects, and takes
//! a new estate to all of them in two phases.

mod flow;
mod registry;
mod session;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::snapshot::{IdentityChange, IdentitySnapshot};
use model::{SharedClock, Timestamp};
use net::UnixAccess;
use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::port::ControlPort;
use super::protocol::{
    AssertionKeyText, CertificateText, ChallengeText, EstateTexts, Learnt, RouteStats, Stats,
    ToGateway,
};
use registry::{Answer, Key, Registry, Wait};

/// LIMIT: links at once, half-open ones included.
const LINKS_MAX: usize = 64;
/// How long gateways may take to get a version ready.
const PREPARE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long they may take to swap it in, or to take certificates.
const SWAP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long they may take to say that what they were told counts.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long links may take to end at a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle on the hub; cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    port: Arc<dyn ControlPort>,
    clock: SharedClock,
    registry: Mutex<Registry>,
}

/// A connected gateway.
#[derive(Clone, Debug)]
pub struct GatewayStatus {
    /// What it calls itself.
    pub node: String,
    /// Which process of that name: while one takes over from another there are two.
    pub instance: String,
    /// The estate version it serves.
    pub version: u64,
    /// What it counted since it started.
    pub stats: Stats,
    /// Requests per second, lately.
    pub rate: f64,
    /// Since when it is connected.
    pub connected_since: Timestamp,
}

/// A version that every connected gateway has ready. Dropped without [`PreparedEstate::swap`], it
/// is given up everywhere.
#[derive(Debug)]
pub struct PreparedEstate {
    hub: Hub,
    version: u64,
    texts: Arc<EstateTexts>,
    decided: bool,
}

impl Hub {
    /// A hub that answers gateways through `port`. Gateways that connect wait until certificates,
    /// the assertion key, identity and an estate were set.
    #[must_use]
    pub fn new(port: Arc<dyn ControlPort>, clock: SharedClock) -> Self {
        Self(Arc::new(Inner {
            port,
            clock,
            registry: Mutex::default(),
        }))
    }

    /// Takes links until `stop`. Only peers that `access` allows are listened to.
    pub async fn serve(&self, listener: UnixListener, access: UnixAccess, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(LINKS_MAX));
        let tasks = TaskTracker::new();
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                break;
            };
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a link");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            if net::permitted_peer(&stream, access).is_none() {
                tracing::warn!("refused a peer on the link");
                continue;
            }
            let (hub, stop) = (self.clone(), stop.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = session::run(hub, stream) => {}
                    () = stop.cancelled() => {}
                }
                drop(slot);
            });
        }
        tasks.close();
        if timeout(STOP_TIMEOUT, tasks.wait()).await.is_err() {
            tracing::warn!("some links did not end in time");
        }
    }

    /// Identity is exactly this; every gateway gets all of it.
    pub fn set_identity(&self, snapshot: IdentitySnapshot) {
        let mut registry = self.registry();
        let message = Arc::new(ToGateway::Identity(Box::new(snapshot.clone())));
        registry.identity = Some(snapshot);
        registry.tell_all(&message);
        registry.begin_ready();
    }

    /// Identity changed by one step, which leads to `revision`.
    pub fn change(&self, revision: u64, change: IdentityChange) {
        let mut registry = self.registry();
        let Some(identity) = &mut registry.identity else {
            return;
        };
        identity.apply(change.clone());
        identity.revision = revision;
        let change = Box::new(change);
        registry.tell_all(&Arc::new(ToGateway::Change { revision, change }));
    }

    /// Waits until every linked gateway says that what it was told so far counts: who was revoked
    /// before is refused after.
    ///
    /// # Errors
    /// Where it may not count yet, each in one line; also when no gateway is linked, as one may
    /// be serving what it knew before.
    pub async fn settled(&self) -> Result<(), Vec<String>> {
        let waiting = {
            let mut registry = self.registry();
            let id = registry.next_id();
            registry.ask_all(Wait::Settled(id), &Arc::new(ToGateway::Settle { id }))
        };
        if waiting.is_empty() {
            return Err(vec!["no gateway is linked".to_owned()]);
        }
        heard(waiting, SETTLE_TIMEOUT).await
    }

    /// What gateways know of identity.
    #[must_use]
    pub fn identity(&self) -> IdentitySnapshot {
        self.registry().identity.clone().unwrap_or_default()
    }

    /// Handshakes are answered with exactly these; waits for the connected gateways.
    ///
    /// # Errors
    /// What the gateways said that refused, each in one line; they keep what they had.
    pub async fn set_certificates(
        &self,
        certificates: Vec<CertificateText>,
    ) -> Result<(), Vec<String>> {
        let waiting = {
            let mut registry = self.registry();
            registry.certificates = Some(certificates.clone());
            let id = registry.next_id();
            let message = Arc::new(ToGateway::Certificates { id, certificates });
            let waiting = registry.ask_all(Wait::Certificates(id), &message);
            registry.begin_ready();
            waiting
        };
        heard(waiting, SWAP_TIMEOUT).await
    }

    /// Whether some gateway answers requests.
    pub(crate) fn is_serving(&self) -> bool {
        self.registry().is_serving()
    }

    /// Challenges are answered with exactly these; waits for the connected gateways.
    ///
    /// # Errors
    /// What the gateways said that refused, each in one line; also when no gateway is linked, as
    /// then nobody answers.
    pub(crate) async fn set_challenges(
        &self,
        challenges: Vec<ChallengeText>,
    ) -> Result<(), Vec<String>> {
        let waiting = {
            let mut registry = self.registry();
            registry.challenges = challenges.clone();
            let id = registry.next_id();
            let message = Arc::new(ToGateway::Challenges { id, challenges });
            registry.ask_all(Wait::Certificates(id), &message)
        };
        if waiting.is_empty() {
            return Err(vec!["no gateway is linked".to_owned()]);
        }
        heard(waiting, SWAP_TIMEOUT).await
    }

    /// Assertions are signed with this.
    pub fn set_assertion_key(&self, key: AssertionKeyText) {
        let mut registry = self.registry();
        registry.tell_all(&Arc::new(ToGateway::AssertionKey(key.clone())));
        registry.assertion_key = Some(key);
        registry.begin_ready();
    }

    /// Lets every connected gateway get a version ready. Changes nothing that is in force.
    ///
    /// # Errors
    /// What the gateways said that cannot, each in one line; then all of them give it up.
    pub async fn prepare(
        &self,
        version: u64,
        texts: impl Into<EstateTexts>,
    ) -> Result<PreparedEstate, Vec<String>> {
        let texts = texts.into();
        let prepared = PreparedEstate {
            hub: self.clone(),
            version,
            texts: Arc::new(texts.clone()),
            decided: false,
        };
        let message = Arc::new(ToGateway::Prepare { version, texts });
        let waiting = self.registry().ask_all(Wait::Prepared(version), &message);
        heard(waiting, PREPARE_TIMEOUT).await?;
        Ok(prepared)
    }

    /// What gateways learnt of routes' traffic: which gateway, and what.
    #[must_use]
    pub fn learnt(&self) -> Vec<(String, Learnt)> {
        self.registry().all_learnt()
    }

    /// What went through all gateways since this process started, by route. It only grows,
    /// whichever gateways come and go.
    #[must_use]
    pub fn flow(&self) -> BTreeMap<Arc<str>, Arc<RouteStats>> {
        self.registry().flow.routes()
    }

    /// The connected gateways.
    #[must_use]
    pub fn gateways(&self) -> Vec<GatewayStatus> {
        self.registry().statuses()
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0
            .registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl PreparedEstate {
    /// Takes the version into force in every gateway; those that connect later get it too. A
    /// gateway that connected in between is told to prepare it first.
    pub async fn swap(mut self) {
        self.decided = true;
        let version = self.version;
        let waiting = {
            let mut registry = self.hub.registry();
            registry.estate = Some((version, Arc::clone(&self.texts)));
            let waiting = registry.swap_prepared(version);
            registry.begin_ready();
            waiting
        };
        if let Err(refusals) = heard(waiting, SWAP_TIMEOUT).await {
            // Such a link is cut and begins anew, with the new version.
            tracing::warn!(?refusals, "a gateway did not swap in time");
            self.hub.registry().cut_all_but(version);
        }
    }
}

impl Drop for PreparedEstate {
    fn drop(&mut self) {
        if !self.decided {
            let version = self.version;
            let message = Arc::new(ToGateway::Abandon { version });
            self.hub.registry().tell_all(&message);
        }
    }
}

/// What every asked gateway says; one that is gone meanwhile says nothing.
async fn heard(waiting: Vec<(Key, Answer)>, limit: Duration) -> Result<(), Vec<String>> {
    let until = tokio::time::Instant::now() + limit;
    let mut refusals = Vec::new();
    for (node, answer) in waiting {
        match tokio::time::timeout_at(until, answer).await {
            Ok(Ok(Ok(())) | Err(_)) => {}
            Ok(Ok(Err(why))) => refusals.push(format!("gateway `{}`: {why}", node.node)),
            Err(_) => refusals.push(format!("gateway `{}` did not answer in time", node.node)),
        }
    }
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(refusals)
    }
}
