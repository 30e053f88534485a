//! What went through all gateways, by route: what each counted between two of its words, added up.
//! Sums of what gateways counted would fall whenever one of them ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::link::protocol::{RouteStats, Stats};

/// LIMIT: names of routes that are counted apart, those of earlier estates included; the rest
/// count together.
const ROUTES_MAX: usize = 2048;
const OTHERS: &str = "other";

/// See the module. What did not change is shared with whoever looked before.
#[derive(Debug, Default)]
pub(super) struct Flow(BTreeMap<Arc<str>, Arc<RouteStats>>);

impl Flow {
    /// Adds what a gateway counted from one word to the next; how many requests.
    pub(super) fn grow(&mut self, before: &Stats, now: &Stats) -> u64 {
        let mut grown = 0_u64;
        for (route, stats) in &now.routes {
            let delta = match before.routes.get(route) {
                Some(before) if before == stats => continue,
                Some(before) => stats.since(before),
                None => stats.clone(),
            };
            grown = grown.saturating_add(delta.requests);
            let is_known = self.0.contains_key(route.as_str());
            let name = if is_known || self.0.len() < ROUTES_MAX {
                route.as_str()
            } else {
                OTHERS
            };
            let sum = match self.0.get_mut(name) {
                Some(sum) => sum,
                None => self.0.entry(Arc::from(name)).or_default(),
            };
            Arc::make_mut(sum).add(&delta);
        }
        grown
    }

    pub(super) fn routes(&self) -> BTreeMap<Arc<str>, Arc<RouteStats>> {
        self.0.clone()
    }
}

/// Zero when no time went by.
pub(super) fn per_second(count: u64, gone: Duration) -> f64 {
    let seconds = gone.as_secs_f64();
    match seconds > 0.0 {
        true => f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds,
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(route: &str, requests: u64) -> Stats {
        let counted = RouteStats {
            requests,
            ..RouteStats::default()
        };
        Stats {
            routes: [(route.to_owned(), counted)].into(),
            ..Stats::default()
        }
    }

    #[test]
    fn flow_never_falls_when_a_gateway_begins_anew() {
        let mut flow = Flow::default();
        let requests = |flow: &Flow| flow.routes()["a"].requests;
        assert_eq!(flow.grow(&Stats::default(), &stats("a", 5)), 5);
        assert_eq!(flow.grow(&stats("a", 5), &stats("a", 9)), 4);
        assert_eq!(requests(&flow), 9);
        assert_eq!(flow.grow(&stats("a", 9), &stats("a", 2)), 2);
        assert_eq!(requests(&flow), 11);
        assert_eq!(flow.grow(&stats("a", 2), &stats("a", 2)), 0);
    }

    #[test]
    fn routes_beyond_the_limit_count_together() {
        let mut flow = Flow::default();
        for n in 0..ROUTES_MAX + 10 {
            flow.grow(&Stats::default(), &stats(&format!("r{n}"), 1));
        }
        assert!(flow.routes().len() <= ROUTES_MAX + 1);
        assert_eq!(flow.routes()[OTHERS].requests, 10);
    }
}
