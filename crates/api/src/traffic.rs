//! What the connected gateways say goes through them, added up for pages and for the API.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// What a gateway says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GatewayState {
    /// Its name on the link.
    pub name: String,
    /// The estate version it serves.
    pub version: u64,
    /// Connections that are open now.
    pub connections: u64,
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
    /// 95 of 100.
    #[serde(serialize_with = "milliseconds", rename = "p95_ms")]
    pub p95: Duration,
    /// 99 of 100.
    #[serde(serialize_with = "milliseconds", rename = "p99_ms")]
    pub p99: Duration,
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

fn milliseconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64() * 1000.0)
}
