//! The first page: is it fine, what changed, what should I do?

use askama::Template;

use crate::frame::Frame;
use crate::ui::{Badge, Bars, Empty, Icon, Notice, Prose, Tile, TimeChart, Tone, When};

/// Something worth doing, and where.
#[derive(Debug)]
pub(crate) struct Todo {
    pub(crate) tone: Tone,
    pub(crate) text: Prose,
    pub(crate) why: Prose,
    pub(crate) href: String,
    pub(crate) action: &'static str,
}

/// Something that changed lately.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) text: Prose,
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) href: String,
    pub(crate) when: When,
}

/// One part of the running system and its state.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) badge: Badge,
    pub(crate) detail: String,
}

/// `/`.
#[derive(Template)]
#[template(path = "overview.html")]
pub(crate) struct OverviewPage {
    pub(crate) frame: Frame,
    /// One sentence: is it fine?
    pub(crate) state: String,
    pub(crate) alarm: Option<Notice>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) traffic: Option<TimeChart>,
    pub(crate) refusals: Option<Bars>,
    pub(crate) todos: Vec<Todo>,
    pub(crate) may_read_trail: bool,
    pub(crate) changes: Vec<Changed>,
    pub(crate) parts: Vec<Part>,
}

impl OverviewPage {
    fn nothing_changed(&self) -> Empty {
        Empty::new(
            Icon::Trail,
            "Nothing has changed yet",
            "Sign-ins, grants and estate changes appear here.",
            "rampart trail tail",
        )
    }
}
