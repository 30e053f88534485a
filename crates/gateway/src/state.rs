//! What requests are decided by at one moment: a compiled estate with its ways to the services.
//! Replaced whole, never changed.

use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;

use ahash::AHashMap;
use estate::{Auth, Estate, Route};

use crate::Error;
use crate::clients::Clients;
use crate::compile::{Compiled, CompiledRoute};
use crate::contract::Documents;
use crate::gates::{self, Gates};
use crate::issuers::Issuers;
use crate::limiter::{self, Limits, Policy, Store};
use crate::metrics::{Registry, RouteSlot};
use crate::router::RouteIndex;
use crate::upstream::{self, Around, Target};

/// Ways to services.
type Targets = Vec<Arc<Target>>;

/// See the module.
#[derive(Debug)]
pub(crate) struct State {
    /// The estate.
    pub(crate) compiled: Compiled,
    targets: Vec<Arc<Target>>,
    extras: Vec<Extra>,
    limits: Vec<Limits>,
    /// Client applications, by their certificates.
    pub(crate) clients: Clients,
    /// Other issuers.
    pub(crate) issuers: Issuers,
    /// Where clients are asked for certificates.
    pub(crate) gates: Option<Gates>,
    /// How often one address may ask for anything.
    pub(crate) per_address: Option<Policy>,
    /// How often one address may try to sign in.
    pub(crate) sign_in: Policy,
    /// Where limits of routes are counted together with other gateways.
    pub(crate) store: Option<Arc<Store>>,
    /// Where requests to the console's host are counted.
    pub(crate) console_slot: RouteSlot,
    /// Where requests that reach no route are counted.
    pub(crate) no_slot: RouteSlot,
}

/// What a route has beyond what was compiled.
#[derive(Clone, Copy, Debug)]
struct Extra {
    slot: RouteSlot,
    /// Stands for the route's name in limits, so that counts outlive a new version.
    number: u64,
}

/// One route with everything there is about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chosen<'a> {
    /// As the estate has it.
    pub(crate) route: &'a Route,
    /// As it was compiled.
    pub(crate) compiled: &'a CompiledRoute,
    /// Where it is counted.
    pub(crate) slot: RouteSlot,
    /// Stands for its name in limits.
    pub(crate) number: u64,
    /// How often, and how many at once.
    pub(crate) limits: &'a Limits,
}

/// Makes states: what they share over versions.
#[derive(Debug)]
pub(crate) struct Builder {
    /// Names of routes for counting.
    pub(crate) registry: Arc<Registry>,
    hasher: RandomState,
    around: Around,
    gates: Option<gates::Maker>,
    together: Option<limiter::Maker>,
}

impl Builder {
    /// See the fields.
    pub(crate) fn new(around: Around, registry: Arc<Registry>) -> Self {
        Self {
            registry,
            hasher: RandomState::new(),
            around,
            gates: None,
            together: None,
        }
    }

    /// With what it takes to ask clients for certificates.
    pub(crate) fn asking(mut self, gates: gates::Maker) -> Self {
        self.gates = Some(gates);
        self
    }

    /// With what it takes to count limits together with other gateways.
    pub(crate) fn counting(mut self, together: limiter::Maker) -> Self {
        self.together = Some(together);
        self
    }

    /// Compiles a version. Services that did not change keep the connections of `before`.
    ///
    /// # Errors
    /// When a service cannot be reached the way it is described.
    pub(crate) fn build(
        &self,
        version: u64,
        estate: Arc<Estate>,
        documents: &Documents,
        before: Option<&State>,
    ) -> Result<State, Error> {
        let (targets, fresh) = self.targets(&estate, before)?;
        let base = self.around.base();
        let issuers = Issuers::new(&estate, base, before.map(|state| &state.issuers))?;
        let gates = match &self.gates {
            Some(maker) => {
                let before = before.and_then(|state| state.gates.as_ref());
                Gates::new(&estate, maker, before)?
            }
            None => None,
        };
        let store = match &self.together {
            Some(maker) => maker.store(&estate, before.and_then(|state| state.store.as_ref()))?,
            None => None,
        };
        if let Some(store) = &store {
            self.registry.watch_store(store);
        }
        upstream::first_look_up(&fresh);
        for target in &fresh {
            self.registry.watch(target);
            upstream::start(target, &self.around);
        }
        let mut state = self.state(version, estate, documents, targets);
        state.issuers = issuers;
        state.gates = gates;
        state.store = store;
        Ok(state)
    }

    /// The way to every service; and which of them are new.
    fn targets(
        &self,
        estate: &Estate,
        before: Option<&State>,
    ) -> Result<(Targets, Targets), Error> {
        let kept: AHashMap<&str, (&estate::Service, &Arc<Target>)> = before
            .map(|state| {
                let services = state.compiled.estate.services.iter();
                services
                    .zip(&state.targets)
                    .map(|((name, service), target)| (name.as_str(), (service, target)))
                    .collect()
            })
            .unwrap_or_default();
        let ours = ours(estate);
        let same_ours = before.is_some_and(|before| self::ours(before.estate()) == ours);
        let mut targets = Vec::with_capacity(estate.services.len());
        let mut fresh = Vec::new();
        for (name, service) in &estate.services {
            let old = kept.get(name.as_str());
            let same = old.filter(|(old, _)| {
                // A file of authorities may have changed beneath its name; and where a name may
                // not lead depends on where the gateway listens.
                *old == service
                    && !service.protocol.is_tls()
                    && (same_ours || service.named.is_empty())
            });
            if let Some((_, target)) = same {
                targets.push(Arc::clone(target));
                continue;
            }
            let before = old.map(|(_, target)| &***target);
            let target = Arc::new(Target::service(service, &self.around, &ours, before)?);
            fresh.push(Arc::clone(&target));
            targets.push(target);
        }
        Ok((targets, fresh))
    }

    /// A state that decides but leads nowhere: for asking what would happen.
    pub(crate) fn supposed(
        &self,
        version: u64,
        estate: Arc<Estate>,
        documents: &Documents,
    ) -> State {
        self.state(version, estate, documents, Vec::new())
    }

    fn state(
        &self,
        version: u64,
        estate: Arc<Estate>,
        documents: &Documents,
        targets: Vec<Arc<Target>>,
    ) -> State {
        let number = |kind: &str, name: &str| match kind {
            "route" => self.hasher.hash_one(name),
            kind => self.hasher.hash_one((kind, name)),
        };
        let extras = estate
            .routes
            .iter()
            .map(|route| Extra {
                slot: self.registry.route(&route.name),
                number: self.hasher.hash_one(&route.name),
            })
            .collect();
        State {
            clients: Clients::new(&estate),
            issuers: Issuers::default(),
            gates: None,
            limits: limiter::compile(&estate, number),
            per_address: estate
                .limits
                .per_address
                .map(|rate| Policy::new(EVERY, rate)),
            sign_in: Policy::new("sign-in", estate.limits.sign_in_per_address),
            store: None,
            compiled: Compiled::new(version, estate, documents),
            targets,
            extras,
            console_slot: self.registry.route(CONSOLE),
            no_slot: self.registry.route(NONE),
        }
    }
}

/// Where the gateway itself listens.
fn ours(estate: &Estate) -> Vec<SocketAddr> {
    let listen = &estate.listen;
    let all = listen.https.iter().chain(&listen.http);
    all.chain(&listen.metrics).copied().collect()
}

/// The name under which requests to the console's host are counted and recorded.
pub(crate) const CONSOLE: &str = "rampart.console";
/// The name of the limit of an address over all routes.
const EVERY: &str = "rampart";
/// The name for requests that reach no route.
pub(crate) const NONE: &str = "-";

impl State {
    /// The estate.
    pub(crate) fn estate(&self) -> &Estate {
        &self.compiled.estate
    }

    /// A route by its place.
    pub(crate) fn route(&self, index: RouteIndex) -> Option<Chosen<'_>> {
        let (route, compiled) = self.compiled.route(index)?;
        let extra = self.extras.get(index)?;
        Some(Chosen {
            route,
            compiled,
            slot: extra.slot,
            number: extra.number,
            limits: self.limits.get(index)?,
        })
    }

    /// Whether something it depends on lies outside and may change.
    pub(crate) fn looks_outside(&self) -> bool {
        !self.issuers.is_empty() || self.gates.is_some()
    }

    /// The way to a route's service.
    pub(crate) fn target(&self, route: &CompiledRoute) -> Option<&Arc<Target>> {
        self.targets.get(route.service)
    }
}

/// Whether a route looks at credentials of Rampart's.
pub(crate) fn looks_at_credentials(auth: Auth) -> bool {
    matches!(auth, Auth::Required | Auth::Optional)
}
