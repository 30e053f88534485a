//! Counters of the process as Prometheus text. Each worker counts for itself; a scrape adds up.
//!
//! Never allocates or locks on the way of a request once its route was seen by the worker.

mod limits;
mod services;
mod text;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::body::Use;
use crate::limiter::{AtOnce, Store};
use crate::link::protocol::{LATENCY_BOUNDS_US, RouteStats, Stats};
use crate::refused::step_of;
use crate::upstream::{PoolUse, Target};
use text::{Text, escape, seconds};

/// LIMIT: routes with counters of their own; the rest share the first slot, `other`.
const ROUTES_MAX: usize = 1024;
/// LIMIT: codes of refusals with counters of their own.
const CODES_MAX: usize = 128;
/// Steps that refusals of a route are counted by; anything else counts as `head`.
const STEPS: [&str; 13] = [
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
    store: Mutex<Weak<Store>>,
    at_once: OnceLock<Arc<AtOnce>>,
}

/// A route's place in every meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct RouteSlot(usize);

/// The counters of one worker.
#[derive(Debug)]
pub(crate) struct Meter {
    routes: Box<[OnceLock<Box<RouteCounters>>]>,
    codes: Box<[OnceLock<CodeCounter>]>,
    connections: AtomicU64,
    sanitized: AtomicU64,
}

#[derive(Debug, Default)]
struct RouteCounters {
    /// By status class, 1xx to 5xx.
    classes: [AtomicU64; 5],
    /// By upper bound, and one more for what took longer.
    buckets: [AtomicU64; LATENCY_BOUNDS_US.len() + 1],
    refused: [AtomicU64; STEPS.len()],
    observed: [AtomicU64; STEPS.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
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
        self.render_routes(&mut text);
        self.render_codes(&mut text);
        render_gauges(&mut text, gauges);
        services::render(&mut text, &self.services.stats());
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let store = store.upgrade().map(|store| store.stats());
        let places = self.at_once.get().map_or(0, |at_once| at_once.under_way());
        limits::render(&mut text, places, store.as_ref());
        text.into_string()
    }

    /// What was counted so far, for control.
    pub(crate) fn stats(&self, connections: usize, gap: u64) -> Stats {
        let names = self.routes().clone();
        let routes = names
            .into_iter()
            .enumerate()
            .map(|(slot, name)| (name, self.sum(slot).stats()))
            .filter(|(_, stats)| stats.requests > 0 || !stats.steps.is_empty())
            .collect();
        Stats {
            connections: wide(connections),
            routes,
            gap,
            services: self.services.stats(),
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

    fn render_routes(&self, text: &mut Text) {
        const REQUESTS: &str = "rampart_gateway_requests_total";
        const SECONDS: &str = "rampart_gateway_request_duration_seconds";
        let routes = self.routes().clone();
        let sums: Vec<_> = (0..routes.len()).map(|slot| self.sum(slot)).collect();
        text.head(
            REQUESTS,
            "counter",
            "Requests answered, by route and class of status.",
        );
        for (route, sum) in routes
            .iter()
            .zip(&sums)
            .filter(|(_, sum)| load(&sum.count) > 0)
        {
            for (class, count) in (1_u8..).zip(&sum.classes) {
                let labels = format!("route=\"{}\",status=\"{class}xx\"", escape(route));
                text.line(REQUESTS, &labels, load(count));
            }
        }
        text.head(
            SECONDS,
            "histogram",
            "From the whole head to the answer's head, by route.",
        );
        for (route, sum) in routes
            .iter()
            .zip(&sums)
            .filter(|(_, sum)| load(&sum.count) > 0)
        {
            let route = escape(route);
            let mut below = 0_u64;
            for (bound, count) in LATENCY_BOUNDS_US.iter().zip(&sum.buckets) {
                below = below.saturating_add(load(count));
                let labels = format!("route=\"{route}\",le=\"{}\"", seconds(*bound));
                text.line(&format!("{SECONDS}_bucket"), &labels, below);
            }
            let all = load(&sum.count);
            text.line(
                &format!("{SECONDS}_bucket"),
                &format!("route=\"{route}\",le=\"+Inf\""),
                all,
            );
            let labels = format!("route=\"{route}\"");
            text.value(
                &format!("{SECONDS}_sum"),
                &labels,
                &seconds(load(&sum.sum_us)),
            );
            text.line(&format!("{SECONDS}_count"), &labels, all);
        }
    }

    fn sum(&self, slot: usize) -> RouteCounters {
        let sum = RouteCounters::default();
        for meter in &self.meters {
            if let Some(counters) = meter.routes.get(slot).and_then(OnceLock::get) {
                sum.add(counters);
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

    /// A request of a route was answered with `status` after `took`.
    pub(crate) fn request(&self, route: RouteSlot, status: u16, took: Duration) {
        let Some(cell) = self.routes.get(route.0) else {
            return;
        };
        let counters = cell.get_or_init(Box::default);
        let class = usize::from((status / 100).clamp(1, 5)) - 1;
        if let Some(count) = counters.classes.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BOUNDS_US.partition_point(|bound| *bound < took_us);
        if let Some(count) = counters.buckets.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        counters.count.fetch_add(1, Ordering::Relaxed);
        counters.sum_us.fetch_add(took_us, Ordering::Relaxed);
    }

    /// A request of a route was refused; `code` is `<step>.<reason>`.
    pub(crate) fn refused_at(&self, route: RouteSlot, code: &'static str) {
        self.refused(code);
        if let Some(cell) = self.routes.get(route.0) {
            add_step(&cell.get_or_init(Box::default).refused, code);
        }
    }

    /// A request of a route would have been refused by a step that only observes.
    pub(crate) fn observed_at(&self, route: RouteSlot, code: &'static str) {
        if let Some(cell) = self.routes.get(route.0) {
            add_step(&cell.get_or_init(Box::default).observed, code);
        }
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

impl RouteCounters {
    fn stats(&self) -> RouteStats {
        let steps = STEPS
            .iter()
            .zip(self.refused.iter().zip(&self.observed))
            .map(|(step, (refused, observed))| {
                ((*step).to_owned(), (load(refused), load(observed)))
            })
            .filter(|(_, counts)| *counts != (0, 0))
            .collect();
        RouteStats {
            requests: load(&self.count),
            statuses: self.classes.each_ref().map(load),
            latency: self.buckets.iter().map(load).collect(),
            steps,
        }
    }

    fn add(&self, other: &Self) {
        let pairs = self
            .classes
            .iter()
            .zip(&other.classes)
            .chain(self.buckets.iter().zip(&other.buckets))
            .chain(self.refused.iter().zip(&other.refused))
            .chain(self.observed.iter().zip(&other.observed))
            .chain([(&self.count, &other.count), (&self.sum_us, &other.sum_us)]);
        for (sum, one) in pairs {
            sum.fetch_add(load(one), Ordering::Relaxed);
        }
    }
}

fn add_step(steps: &[AtomicU64; STEPS.len()], code: &'static str) {
    let step = step_of(code);
    let at = STEPS.iter().position(|name| *name == step).unwrap_or(0);
    if let Some(count) = steps.get(at) {
        count.fetch_add(1, Ordering::Relaxed);
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
