//! How services stand, as Prometheus text and for control.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::text::{Text, escape};
use crate::link::protocol::{AddressStats, BreakerWord, Condition, ServiceStats};
use crate::upstream::Target;

/// LIMIT: services told about one by one.
const SERVICES_MAX: usize = 1024;
/// LIMIT: addresses of all of them told to control each second.
const ADDRESSES_MAX: usize = 2048;

/// The services of the version in force, and of those before that still answer.
#[derive(Debug, Default)]
pub(super) struct Services(Mutex<Vec<Weak<Target>>>);

impl Services {
    /// From now on it is told about, instead of one of the same name.
    pub(super) fn watch(&self, target: &Arc<Target>) {
        let mut services = self.lock();
        services.retain(|known| {
            known
                .upgrade()
                .is_some_and(|known| !Arc::ptr_eq(&known, target))
        });
        services.push(Arc::downgrade(target));
    }

    /// By name; of several with one name, the newest.
    pub(super) fn stats(&self) -> BTreeMap<String, ServiceStats> {
        let targets: Vec<Arc<Target>> = self.lock().iter().filter_map(Weak::upgrade).collect();
        let mut room = ADDRESSES_MAX;
        let mut stats = BTreeMap::new();
        for target in targets.iter().rev() {
            if stats.len() >= SERVICES_MAX || stats.contains_key(&*target.name) {
                continue;
            }
            let one = target.stats(room);
            room = room.saturating_sub(one.addresses.len());
            stats.insert(target.name.to_string(), one);
        }
        stats
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Target>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A metric of a service: name, kind, help, value.
type OfService = (
    &'static str,
    &'static str,
    &'static str,
    fn(&ServiceStats) -> u64,
);
type OfAddress = (
    &'static str,
    &'static str,
    &'static str,
    fn(&AddressStats) -> u64,
);

const OF_SERVICE: [OfService; 6] = [
    (
        "rampart_gateway_service_requests_total",
        "counter",
        "Requests that were to go to a service.",
        |service| service.requests,
    ),
    (
        "rampart_gateway_service_waiting",
        "gauge",
        "Requests that wait for others to the same service to end.",
        |service| service.waiting,
    ),
    (
        "rampart_gateway_service_crowded_out_total",
        "counter",
        "Requests for which a service had no room.",
        |service| service.crowded_out,
    ),
    (
        "rampart_gateway_service_retries_total",
        "counter",
        "Requests sent again.",
        |service| service.retries,
    ),
    (
        "rampart_gateway_service_retries_withheld_total",
        "counter",
        "Requests not sent again for want of budget.",
        |service| service.retries_withheld,
    ),
    (
        "rampart_gateway_service_retries_left",
        "gauge",
        "Requests that may be sent again now.",
        |service| service.retries_left,
    ),
];

const OF_ADDRESS: [OfAddress; 7] = [
    (
        "rampart_gateway_upstream_healthy",
        "gauge",
        "Whether an address is well by its probes (1 when nobody asks).",
        |address| u64::from(address.condition != Condition::Unwell),
    ),
    (
        "rampart_gateway_upstream_ejected",
        "gauge",
        "Whether an address is passed over because its requests failed.",
        |address| u64::from(address.condition == Condition::Ejected),
    ),
    (
        "rampart_gateway_upstream_requests_under_way",
        "gauge",
        "Requests under way to an address.",
        |address| address.under_way,
    ),
    (
        "rampart_gateway_upstream_address_connections",
        "gauge",
        "Open connections to an address.",
        |address| address.connections,
    ),
    (
        "rampart_gateway_upstream_ejections_total",
        "counter",
        "How often an address was passed over.",
        |address| address.ejections,
    ),
    (
        "rampart_gateway_upstream_probes_total",
        "counter",
        "How often an address was asked whether it is well.",
        |address| address.probes,
    ),
    (
        "rampart_gateway_upstream_probes_failed_total",
        "counter",
        "How often it was not.",
        |address| address.probes_failed,
    ),
];

/// Everything about services.
pub(super) fn render(text: &mut Text, services: &BTreeMap<String, ServiceStats>) {
    if services.is_empty() {
        return;
    }
    for (name, kind, help, value) in OF_SERVICE {
        text.head(name, kind, help);
        for (service, stats) in services {
            let labels = format!("service=\"{}\"", escape(service));
            text.line(name, &labels, value(stats));
        }
    }
    breakers(text, services);
    for (name, kind, help, value) in OF_ADDRESS {
        text.head(name, kind, help);
        for_each_address(services, |labels, address| {
            text.line(name, labels, value(address));
        });
    }
    const FAILURES: &str = "rampart_gateway_upstream_failures_total";
    text.head(FAILURES, "counter", "Attempts that failed, by kind.");
    for_each_address(services, |labels, address| {
        for (kind, count) in &address.failures {
            text.line(FAILURES, &format!("{labels},kind=\"{kind}\""), *count);
        }
    });
}

fn breakers(text: &mut Text, services: &BTreeMap<String, ServiceStats>) {
    const OPEN: &str = "rampart_gateway_service_breaker_open";
    const HELD_OFF: &str = "rampart_gateway_service_held_off_total";
    let with_breaker = || services.iter().filter(|(_, one)| one.breaker.is_some());
    if with_breaker().next().is_none() {
        return;
    }
    text.head(
        OPEN,
        "gauge",
        "Whether a service's breaker lets no request through.",
    );
    for (service, stats) in with_breaker() {
        let labels = format!("service=\"{}\"", escape(service));
        let is_open = stats.breaker != Some(BreakerWord::Closed);
        text.line(OPEN, &labels, u64::from(is_open));
    }
    text.head(
        HELD_OFF,
        "counter",
        "Requests that a breaker let not through.",
    );
    for (service, stats) in with_breaker() {
        let labels = format!("service=\"{}\"", escape(service));
        text.line(HELD_OFF, &labels, stats.held_off);
    }
}

fn for_each_address(
    services: &BTreeMap<String, ServiceStats>,
    mut act: impl FnMut(&str, &AddressStats),
) {
    for (service, stats) in services {
        for address in &stats.addresses {
            let (service, place) = (escape(service), escape(&address.address));
            act(
                &format!("service=\"{service}\",address=\"{place}\""),
                address,
            );
        }
    }
}
