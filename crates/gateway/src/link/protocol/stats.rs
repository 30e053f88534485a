//! What a gateway counts, as it says it once a second: sums since it started.

use std::collections::BTreeMap;

use model::{Latency, Timestamp};
use serde::{Deserialize, Serialize};

/// What a gateway counted since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Open connections now.
    pub connections: u64,
    /// By route name; what has no route counts under `-`.
    pub routes: BTreeMap<String, RouteStats>,
    /// Traffic records left out under pressure.
    pub gap: u64,
    /// By name of service: how it stands.
    #[serde(default)]
    pub services: BTreeMap<String, ServiceStats>,
    /// Bodies of requests that are held now.
    #[serde(default)]
    pub held: HeldStats,
}

/// Bodies that are held, by where they lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldStats {
    /// In memory.
    pub memory: PlaceStats,
    /// On disk.
    pub disk: PlaceStats,
}

/// See [`HeldStats`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceStats {
    /// Bytes taken.
    pub taken_bytes: u64,
    /// Bytes there are.
    pub max_bytes: u64,
    /// How often a body found no room.
    pub full: u64,
}

/// How a service stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceStats {
    /// Requests that were to go there.
    pub requests: u64,
    /// Requests under way now.
    pub under_way: u64,
    /// Requests that wait now for others to end.
    pub waiting: u64,
    /// Requests for which there was no room.
    pub crowded_out: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Requests not sent again for want of budget.
    pub retries_withheld: u64,
    /// Requests that may be sent again now.
    pub retries_left: u64,
    /// Its breaker, if it has one.
    pub breaker: Option<BreakerWord>,
    /// Requests that the breaker let not through.
    pub held_off: u64,
    /// Its addresses; none while its name leads nowhere.
    pub addresses: Vec<AddressStats>,
    /// Addresses there was no room to tell about.
    pub left_out: u64,
}

/// See [`ServiceStats::breaker`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerWord {
    /// Requests go through.
    Closed,
    /// None does.
    Open,
    /// One may see whether it works again.
    HalfOpen,
}

/// How one address of a service stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressStats {
    /// The address with its port.
    pub address: String,
    /// Whether it gets requests.
    pub condition: Condition,
    /// Which share of what it would get it gets.
    pub share_percent: u64,
    /// Requests under way now.
    pub under_way: u64,
    /// Open connections.
    pub connections: u64,
    /// Attempts that failed: `connect`, `reset`, `timeout`, `status`.
    pub failures: BTreeMap<String, u64>,
    /// How often it was passed over.
    pub ejections: u64,
    /// Since when it stands so; nothing where it always did.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Why it stands so: what its probes or requests met.
    #[serde(default)]
    pub why: Option<String>,
    /// When an attempt failed last.
    #[serde(default)]
    pub last_failure: Option<Timestamp>,
    /// Requests in a row that failed, while it is not passed over for it.
    #[serde(default)]
    pub failing: u64,
    /// How often it was asked whether it is well.
    #[serde(default)]
    pub probes: u64,
    /// How often it was not.
    #[serde(default)]
    pub probes_failed: u64,
}

/// See [`AddressStats::condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It gets its share.
    Well,
    /// It gets a growing share.
    Rising,
    /// It is passed over for a while: its requests failed.
    Ejected,
    /// It gets none: its probes say it is not well.
    Unwell,
}

/// Upper bounds of the classes that scrapes see, in microseconds; one more class is open.
pub(crate) const LATENCY_BOUNDS_US: [u64; 18] = [
    100, 200, 350, 500, 750, 1_000, 1_500, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
    500_000, 1_000_000, 2_500_000, 10_000_000,
];

/// What was counted for one route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStats {
    /// Requests, refused ones included.
    pub requests: u64,
    /// By status class, 1xx to 5xx.
    pub statuses: [u64; 5],
    /// From the whole head to the answer's head.
    pub latency: Latency,
    /// The part of that for which a service was waited for, of requests that went to one.
    pub service: Latency,
    /// By step: refused, and would have been refused.
    pub steps: BTreeMap<String, (u64, u64)>,
}

impl RouteStats {
    /// Adds what another counted.
    pub fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        for (sum, one) in self.statuses.iter_mut().zip(&other.statuses) {
            *sum = sum.saturating_add(*one);
        }
        self.latency.add(&other.latency);
        self.service.add(&other.service);
        for (step, (refused, would)) in &other.steps {
            let counts = self.steps.entry(step.clone()).or_default();
            counts.0 = counts.0.saturating_add(*refused);
            counts.1 = counts.1.saturating_add(*would);
        }
    }

    /// What was counted since `before`, of the same counters.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        if before.requests > self.requests {
            // They began anew.
            return self.clone();
        }
        let mut statuses = self.statuses;
        for (count, before) in statuses.iter_mut().zip(&before.statuses) {
            *count = count.saturating_sub(*before);
        }
        let step = |(step, (refused, would)): (&String, &(u64, u64))| {
            let before = before.steps.get(step).copied().unwrap_or_default();
            let grown = (
                refused.saturating_sub(before.0),
                would.saturating_sub(before.1),
            );
            (grown != (0, 0)).then(|| (step.clone(), grown))
        };
        Self {
            requests: self.requests.saturating_sub(before.requests),
            statuses,
            latency: self.latency.since(&before.latency),
            service: self.service.since(&before.service),
            steps: self.steps.iter().filter_map(step).collect(),
        }
    }
}
