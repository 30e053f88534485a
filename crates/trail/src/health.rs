//! Whether the trail can record.

use serde::Serialize;

/// The trail's state, for health pages and for refusing before acting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether an event can be recorded now.
    pub writable: bool,
    /// What is wrong; `None` when nothing is. A trail that runs on its reserve is writable and
    /// has a reason.
    pub reason: Option<String>,
    /// What was wrong with the entries that are there, when they were last read; `None` when
    /// nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
    /// How many entries.
    pub size: u64,
    /// How many entries the newest checkpoint covers.
    pub signed: u64,
    /// What the last start cut off the end: entries that were never acknowledged.
    pub cut_entries: u64,
}
