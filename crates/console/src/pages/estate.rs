//! The estate: what is applied, what it looks like, how the file differs, and planning a change.

use askama::Template;

use crate::frame::Frame;
use crate::ui::{Copy, Empty, Icon, Notice, Prose, When};

/// A finding about a line.
#[derive(Clone, Debug)]
pub(crate) struct LineNote {
    pub(crate) error: bool,
    pub(crate) text: Prose,
    pub(crate) hint: Prose,
    pub(crate) code: String,
    pub(crate) column: usize,
}

/// One line of a source.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) text: String,
    pub(crate) notes: Vec<LineNote>,
}

impl Line {
    fn class(&self) -> &'static str {
        if self.notes.iter().any(|note| note.error) {
            "marked error"
        } else if self.notes.is_empty() {
            ""
        } else {
            "marked"
        }
    }
}

/// An applied version.
#[derive(Debug)]
pub(crate) struct VersionRow {
    pub(crate) number: u64,
    pub(crate) hash: String,
    pub(crate) applied: When,
    pub(crate) by: String,
    pub(crate) current: bool,
}

/// `/estate`.
#[derive(Template)]
#[template(path = "estate/index.html")]
pub(crate) struct EstatePage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) drift: Option<Notice>,
    pub(crate) hash: Option<(String, Copy)>,
    pub(crate) counts: Vec<(&'static str, String)>,
    pub(crate) lines: Vec<Line>,
    pub(crate) versions: Vec<VersionRow>,
    pub(crate) may_apply: bool,
}

impl EstatePage {
    fn empty(&self) -> Empty {
        Empty::new(
            Icon::Estate,
            "No estate is applied",
            "Describe the backend once, in one file; everything is derived from it.",
            "rampart init",
        )
    }
}

/// What sort of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Added,
    Removed,
    Changed,
}

impl Sort {
    fn class(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Added => Icon::Plus,
            Self::Removed => Icon::Minus,
            Self::Changed => Icon::Tilde,
        }
    }
}

/// One change of a plan.
#[derive(Debug)]
pub(crate) struct ChangeRow {
    pub(crate) sort: Sort,
    pub(crate) what: Prose,
    pub(crate) detail: Vec<String>,
    pub(crate) effect: Prose,
}

/// A plan that may be applied.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) base: u64,
    pub(crate) hash: String,
    pub(crate) short: String,
    pub(crate) source: String,
    pub(crate) confirm: String,
    pub(crate) changes: Vec<ChangeRow>,
}

/// Lines that another page has put behind what is applied.
#[derive(Debug)]
pub(crate) struct Added {
    pub(crate) text: Prose,
    pub(crate) lines: String,
    pub(crate) copy: Copy,
}

/// `/estate/plan`.
#[derive(Template)]
#[template(path = "estate/plan.html")]
pub(crate) struct PlanPage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) problem: Option<Notice>,
    pub(crate) added: Option<Added>,
    pub(crate) source: String,
    pub(crate) planned: Option<Planned>,
    /// The source with its findings, when there are any.
    pub(crate) lines: Vec<Line>,
    /// Findings without a place.
    pub(crate) elsewhere: Vec<LineNote>,
}
