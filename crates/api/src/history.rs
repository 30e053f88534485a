//! How traffic moved: sampled every second, kept in memory only. The last seconds and minutes are
//! known with their times, the last hour every ten seconds with counts alone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::Timestamp;

use crate::lately::{Lately, Window, grown, per_second};
use crate::services::Services;
use crate::traffic::Flow;

/// How often [`watch_traffic`] looks.
const EVERY: Duration = Duration::from_secs(1);
/// LIMIT: samples a second apart: ten seconds of them and what they began with.
const FINE_MAX: usize = 12;
/// Samples for the hour are so far apart.
const COARSE: Duration = Duration::from_secs(10);
/// LIMIT: those: an hour and one.
const COARSE_MAX: usize = 361;
/// LIMIT: the newest of them that are kept with times: a minute and one.
const TIMED_MAX: usize = 8;
/// LIMIT: routes kept per sample; routes beyond count into the total alone.
const ROUTES_MAX: usize = 1024;
/// Points of a series: one per minute.
const MINUTES: usize = 60;
const SAMPLES_PER_MINUTE: usize = 6;

/// What was counted until a moment. What did not change is shared with the sample before.
#[derive(Clone, Debug)]
struct Sample {
    at: Timestamp,
    total: Arc<Flow>,
    routes: BTreeMap<String, Arc<Flow>>,
}

impl Sample {
    fn of(&self, route: Option<&str>) -> Option<&Flow> {
        match route {
            None => Some(&self.total),
            Some(name) => self.routes.get(name).map(|flow| &**flow),
        }
    }
}

/// What an hour needs of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    requests: u64,
    refused: u64,
    would_refuse: u64,
}

impl Counts {
    fn of(flow: &Flow) -> Self {
        let refusals = flow.refusals();
        Self {
            requests: flow.requests,
            refused: refusals.refused,
            would_refuse: refusals.would_refuse,
        }
    }
}

/// A sample for the hour: 24 bytes a route, whatever it refuses, and names shared by all of them.
#[derive(Clone, Debug)]
struct Counted {
    at: Timestamp,
    total: Counts,
    routes: BTreeMap<Arc<str>, Counts>,
}

impl Counted {
    fn new(sample: &Sample, before: Option<&Self>) -> Self {
        let shared = |name: &str| {
            let known = before.and_then(|before| before.routes.get_key_value(name));
            known.map_or_else(|| name.into(), |(name, _)| Arc::clone(name))
        };
        let routes = sample.routes.iter();
        Self {
            at: sample.at,
            total: Counts::of(&sample.total),
            routes: routes
                .map(|(name, flow)| (shared(name), Counts::of(flow)))
                .collect(),
        }
    }

    fn of(&self, route: Option<&str>) -> Counts {
        let known = route.map(|name| self.routes.get(name).copied());
        known.map_or(self.total, Option::unwrap_or_default)
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
    /// What observing steps would have refused, per second.
    pub would_refuse: Vec<f64>,
}

/// The samples, old to new.
#[derive(Debug, Default)]
struct Samples {
    fine: VecDeque<Sample>,
    /// The newest of those for the hour.
    timed: VecDeque<Sample>,
    hour: VecDeque<Counted>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct History(Mutex<Samples>);

impl History {
    /// Adds what went over each route until `at`.
    pub(crate) fn add(&self, at: Timestamp, flow: BTreeMap<String, Flow>) {
        let mut samples = self.samples();
        let before = samples.fine.back();
        let mut total = Flow::default();
        flow.values().for_each(|one| total.add(one));
        let shared = |known: Option<&Arc<Flow>>, new: Flow| match known {
            Some(known) if **known == new => Arc::clone(known),
            _ => Arc::new(new),
        };
        let sample = Sample {
            at,
            total: shared(before.map(|one| &one.total), total),
            routes: flow
                .into_iter()
                .take(ROUTES_MAX)
                .map(|(name, one)| {
                    let known = before.and_then(|before| before.routes.get(&name));
                    let one = shared(known, one);
                    (name, one)
                })
                .collect(),
        };
        let newest = samples.hour.back().map(|one| one.at);
        // A turn that came a little early counts.
        if newest.is_none_or(|newest| at.since(newest) + EVERY / 2 >= COARSE) {
            samples.hourly(sample.clone());
        }
        while samples.fine.len() >= FINE_MAX {
            samples.fine.pop_front();
        }
        samples.fine.push_back(sample);
    }

    /// Requests and refusals per second over the last minute, of a route or of all.
    #[must_use]
    pub fn now(&self, route: Option<&str>) -> (f64, f64) {
        let lately = match route {
            None => self.lately(None, Window::Minute),
            Some(route) => self.lately(Some(&[route]), Window::Minute),
        };
        (lately.rate, lately.refused_rate)
    }

    /// What went over these routes together, or over all, within a window that ends now.
    #[must_use]
    pub fn lately(&self, routes: Option<&[&str]>, window: Window) -> Lately {
        let samples = self.samples();
        let newest = samples.fine.back();
        let older = newest.and_then(|newest| samples.before(newest.at, window.length()));
        let (Some(newest), Some(older)) = (newest, older) else {
            return Lately::default();
        };
        let of = |sample: &Sample| {
            let mut sum = Flow::default();
            match routes {
                None => sum.clone_from(&sample.total),
                Some(names) => names
                    .iter()
                    .filter_map(|name| sample.of(Some(name)))
                    .for_each(|one| sum.add(one)),
            }
            sum
        };
        Lately::between(&of(older), &of(newest), newest.at.since(older.at))
    }

    /// The last hour minute by minute, of a route or of all.
    #[must_use]
    pub fn rates(&self, route: Option<&str>) -> Rates {
        self.series(route, SAMPLES_PER_MINUTE)
    }

    /// The last hour every ten seconds, of a route or of all.
    #[must_use]
    pub fn rates_finely(&self, route: Option<&str>) -> Rates {
        self.series(route, 1)
    }

    fn series(&self, route: Option<&str>, every: usize) -> Rates {
        let samples = self.samples();
        let mut rates = Rates::default();
        let marks: Vec<&Counted> = samples
            .hour
            .iter()
            .rev()
            .step_by(every)
            .take(MINUTES * SAMPLES_PER_MINUTE / every + 1)
            .collect();
        for pair in marks.windows(2).rev() {
            let [newer, older] = pair else { continue };
            let (was, is) = (older.of(route), newer.of(route));
            let gone = newer.at.since(older.at);
            let rate = |before, after| per_second(grown(before, after), gone);
            let refused = rate(was.refused, is.refused);
            let served = rate(was.requests, is.requests) - refused;
            rates.times.push(newer.at);
            rates.served.push(served.max(0.0));
            rates.refused.push(refused);
            rates
                .would_refuse
                .push(rate(was.would_refuse, is.would_refuse));
        }
        rates
    }

    fn samples(&self) -> MutexGuard<'_, Samples> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Samples {
    fn hourly(&mut self, sample: Sample) {
        let counted = Counted::new(&sample, self.hour.back());
        while self.hour.len() >= COARSE_MAX {
            self.hour.pop_front();
        }
        self.hour.push_back(counted);
        while self.timed.len() >= TIMED_MAX {
            self.timed.pop_front();
        }
        self.timed.push_back(sample);
    }

    /// The newest sample that is so much older, or else the oldest that has times.
    fn before(&self, newest: Timestamp, length: Duration) -> Option<&Sample> {
        let known = || self.fine.iter().rev().chain(self.timed.iter().rev());
        // Turns are not exactly a second apart.
        let is_older = |one: &&Sample| newest.since(one.at) + EVERY / 2 >= length;
        known()
            .filter(is_older)
            .max_by_key(|one| one.at)
            .or_else(|| known().min_by_key(|one| one.at))
    }
}

/// Samples the traffic until it is dropped. The composition root runs it once.
pub async fn watch_traffic(services: Services) {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let flow = services.gateway.flow();
        services.history.add(services.clock.now(), flow);
    }
}

#[cfg(test)]
mod tests;
