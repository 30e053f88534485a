//! The trail: searchable, live, and each event with what proves it.

use askama::Template;

use crate::frame::Frame;
use crate::ui::{Badge, Copy, Empty, Icon, Notice, Prose, When};

/// A row of the trail.
#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) href: String,
    pub(crate) when: When,
    pub(crate) kind: String,
    pub(crate) message: Prose,
    pub(crate) actor: String,
    pub(crate) source: String,
    pub(crate) outcome: Badge,
    pub(crate) index: u64,
}

/// A filter in force, and the address without it.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) label: String,
    pub(crate) without: String,
}

/// What the search form holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) text: String,
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) outcome: String,
    pub(crate) source: String,
    pub(crate) severity: String,
    pub(crate) since: String,
    pub(crate) until: String,
}

/// `/trail`.
#[derive(Template)]
#[template(path = "trail/index.html")]
pub(crate) struct TrailPage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) problem: Option<Notice>,
    pub(crate) asked: Asked,
    pub(crate) filters: Vec<Filter>,
    pub(crate) events: Vec<EventRow>,
    /// Address of the newest page of the same search.
    pub(crate) newest: String,
    pub(crate) at_newest: bool,
    pub(crate) older: Option<String>,
}

impl TrailPage {
    fn empty(&self) -> Empty {
        if self.filters.is_empty() {
            Empty::new(
                Icon::Trail,
                "The trail is empty",
                "Every decision of every part is recorded here.",
                "rampart trail tail",
            )
        } else {
            Empty::new(
                Icon::Search,
                "Nothing matches",
                "Take a filter away, or look at another time.",
                "",
            )
        }
    }

    fn more_open(&self) -> bool {
        !(self.asked.source.is_empty()
            && self.asked.severity.is_empty()
            && self.asked.since.is_empty()
            && self.asked.until.is_empty())
    }
}

/// `/trail/{id}`.
#[derive(Template)]
#[template(path = "trail/event.html")]
pub(crate) struct EventPage {
    pub(crate) frame: Frame,
    pub(crate) message: Prose,
    pub(crate) kind: String,
    pub(crate) outcome: Badge,
    pub(crate) severity: Badge,
    pub(crate) class: &'static str,
    pub(crate) class_about: &'static str,
    pub(crate) when: When,
    pub(crate) time: String,
    pub(crate) actor: String,
    pub(crate) actor_id: String,
    pub(crate) target: Option<(String, String)>,
    pub(crate) source: Option<(String, String)>,
    pub(crate) request: Option<(String, String)>,
    pub(crate) id: String,
    pub(crate) id_copy: Copy,
    pub(crate) details: Vec<(String, String)>,
    pub(crate) index: u64,
    pub(crate) leaf: String,
    pub(crate) leaf_copy: Copy,
    pub(crate) covered: Badge,
    pub(crate) checkpoint: String,
    pub(crate) checkpoint_copy: Copy,
    pub(crate) command: String,
    pub(crate) command_copy: Copy,
}
