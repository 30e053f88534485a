//! What went over routes within the last seconds: rates, times, and whose time it was.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use crate::traffic::{Flow, StepNumbers, milliseconds};

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// One second.
    Second,
    /// Ten.
    TenSeconds,
    /// A minute.
    Minute,
}

impl Window {
    pub(crate) fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::TenSeconds => 10,
            Self::Minute => 60,
        })
    }
}

/// A text that names no window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not `1s`, `10s` or `1m`")]
pub struct UnknownWindow(String);

impl FromStr for Window {
    type Err = UnknownWindow;

    fn from_str(text: &str) -> Result<Self, UnknownWindow> {
        match text {
            "1s" => Ok(Self::Second),
            "10s" => Ok(Self::TenSeconds),
            "1m" => Ok(Self::Minute),
            other => Err(UnknownWindow(other.chars().take(50).collect())),
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lately {
    /// Over how many seconds it was really counted: looks are not exactly a second apart, and
    /// there is no more than this process has seen.
    pub seconds: f64,
    /// Requests.
    pub requests: u64,
    /// Requests per second.
    pub rate: f64,
    /// Answers per second by status class: `2xx`.
    pub statuses: BTreeMap<String, f64>,
    /// Refusals per second.
    pub refused_rate: f64,
    /// What observing steps would have refused, per second.
    pub would_refuse_rate: f64,
    /// By step: refusals carried out, and those observed, within the window.
    pub steps: BTreeMap<String, StepNumbers>,
    /// Half were answered within.
    #[serde(serialize_with = "milliseconds", rename = "p50_ms")]
    pub p50: Duration,
    /// 90 of 100.
    #[serde(serialize_with = "milliseconds", rename = "p90_ms")]
    pub p90: Duration,
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
    /// Which share of all that time services had, in percent; nothing without a request.
    pub service_percent: Option<f64>,
}

impl Lately {
    /// What came from one moment to another, so long after.
    pub(crate) fn between(before: &Flow, after: &Flow, gone: Duration) -> Self {
        let latency = after.latency.since(&before.latency);
        let service = after.service.since(&before.service);
        let whole = latency.total().as_secs_f64();
        let rate = |before: u64, after: u64| per_second(grown(before, after), gone);
        let mut steps = BTreeMap::new();
        for (step, now) in &after.steps {
            let then = before.steps.get(step).copied().unwrap_or_default();
            let moved = StepNumbers {
                refused: grown(then.refused, now.refused),
                would_refuse: grown(then.would_refuse, now.would_refuse),
            };
            if moved != StepNumbers::default() {
                steps.insert(step.clone(), moved);
            }
        }
        let (was, is) = (before.refusals(), after.refusals());
        Self {
            seconds: gone.as_secs_f64(),
            requests: grown(before.requests, after.requests),
            rate: rate(before.requests, after.requests),
            statuses: (1_u8..)
                .zip(before.statuses.iter().zip(&after.statuses))
                .filter(|(_, (before, after))| before != after)
                .map(|(class, (before, after))| (format!("{class}xx"), rate(*before, *after)))
                .collect(),
            refused_rate: rate(was.refused, is.refused),
            would_refuse_rate: rate(was.would_refuse, is.would_refuse),
            steps,
            p50: latency.quantile(5_000),
            p90: latency.quantile(9_000),
            p99: latency.quantile(9_900),
            p999: latency.quantile(9_990),
            service_p50: service.quantile(5_000),
            service_p99: service.quantile(9_900),
            service_percent: (whole > 0.0)
                .then(|| (service.total().as_secs_f64() / whole * 100.0).min(100.0)),
        }
    }
}

/// What came on; a counter that is smaller than before began anew.
pub(crate) fn grown(before: u64, after: u64) -> u64 {
    after.checked_sub(before).unwrap_or(after)
}

/// Zero when no time went by.
pub(crate) fn per_second(count: u64, gone: Duration) -> f64 {
    let seconds = gone.as_secs_f64();
    match seconds > 0.0 {
        true => f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds,
        false => 0.0,
    }
}
