//! Routes and what goes over them, explain, and bans.

use askama::Template;

use super::identity::Choice;
use crate::frame::Frame;
use crate::ui::{Badge, Bars, Copy, Empty, Icon, Notice, Prose, Sparkline, Tile, TimeChart, When};

/// A step's name and how it acts on a route.
#[derive(Clone, Debug)]
pub(crate) struct ModeChip {
    pub(crate) step: &'static str,
    pub(crate) observe: bool,
}

/// A row of the routes list.
#[derive(Debug)]
pub(crate) struct RouteRow {
    pub(crate) name: String,
    pub(crate) href: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) to: String,
    pub(crate) observing: Vec<&'static str>,
    pub(crate) stat: String,
    pub(crate) rate: String,
    /// How that moved.
    pub(crate) spark: Sparkline,
    pub(crate) p95: String,
    /// Whose time it was.
    pub(crate) service: String,
    pub(crate) refused: String,
    pub(crate) would: String,
}

/// `/gateway/routes`.
#[derive(Template)]
#[template(path = "gateway/routes.html")]
pub(crate) struct RoutesPage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) alarm: Option<Notice>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) routes: Vec<RouteRow>,
}

impl RoutesPage {
    fn empty(&self) -> Empty {
        Empty::new(
            Icon::Routes,
            "No routes yet",
            "A route says which paths go to which service and who may use them. Write one into the estate, then plan and apply it.",
            "rampart plan",
        )
    }
}

/// A name and a value of a route's configuration, with its line in the estate.
#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) values: Vec<String>,
    pub(crate) line: Option<usize>,
}

/// A refusal that was carried out, or would have been.
#[derive(Debug)]
pub(crate) struct StepCount {
    pub(crate) step: String,
    pub(crate) refused: String,
    pub(crate) would: String,
}

/// `/gateway/routes/{name}`.
#[derive(Template)]
#[template(path = "gateway/route.html")]
pub(crate) struct RoutePage {
    pub(crate) frame: Frame,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) modes: Vec<ModeChip>,
    pub(crate) traffic: Option<TimeChart>,
    pub(crate) statuses: Vec<(String, String)>,
    pub(crate) steps: Vec<StepCount>,
    pub(crate) refusals: Bars,
    pub(crate) facts: Vec<Fact>,
    pub(crate) explain_href: String,
    pub(crate) trail_href: Option<String>,
}

/// What a step said in an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Stopped,
    Observed,
    Skipped,
}

impl Verdict {
    fn class(self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Stopped => "stop",
            Self::Observed => "observe",
            Self::Skipped => "skipped",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Passed => Icon::Check,
            Self::Stopped => Icon::Octagon,
            Self::Observed => Icon::Eye,
            Self::Skipped => Icon::Minus,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Stopped => "refused",
            Self::Observed => "would have refused",
            Self::Skipped => "not reached",
        }
    }
}

/// One step of an explanation.
#[derive(Debug)]
pub(crate) struct TraceStep {
    pub(crate) step: String,
    pub(crate) verdict: Verdict,
    pub(crate) text: Prose,
    pub(crate) line: Option<usize>,
}

/// The answer to an explain question.
#[derive(Debug)]
pub(crate) struct Explanation {
    pub(crate) verdict: Badge,
    pub(crate) summary: Prose,
    pub(crate) steps: Vec<TraceStep>,
}

/// `/gateway/explain`.
#[derive(Template)]
#[template(path = "gateway/explain.html")]
pub(crate) struct ExplainPage {
    pub(crate) frame: Frame,
    pub(crate) problem: Option<Notice>,
    pub(crate) method: String,
    pub(crate) methods: Vec<&'static str>,
    pub(crate) url: String,
    pub(crate) who: String,
    pub(crate) people: Vec<Choice>,
    pub(crate) headers: String,
    pub(crate) answer: Option<Explanation>,
    pub(crate) command: Option<(String, Copy)>,
}

/// A ban that is in force.
#[derive(Debug)]
pub(crate) struct BanRow {
    pub(crate) id: String,
    pub(crate) network: String,
    pub(crate) reason: String,
    pub(crate) until: When,
}

/// `/gateway/bans`.
#[derive(Template)]
#[template(path = "gateway/bans.html")]
pub(crate) struct BansPage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) problem: Option<Notice>,
    pub(crate) bans: Vec<BanRow>,
    pub(crate) may_ban: bool,
    pub(crate) network: String,
    pub(crate) reason: String,
}

impl BansPage {
    fn empty(&self) -> Empty {
        Empty::new(
            Icon::Bans,
            "Nobody is banned",
            "A ban refuses an address or a network before anything else is looked at, and ends by itself.",
            "rampart gateway ban ADDRESS --for 1h --reason TEXT",
        )
    }
}
