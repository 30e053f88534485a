//! Of which routes the records of a segment are: the whole that refusals are a part of.

use std::collections::BTreeMap;

use crate::metrics::RouteSlot;

/// How many records there are of each route, by its slot. Counting allocates for a route's first
/// record alone. There are as many slots as the counters' own limit allows.
#[derive(Debug, Default)]
pub(super) struct Tally(Vec<(String, u64)>);

/// What is counted together because there are too many routes.
const OTHERS: &str = "other";

impl Tally {
    /// One record more of the route that has this slot.
    pub(super) fn count(&mut self, slot: RouteSlot, route: &str) {
        let at = slot.index();
        if self.0.len() <= at {
            self.0.resize_with(at + 1, Default::default);
        }
        let Some((name, count)) = self.0.get_mut(at) else {
            return;
        };
        if name.is_empty() {
            // Routes beyond the limit share the first slot.
            name.push_str(if at == 0 { OTHERS } else { route });
        }
        *count += 1;
    }

    /// What was counted, and nothing is afterwards.
    pub(super) fn take(&mut self) -> Vec<(String, u64)> {
        let counted = self.0.iter_mut().filter(|(_, count)| *count > 0);
        counted
            .map(|(name, count)| (name.clone(), std::mem::take(count)))
            .collect()
    }
}

/// Adds to one route of `sum`.
pub(super) fn add(sum: &mut BTreeMap<String, u64>, route: &str, count: u64) {
    /// LIMIT: routes of one seal: the slots there are, and what estates named otherwise before. With
    /// names of 63 bytes that stays below what one entry of the trail may hold.
    const ROUTES_MAX: usize = 2048;
    let key = if sum.len() < ROUTES_MAX || sum.contains_key(route) {
        route
    } else {
        OTHERS
    };
    let own = sum.entry(key.to_owned()).or_default();
    *own = own.saturating_add(count);
}
