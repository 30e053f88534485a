//! What blocking would have refused, and how services stand.

use askama::Template;

use crate::frame::Frame;
use crate::ui::{Badge, Empty, Icon, Notice, Prose, Tile, When};

/// One code on one route.
#[derive(Debug)]
pub(crate) struct FindingRow {
    pub(crate) route: String,
    pub(crate) code: String,
    pub(crate) effect: Badge,
    pub(crate) count: String,
    pub(crate) share: String,
    pub(crate) who: String,
    pub(crate) first: When,
    pub(crate) last: When,
    /// What to do so that it blocks, and the line of the estate.
    pub(crate) block: Prose,
    pub(crate) line: Option<usize>,
    pub(crate) examples: Vec<ExampleRow>,
}

/// One request that would have been refused.
#[derive(Debug)]
pub(crate) struct ExampleRow {
    pub(crate) request: String,
    pub(crate) reason: Prose,
    pub(crate) id: String,
    /// To its event, for who may read the trail.
    pub(crate) href: Option<String>,
}

/// A step that only observes.
#[derive(Debug)]
pub(crate) struct ObservingRow {
    pub(crate) route: String,
    pub(crate) step: String,
    pub(crate) since: When,
    pub(crate) before: bool,
    pub(crate) line: Option<usize>,
    pub(crate) requests: String,
    pub(crate) found: String,
}

/// `/gateway/observed`.
#[derive(Template)]
#[template(path = "gateway/observed.html")]
pub(crate) struct ObservedPage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) problem: Option<Notice>,
    pub(crate) notes: Vec<Notice>,
    pub(crate) since: String,
    pub(crate) route: String,
    pub(crate) step: String,
    pub(crate) routes: Vec<String>,
    pub(crate) steps: Vec<&'static str>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) found: Vec<FindingRow>,
    pub(crate) observing: Vec<ObservingRow>,
}

impl ObservedPage {
    fn empty(&self) -> Empty {
        Empty::new(
            Icon::Eye,
            "Nothing would have been refused",
            "A step that only observes lets everything through and leaves in the trail what it would have refused. It stands here.",
            "rampart gateway observed --since 24h",
        )
    }
}

/// One address of a service, as one gateway sees it.
#[derive(Debug)]
pub(crate) struct AddressRow {
    pub(crate) address: String,
    pub(crate) gateway: String,
    pub(crate) state: Badge,
    pub(crate) since: Option<When>,
    pub(crate) why: Prose,
    pub(crate) under_way: String,
    pub(crate) failures: String,
    pub(crate) probes: String,
}

/// One service.
#[derive(Debug)]
pub(crate) struct ServiceCard {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: Badge,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) addresses: Vec<AddressRow>,
    pub(crate) left_out: Option<String>,
}

/// `/gateway/services`.
#[derive(Template)]
#[template(path = "gateway/services.html")]
pub(crate) struct ServicesPage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) alarm: Option<Notice>,
    pub(crate) services: Vec<ServiceCard>,
}

impl ServicesPage {
    fn empty(&self) -> Empty {
        Empty::new(
            Icon::Device,
            "No gateway told of a service",
            "A gateway says every second how the services of the estate stand. It stands here as soon as one is connected.",
            "rampart gateway services",
        )
    }
}
