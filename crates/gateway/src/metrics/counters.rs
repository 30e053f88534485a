//! What one worker counts of one route, and how long things took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::Latency;
use model::latency::{CLASSES, class_of};

use super::{STEPS, load};
use crate::link::protocol::{LATENCY_BOUNDS_US, RouteStats};
use crate::refused::{Effect, effect_of, step_of};

/// Of one route.
#[derive(Debug, Default)]
pub(super) struct RouteCounters {
    /// By status class, 1xx to 5xx.
    pub(super) classes: [AtomicU64; 5],
    /// From the whole head to the answer's head.
    pub(super) whole: Times,
    /// The part of that for which a service was waited for.
    pub(super) service: Times,
    pub(super) refused: [AtomicU64; STEPS.len()],
    pub(super) observed: [AtomicU64; STEPS.len()],
    /// Answers of services that their document does not describe.
    pub(super) drift: AtomicU64,
    /// Matches of rules of `[waf]`.
    pub(super) matches: AtomicU64,
}

/// How long something took, how often: by the bounds that scrapes know, and finely.
#[derive(Debug)]
pub(super) struct Times {
    /// By upper bound, and one more for what took longer.
    pub(super) buckets: [AtomicU64; LATENCY_BOUNDS_US.len() + 1],
    fine: [AtomicU64; CLASSES],
    pub(super) sum_us: AtomicU64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            buckets: Default::default(),
            fine: std::array::from_fn(|_| AtomicU64::new(0)),
            sum_us: AtomicU64::new(0),
        }
    }
}

/// Adds to a counter that only one thread writes to: no other waits for it, and none is waited for.
///
/// INVARIANT: requests are counted by their worker's own thread alone; [`super::Meter`] checks it
/// in debug builds. Whoever reads meanwhile sees the number before or after.
fn bump(counter: &AtomicU64, by: u64) {
    counter.store(load(counter).wrapping_add(by), Ordering::Relaxed);
}

impl Times {
    pub(super) fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BOUNDS_US.partition_point(|bound| *bound < us);
        for counter in [self.buckets.get(bucket), self.fine.get(class_of(us))]
            .into_iter()
            .flatten()
        {
            bump(counter, 1);
        }
        bump(&self.sum_us, us);
    }

    pub(super) fn add(&self, other: &Self) {
        let pairs = self.buckets.iter().zip(&other.buckets);
        let pairs = pairs.chain(self.fine.iter().zip(&other.fine));
        for (sum, one) in pairs.chain([(&self.sum_us, &other.sum_us)]) {
            bump(sum, load(one));
        }
    }

    fn latency(&self) -> Latency {
        Latency::from_counts(self.fine.iter().map(load))
    }
}

impl RouteCounters {
    /// A request was answered with `status` after `took`, of which a service had its part.
    pub(super) fn request(&self, status: u16, took: Duration, service: Option<Duration>) {
        let class = usize::from((status / 100).clamp(1, 5)) - 1;
        if let Some(count) = self.classes.get(class) {
            bump(count, 1);
        }
        self.whole.record(took);
        if let Some(service) = service {
            self.service.record(service);
        }
    }

    pub(super) fn refused(&self, code: &'static str) {
        add_step(&self.refused, code);
    }

    pub(super) fn observed(&self, code: &'static str) {
        match effect_of(code) {
            Effect::Refuses => add_step(&self.observed, code),
            Effect::Notes if step_of(code) == "validate" => {
                self.drift.fetch_add(1, Ordering::Relaxed);
            }
            Effect::Notes => {}
            // Counted with what is really cleaned.
            Effect::Cleans => {}
        }
    }

    pub(super) fn matched(&self) {
        self.matches.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn requests(&self) -> u64 {
        self.classes.iter().map(load).sum()
    }

    pub(super) fn stats(&self) -> RouteStats {
        let steps = STEPS
            .iter()
            .zip(self.refused.iter().zip(&self.observed))
            .map(|(step, (refused, observed))| {
                ((*step).to_owned(), (load(refused), load(observed)))
            })
            .filter(|(_, counts)| *counts != (0, 0))
            .collect();
        RouteStats {
            requests: self.requests(),
            statuses: self.classes.each_ref().map(load),
            latency: self.whole.latency(),
            service: self.service.latency(),
            steps,
        }
    }

    pub(super) fn add(&self, other: &Self) {
        let pairs = self
            .classes
            .iter()
            .zip(&other.classes)
            .chain(self.refused.iter().zip(&other.refused))
            .chain(self.observed.iter().zip(&other.observed))
            .chain([(&self.drift, &other.drift), (&self.matches, &other.matches)]);
        for (sum, one) in pairs {
            bump(sum, load(one));
        }
        self.whole.add(&other.whole);
        self.service.add(&other.service);
    }
}

fn add_step(steps: &[AtomicU64; STEPS.len()], code: &'static str) {
    let step = step_of(code);
    let at = STEPS.iter().position(|name| *name == step).unwrap_or(0);
    if let Some(count) = steps.get(at) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}
