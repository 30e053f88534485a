//! Counters of the process as Prometheus text. Each worker counts for itself; a scrape adds up.
//!
//! Never allocates or locks on the way of a request once its route was seen by the worker.

mod counters;
mod limits;
mod routes;
mod services;
mod text;
mod waf;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::body::Use;
use crate::limiter::{AtOnce, Store};
use crate::link::protocol::{HeldStats, Stats};
use crate::records::Recorder;
use crate::upstream::{PoolUse, Target};
use counters::RouteCounters;
use text::Text;

/// LIMIT: routes with counters of their own; the rest share the first slot, `other`.
const ROUTES_MAX: usize = 1024;
/// LIMIT: codes of refusals with counters of their own.
const CODES_MAX: usize = 128;
/// Steps that refusals of a route are counted by; anything else counts as `head`.
const STEPS: [&str; 14] = [
    "head",
    "ban",
    "path",
    "route",
    "snapshot",
    "authenticate",
    "authorise",
    "limits",
    "body",
    "inspect",
    "waf",
    "validate",
    "sanitize",
    "grpc",
];

/// Names of routes and the meters of all workers.
#[derive(Debug)]
pub(crate) struct Registry {
    routes: Mutex<Vec<String>>,
    meters: Vec<Arc<Meter>>,
    services: services::Services,
    records: OnceLock<Recorder>,
    store: Mutex<Weak<Store>>,
    at_once: OnceLock<Arc<AtOnce>>,
}

/// A route's place in every meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct RouteSlot(usize);

impl RouteSlot {
    /// Below the number of routes that have counters of their own.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// The counters of one worker.
#[derive(Debug)]
pub(crate) struct Meter {
    routes: Box<[OnceLock<Box<RouteCounters>>]>,
    codes: Box<[OnceLock<CodeCounter>]>,
    connections: AtomicU64,
    sanitized: AtomicU64,
    waf: waf::Counters,
    /// The thread that counts requests.
    #[cfg(debug_assertions)]
    counts: OnceLock<std::thread::ThreadId>,
}

#[derive(Debug)]
struct CodeCounter {
    code: &'static str,
    count: AtomicU64,
}

/// What a scrape reads elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gauges {
    /// Open connections.
    pub(crate) connections_open: usize,
    /// Held bodies in memory.
    pub(crate) memory: Use,
    /// Held bodies on disk.
    pub(crate) disk: Use,
    /// Connections to upstreams.
    pub(crate) upstreams: PoolUse,
}

impl Registry {
    /// A registry with a meter for each of `workers`.
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            routes: Mutex::new(vec!["other".to_owned()]),
            meters: (0..workers).map(|_| Arc::new(Meter::new())).collect(),
            services: services::Services::default(),
            records: OnceLock::new(),
            store: Mutex::default(),
            at_once: OnceLock::new(),
        }
    }

    /// The meters, one for each worker.
    pub(crate) fn meters(&self) -> &[Arc<Meter>] {
        &self.meters
    }

    /// The slot of the route called `name`, the same for every estate version. Asked for when an
    /// estate is compiled.
    pub(crate) fn route(&self, name: &str) -> RouteSlot {
        let mut routes = self.routes();
        if let Some(slot) = routes.iter().position(|known| known == name) {
            return RouteSlot(slot);
        }
        if routes.len() >= ROUTES_MAX {
            return RouteSlot::default();
        }
        routes.push(name.to_owned());
        RouteSlot(routes.len().saturating_sub(1))
    }

    /// A service is told about from now on.
    pub(crate) fn watch(&self, target: &Arc<Target>) {
        self.services.watch(target);
    }

    /// How it stands with these records is told from now on.
    pub(crate) fn watch_records(&self, records: Recorder) {
        // There is one recorder for the life of the process.
        drop(self.records.set(records));
    }

    /// Where limits are counted together is told about from now on.
    pub(crate) fn watch_store(&self, store: &Arc<Store>) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(store);
    }

    /// How many requests hold a place is told about from now on.
    pub(crate) fn watch_at_once(&self, at_once: &Arc<AtOnce>) {
        // There is one for the process.
        drop(self.at_once.set(Arc::clone(at_once)));
    }

    /// Everything, as Prometheus text (version 0.0.4).
    pub(crate) fn render(&self, gauges: &Gauges) -> String {
        let mut text = Text::default();
        self.render_connections(&mut text, gauges);
        routes::render(&mut text, &self.sums());
        self.render_codes(&mut text);
        waf::render(&mut text, self.meters.iter().map(|meter| &meter.waf));
        render_gauges(&mut text, gauges);
        self.render_records(&mut text);
        services::render(&mut text, &self.services.stats());
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let store = store.upgrade().map(|store| store.stats());
        let places = self.at_once.get().map_or(0, |at_once| at_once.under_way());
        limits::render(&mut text, places, store.as_ref());
        text.into_string()
    }

    /// What was counted so far, for control.
    pub(crate) fn stats(&self, connections: usize, held: HeldStats) -> Stats {
        let routes = self
            .sums()
            .into_iter()
            .map(|(name, sum)| (name, sum.stats()))
            .filter(|(_, stats)| stats.requests > 0 || !stats.steps.is_empty())
            .collect();
        Stats {
            connections: wide(connections),
            routes,
            gap: self.records.get().map_or(0, Recorder::gap),
            services: self.services.stats(),
            held,
        }
    }

    fn routes(&self) -> MutexGuard<'_, Vec<String>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn render_connections(&self, text: &mut Text, gauges: &Gauges) {
        let accepted = self
            .meters
            .iter()
            .map(|meter| load(&meter.connections))
            .sum();
        text.head(
            "rampart_gateway_connections_total",
            "counter",
            "Connections accepted.",
        );
        text.line("rampart_gateway_connections_total", "", accepted);
        text.head(
            "rampart_gateway_connections_open",
            "gauge",
            "Connections open now.",
        );
        text.line(
            "rampart_gateway_connections_open",
            "",
            wide(gauges.connections_open),
        );
        const SANITIZED: &str = "rampart_gateway_sanitized_fields_total";
        let meters = self.meters.iter();
        let sanitized = meters.map(|meter| load(&meter.sanitized)).sum();
        text.head(
            SANITIZED,
            "counter",
            "Fields of bodies that were cleaned, or would have been where the step observes.",
        );
        text.line(SANITIZED, "", sanitized);
    }

    fn render_records(&self, text: &mut Text) {
        let Some(records) = self.records.get() else {
            return;
        };
        let state = records.state();
        for (name, kind, help, value) in [
            (
                "rampart_gateway_records_left_out_total",
                "counter",
                "Traffic records left out under pressure or because they could not be written.",
                records.gap(),
            ),
            (
                "rampart_gateway_records_writable",
                "gauge",
                "Whether traffic records could be written the last time.",
                u64::from(!state.is_troubled),
            ),
            (
                "rampart_gateway_deliveries_waiting",
                "gauge",
                "Events and seals that the trail does not have yet, in deliveries.",
                state.deliveries,
            ),
        ] {
            text.head(name, kind, help);
            text.line(name, "", value);
        }
    }

    /// What all workers counted of each route that was asked for.
    fn sums(&self) -> Vec<routes::Counted> {
        let names = self.routes().clone();
        let named = names.into_iter().enumerate();
        named
            .filter_map(|(slot, name)| Some((name, self.sum(slot)?)))
            .collect()
    }

    fn sum(&self, slot: usize) -> Option<Box<RouteCounters>> {
        let mut sum: Option<Box<RouteCounters>> = None;
        for meter in &self.meters {
            if let Some(counters) = meter.routes.get(slot).and_then(OnceLock::get) {
                sum.get_or_insert_default().add(counters);
            }
        }
        sum
    }

    fn render_codes(&self, text: &mut Text) {
        const REFUSALS: &str = "rampart_gateway_refusals_total";
        text.head(
            REFUSALS,
            "counter",
            "Requests and connections refused, by reason.",
        );
        let mut sums = std::collections::BTreeMap::<&str, u64>::new();
        for counter in self.meters.iter().flat_map(|meter| meter.codes.iter()) {
            if let Some(counter) = counter.get() {
                let sum = sums.entry(counter.code).or_default();
                *sum = sum.saturating_add(load(&counter.count));
            }
        }
        for (code, count) in sums {
            let step = code.split('.').next().unwrap_or(code);
            text.line(REFUSALS, &format!("step=\"{step}\",code=\"{code}\""), count);
        }
    }
}

fn render_gauges(text: &mut Text, gauges: &Gauges) {
    const HELD: &str = "rampart_gateway_held_bytes";
    const MAX: &str = "rampart_gateway_held_bytes_max";
    const FULL: &str = "rampart_gateway_held_full_total";
    const POOL: &str = "rampart_gateway_upstream_connections";
    let places = [("memory", gauges.memory), ("disk", gauges.disk)];
    text.head(HELD, "gauge", "Bytes of request bodies held now.");
    for (place, usage) in places {
        text.line(HELD, &format!("place=\"{place}\""), usage.taken);
    }
    text.head(MAX, "gauge", "Bytes of request bodies that may be held.");
    for (place, usage) in places {
        text.line(MAX, &format!("place=\"{place}\""), usage.max);
    }
    text.head(FULL, "counter", "How often there was no room for a body.");
    for (place, usage) in places {
        text.line(FULL, &format!("place=\"{place}\""), usage.refused);
    }
    text.head(POOL, "gauge", "Connections to upstreams, by state.");
    let used = gauges.upstreams.open.saturating_sub(gauges.upstreams.idle);
    text.line(POOL, "state=\"idle\"", wide(gauges.upstreams.idle));
    text.line(POOL, "state=\"used\"", wide(used));
}

impl Meter {
    fn new() -> Self {
        Self {
            routes: (0..ROUTES_MAX).map(|_| OnceLock::new()).collect(),
            codes: (0..CODES_MAX).map(|_| OnceLock::new()).collect(),
            connections: AtomicU64::new(0),
            sanitized: AtomicU64::new(0),
            waf: waf::Counters::default(),
            #[cfg(debug_assertions)]
            counts: OnceLock::new(),
        }
    }

    /// A connection was accepted.
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// So many fields of a body were cleaned, or would have been.
    pub(crate) fn sanitized(&self, fields: usize) {
        self.sanitized.fetch_add(wide(fields), Ordering::Relaxed);
    }

    /// A request of a route was answered with `status` after `took`, of which a service had its
    /// part. Called by the worker's own thread alone.
    pub(crate) fn request(
        &self,
        route: RouteSlot,
        status: u16,
        took: Duration,
        service: Option<Duration>,
    ) {
        #[cfg(debug_assertions)]
        {
            let own = std::thread::current().id();
            assert_eq!(*self.counts.get_or_init(|| own), own, "another's meter");
        }
        if let Some(cell) = self.routes.get(route.0) {
            let counters = cell.get_or_init(Box::default);
            counters.request(status, took, service);
        }
    }

    /// A request of a route was refused; `code` is `<step>.<reason>`.
    pub(crate) fn refused_at(&self, route: RouteSlot, code: &'static str) {
        self.refused(code);
        if let Some(cell) = self.routes.get(route.0) {
            cell.get_or_init(Box::default).refused(code);
        }
    }

    /// A step that only observes found something about a request of a route, or about its answer.
    pub(crate) fn observed_at(&self, route: RouteSlot, code: &'static str) {
        if let Some(cell) = self.routes.get(route.0) {
            cell.get_or_init(Box::default).observed(code);
        }
    }

    /// A request of a route matched a rule of `[waf]`.
    pub(crate) fn matched(&self, route: RouteSlot, rule: u64) {
        self.waf.matched(rule);
        if let Some(cell) = self.routes.get(route.0) {
            cell.get_or_init(Box::default).matched();
        }
    }

    /// Rules of `[waf]` looked at a request or an answer for so long. Called by the worker's own
    /// thread alone.
    pub(crate) fn judged(&self, took: Duration) {
        self.waf.judged(took);
    }

    /// The budget of a request was spent before all rules had run.
    pub(crate) fn spent(&self) {
        self.waf.spent();
    }

    /// Rules of `[waf]` wanted to look into an answer and could not.
    pub(crate) fn unseen(&self) {
        self.waf.unseen();
    }

    /// Something was refused; `code` is `<step>.<reason>`.
    pub(crate) fn refused(&self, code: &'static str) {
        for cell in &self.codes {
            let counter = cell.get_or_init(|| CodeCounter {
                code,
                count: AtomicU64::new(0),
            });
            if counter.code == code {
                counter.count.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
