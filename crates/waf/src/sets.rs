//! Every set of rules that routes of one version need, loaded once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use estate::{Estate, Route, Tuning};

pub use seclang::Ruleset;

use crate::load::{self, Finding};

/// See the module.
#[derive(Debug, Default)]
pub struct Sets(BTreeMap<Tuning, Arc<Ruleset>>);

impl Sets {
    /// Loads what the routes of `estate` need from its `texts`; nothing where it has no `[waf]`.
    /// Takes up to a second for each set, so never on a request's way.
    ///
    /// LIMIT: an estate has at most eight of them.
    ///
    /// # Errors
    /// Every finding about the first set that cannot be loaded.
    pub fn load(estate: &Estate, texts: &BTreeMap<String, String>) -> Result<Self, Vec<Finding>> {
        let Some(waf) = &estate.waf else {
            return Ok(Self::default());
        };
        let mut sets = BTreeMap::new();
        for tuning in estate.routes.iter().filter_map(|route| route.waf) {
            let tuning = tuning.tuning;
            if let Entry::Vacant(vacant) = sets.entry(tuning) {
                let (rules, _) = load::load(waf, &tuning, texts)?;
                vacant.insert(Arc::new(rules));
            }
        }
        Ok(Self(sets))
    }

    /// The rules that a route is held to.
    #[must_use]
    pub fn of(&self, route: &Route) -> Option<Arc<Ruleset>> {
        self.0.get(&route.waf?.tuning).map(Arc::clone)
    }
}
