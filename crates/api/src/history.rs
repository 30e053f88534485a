//! How traffic moved in the last hour: one sample every ten seconds, kept in memory only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::Timestamp;

use crate::services::Services;
use crate::traffic::Traffic;

/// How often [`watch_traffic`] looks.
const EVERY: Duration = Duration::from_secs(10);
/// LIMIT: samples kept: an hour and one.
const SAMPLES_MAX: usize = 361;
/// LIMIT: routes kept per sample; routes beyond count into the total alone.
const ROUTES_MAX: usize = 1024;
/// Points of a series: one per minute.
const MINUTES: usize = 60;
const SAMPLES_PER_MINUTE: usize = 6;

/// Requests and refusals counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    requests: u64,
    refused: u64,
}

#[derive(Clone, Debug)]
struct Sample {
    at: Timestamp,
    total: Counted,
    routes: BTreeMap<String, Counted>,
}

impl Sample {
    fn of(&self, route: Option<&str>) -> Counted {
        match route {
            None => self.total,
            Some(name) => self.routes.get(name).copied().unwrap_or_default(),
        }
    }
}

/// Rates over the last hour, old to new.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rates {
    /// When each point ends.
    pub times: Vec<Timestamp>,
    /// Requests per second that were not refused.
    pub served: Vec<f64>,
    /// Refusals per second.
    pub refused: Vec<f64>,
}

/// The samples of the last hour.
#[derive(Debug, Default)]
pub struct History(Mutex<VecDeque<Sample>>);

impl History {
    /// Adds what was counted until `at`.
    pub(crate) fn add(&self, at: Timestamp, traffic: &Traffic) {
        let counted = |n: &crate::traffic::Numbers| Counted {
            requests: n.requests,
            refused: n.refused,
        };
        let sample = Sample {
            at,
            total: counted(&traffic.total),
            routes: traffic
                .routes
                .iter()
                .take(ROUTES_MAX)
                .map(|(name, numbers)| (name.clone(), counted(numbers)))
                .collect(),
        };
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while samples.len() >= SAMPLES_MAX {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    /// Requests and refusals per second over the last minute, of a route or of all.
    #[must_use]
    pub fn now(&self, route: Option<&str>) -> (f64, f64) {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = samples.back();
        let older = samples
            .len()
            .checked_sub(SAMPLES_PER_MINUTE + 1)
            .and_then(|at| samples.get(at))
            .or_else(|| samples.front());
        match (older, newest) {
            (Some(older), Some(newest)) => per_second(older, newest, route),
            _ => (0.0, 0.0),
        }
    }

    /// The last hour minute by minute, of a route or of all.
    #[must_use]
    pub fn rates(&self, route: Option<&str>) -> Rates {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rates = Rates::default();
        let marks: Vec<&Sample> = samples
            .iter()
            .rev()
            .step_by(SAMPLES_PER_MINUTE)
            .take(MINUTES + 1)
            .collect();
        for pair in marks.windows(2).rev() {
            let [newer, older] = pair else { continue };
            let (all, refused) = per_second(older, newer, route);
            rates.times.push(newer.at);
            rates.served.push((all - refused).max(0.0));
            rates.refused.push(refused);
        }
        rates
    }
}

/// Counters that went back (a gateway started anew) count from zero.
fn per_second(older: &Sample, newer: &Sample, route: Option<&str>) -> (f64, f64) {
    let seconds = newer.at.since(older.at).as_secs_f64();
    if seconds <= 0.0 {
        return (0.0, 0.0);
    }
    let (before, after) = (older.of(route), newer.of(route));
    let rate = |before: u64, after: u64| {
        let grown = after.checked_sub(before).unwrap_or(after);
        f64::from(u32::try_from(grown).unwrap_or(u32::MAX)) / seconds
    };
    (
        rate(before.requests, after.requests),
        rate(before.refused, after.refused),
    )
}

/// Samples the traffic until it is dropped. The composition root runs it once.
pub async fn watch_traffic(services: Services) {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        services
            .history
            .add(services.clock.now(), &services.gateway.traffic());
    }
}

#[cfg(test)]
mod tests;
