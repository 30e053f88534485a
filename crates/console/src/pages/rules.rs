//! What the rules of `[waf]` met.

use askama::Template;

use crate::frame::Frame;
use crate::ui::{Badge, Empty, Icon, Notice, Prose, Tile, TimeChart, When};

/// A rule, and how often it matched.
#[derive(Debug)]
pub(crate) struct RuleRow {
    pub(crate) id: u64,
    pub(crate) message: Prose,
    pub(crate) count: String,
}

/// A route, and what was met on it.
#[derive(Debug)]
pub(crate) struct RuledRouteRow {
    pub(crate) route: String,
    pub(crate) refused: String,
    pub(crate) observed: String,
}

/// A request that met rules.
#[derive(Debug)]
pub(crate) struct RuledRow {
    pub(crate) request: String,
    pub(crate) route: String,
    pub(crate) what: Badge,
    pub(crate) score: String,
    pub(crate) when: When,
    pub(crate) id: String,
    /// To its event, for who may read the trail.
    pub(crate) href: Option<String>,
    pub(crate) rules: Vec<RuledMatchRow>,
}

/// A rule that it met.
#[derive(Debug)]
pub(crate) struct RuledMatchRow {
    pub(crate) id: u64,
    pub(crate) message: Prose,
    /// Targets with the beginning of their values.
    pub(crate) found: Vec<(String, String)>,
    /// Lines of the estate that would except it there.
    pub(crate) except: String,
}

/// `/gateway/rules`.
#[derive(Template)]
#[template(path = "gateway/rules.html")]
pub(crate) struct RulesPage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) problem: Option<Notice>,
    pub(crate) since: String,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) chart: Option<TimeChart>,
    pub(crate) rules: Vec<RuleRow>,
    pub(crate) routes: Vec<RuledRouteRow>,
    pub(crate) latest: Vec<RuledRow>,
}

impl RulesPage {
    fn empty(&self) -> Empty {
        Empty::new(
            Icon::Search,
            "The rules met nothing",
            "What the rules of `[waf]` refuse, or would refuse where they only observe, stands here.",
            "rampart gateway observed --step waf",
        )
    }
}
