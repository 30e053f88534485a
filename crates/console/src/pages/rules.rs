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
    /// To the page that explains it.
    pub(crate) href: String,
    /// The rules that it met, in one line.
    pub(crate) rules: String,
}

/// A rule that a request met.
#[derive(Debug)]
pub(crate) struct MatchRow {
    pub(crate) id: u64,
    pub(crate) message: Prose,
    /// The file and the line that it stands in.
    pub(crate) place: String,
    /// `+5`.
    pub(crate) score: String,
    pub(crate) found: Vec<FoundRow>,
    /// Whether these are all places.
    pub(crate) is_whole: bool,
    /// To the form that excepts it, for who may.
    pub(crate) except: Option<String>,
}

/// A target, and the beginning of its value.
#[derive(Debug)]
pub(crate) struct FoundRow {
    pub(crate) target: String,
    pub(crate) value: String,
}

/// `/gateway/rules/{event}`.
#[derive(Template)]
#[template(path = "gateway/match.html")]
pub(crate) struct MatchPage {
    pub(crate) frame: Frame,
    pub(crate) state: Prose,
    pub(crate) what: Badge,
    pub(crate) when: When,
    pub(crate) request: String,
    pub(crate) route: String,
    pub(crate) answered: Option<String>,
    pub(crate) id: String,
    /// To its event, for who may read the trail.
    pub(crate) href: Option<String>,
    pub(crate) rules: Vec<MatchRow>,
    pub(crate) may_apply: bool,
}

/// Where a rule may be excepted.
#[derive(Debug)]
pub(crate) struct PlaceChoice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) is_chosen: bool,
}

/// `/gateway/rules/{event}/exclude`.
#[derive(Template)]
#[template(path = "gateway/exclude.html")]
pub(crate) struct ExcludePage {
    pub(crate) frame: Frame,
    pub(crate) problem: Option<Notice>,
    pub(crate) event: String,
    pub(crate) rule: u64,
    pub(crate) message: Prose,
    /// Whether the places are all where it matched.
    pub(crate) is_whole: bool,
    pub(crate) places: Vec<PlaceChoice>,
    pub(crate) route: String,
    pub(crate) every_route: bool,
    pub(crate) reason: String,
    pub(crate) until: String,
}

/// `/gateway/rules`.
#[derive(Template)]
#[template(path = "gateway/rules.html")]
pub(crate) struct RulesPage {
    pub(crate) frame: Frame,
    pub(crate) state: Prose,
    pub(crate) problem: Option<Notice>,
    /// Whether the estate names rules.
    pub(crate) has_rules: bool,
    pub(crate) since: String,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) chart: Option<TimeChart>,
    pub(crate) rules: Vec<RuleRow>,
    pub(crate) routes: Vec<RuledRouteRow>,
    pub(crate) latest: Vec<RuledRow>,
}

impl RulesPage {
    fn empty(&self) -> Empty {
        if !self.has_rules {
            return Empty::new(
                Icon::Search,
                "No rules are in force",
                "Those of Rampart need no files: put `[waf]` with `rules = \"builtin\"` and \
                 `mode = \"observe\"` into the estate, and see here what they would refuse.",
                "rampart waf explain REQUEST-FILE",
            );
        }
        Empty::new(
            Icon::Search,
            "The rules met nothing",
            "What the rules of `[waf]` refuse, or would refuse where they only observe, stands here.",
            "rampart gateway observed --step waf",
        )
    }
}
