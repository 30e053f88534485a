//! Every set of rules that routes of one version need, loaded once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use estate::{Estate, Route, Tuning};

pub use seclang::Ruleset;

use crate::load::{Finding, Whole};
use crate::shelf::Shelf;

/// See the module.
#[derive(Debug, Default)]
pub struct Sets(BTreeMap<Tuning, Arc<Ruleset>>);

impl Sets {
    /// Loads what the routes of `estate` need from its `texts`; nothing where it has no `[waf]`, and
    /// nothing again that is on the `shelf`. Takes up to a second for each set, so never on a
    /// request's way.
    ///
    /// LIMIT: an estate has at most eight of them.
    ///
    /// # Errors
    /// Every finding about the first set that cannot be loaded.
    pub fn load(
        estate: &Estate,
        texts: &BTreeMap<String, String>,
        shelf: &Shelf,
    ) -> Result<Self, Vec<Finding>> {
        let mut sets = BTreeMap::new();
        for route in &estate.routes {
            let Some(own) = route.waf else { continue };
            if let Entry::Vacant(vacant) = sets.entry(own.tuning)
                && let Some(rules) = Self::load_one(estate, route, texts, shelf)?
            {
                vacant.insert(rules);
            }
        }
        Ok(Self(sets))
    }

    /// Loads what one route of `estate` needs; nothing where it has no rules.
    ///
    /// # Errors
    /// Every finding, when it cannot be loaded.
    pub fn load_one(
        estate: &Estate,
        route: &Route,
        texts: &BTreeMap<String, String>,
        shelf: &Shelf,
    ) -> Result<Option<Arc<Ruleset>>, Vec<Finding>> {
        let (Some(waf), Some(own)) = (&estate.waf, route.waf) else {
            return Ok(None);
        };
        let whole = Whole::of(waf, &own.tuning, texts)?;
        shelf.rules(waf, &whole).map(Some)
    }

    /// The rules that a route is held to.
    #[must_use]
    pub fn of(&self, route: &Route) -> Option<Arc<Ruleset>> {
        self.0.get(&route.waf?.tuning).map(Arc::clone)
    }
}
