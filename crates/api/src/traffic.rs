//! What the connected gateways say goes through them, added up for pages and for the API.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Latency;
use serde::Serialize;

/// What a gateway says of itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GatewayState {
    /// Its name on the link.
    pub name: String,
    /// The estate version it serves.
    pub version: u64,
    /// Connections that are open now.
    pub connections: u64,
    /// Requests per second between the last two times it said what it counted.
    pub rate: f64,
    /// Traffic records it left out since it started.
    pub left_out: u64,
    /// Bodies it holds in memory.
    pub held_memory: HeldBytes,
    /// Bodies it holds on disk.
    pub held_disk: HeldBytes,
}

/// Bytes of bodies in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HeldBytes {
    /// Taken now.
    pub bytes: u64,
    /// That there are.
    pub bytes_max: u64,
}

/// What went over one route since this process started, of all gateways: it only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Requests in all.
    pub requests: u64,
    /// By status class, 1xx to 5xx.
    pub statuses: [u64; 5],
    /// By step: refusals carried out, and those observed.
    pub steps: BTreeMap<String, StepNumbers>,
    /// From the whole head to the answer's head.
    pub latency: Latency,
    /// The part of that for which a service was waited for.
    pub service: Latency,
}

impl Flow {
    /// Adds another route's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        for (sum, one) in self.statuses.iter_mut().zip(&other.statuses) {
            *sum = sum.saturating_add(*one);
        }
        for (step, one) in &other.steps {
            let sum = self.steps.entry(step.clone()).or_default();
            sum.refused = sum.refused.saturating_add(one.refused);
            sum.would_refuse = sum.would_refuse.saturating_add(one.would_refuse);
        }
        self.latency.add(&other.latency);
        self.service.add(&other.service);
    }

    /// Refusals carried out, and those observed.
    pub(crate) fn refusals(&self) -> StepNumbers {
        let mut all = StepNumbers::default();
        for one in self.steps.values() {
            all.refused = all.refused.saturating_add(one.refused);
            all.would_refuse = all.would_refuse.saturating_add(one.would_refuse);
        }
        all
    }
}

/// What was counted, of one route or of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Numbers {
    /// Requests in all.
    pub requests: u64,
    /// Refused ones among them.
    pub refused: u64,
    /// Those a blocking step would have refused.
    pub would_refuse: u64,
    /// Half were answered within.
    #[serde(serialize_with = "milliseconds", rename = "p50_ms")]
    pub p50: Duration,
    /// 90 of 100.
    #[serde(serialize_with = "milliseconds", rename = "p90_ms")]
    pub p90: Duration,
    /// 95 of 100.
    #[serde(serialize_with = "milliseconds", rename = "p95_ms")]
    pub p95: Duration,
    /// 99 of 100.
    #[serde(serialize_with = "milliseconds", rename = "p99_ms")]
    pub p99: Duration,
    /// 999 of 1000.
    #[serde(serialize_with = "milliseconds", rename = "p999_ms")]
    pub p999: Duration,
    /// Of the time that a service had: half.
    #[serde(serialize_with = "milliseconds", rename = "service_p50_ms")]
    pub service_p50: Duration,
    /// Of the time that a service had: 99 of 100.
    #[serde(serialize_with = "milliseconds", rename = "service_p99_ms")]
    pub service_p99: Duration,
    /// Refusals by step: carried out, and those observed.
    pub steps: BTreeMap<String, StepNumbers>,
    /// Answers by status class: `2xx`.
    pub statuses: BTreeMap<String, u64>,
}

/// Refusals of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StepNumbers {
    /// Carried out.
    pub refused: u64,
    /// Observed only.
    pub would_refuse: u64,
}

/// What goes through all gateways.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Traffic {
    /// Who counted.
    pub gateways: Vec<GatewayState>,
    /// Everything.
    pub total: Numbers,
    /// By route.
    pub routes: BTreeMap<String, Numbers>,
}

pub(crate) fn milliseconds<S: serde::Serializer>(
    time: &Duration,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64() * 1000.0)
}
