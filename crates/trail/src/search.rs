//! Looking for entries, newest first, with bounded work in each call.

use std::io;
use std::net::IpAddr;

use model::{Event, EventId, Outcome, Severity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Record;
use crate::index::Index;
use crate::reader::{Reader, is_damage};

/// LIMIT: entries one call looks at.
pub const SCANNED_MAX: u64 = 20_000;
/// LIMIT: entries one page holds.
const PAGE_MAX: u32 = 500;

/// What to look for; everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    /// Appears in the event's JSON, whatever the case.
    pub text: Option<String>,
    /// The kind begins so: `identity.`.
    pub kind: Option<String>,
    /// The actor's id or name.
    pub actor: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// At least so severe.
    pub severity: Option<Severity>,
    /// From this address.
    pub source: Option<IpAddr>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only entries before this one: the `next` of the page before.
    pub before: Option<u64>,
    /// How many at most; 50 when zero, 500 at most.
    pub limit: u32,
}

/// Entries found, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Page {
    /// The entries.
    pub records: Vec<Record>,
    /// Where to go on, as `before`; `None` at the beginning of the log. A page may hold fewer
    /// entries than asked for, even none, and still go on: work is bounded, not luck.
    pub next: Option<u64>,
    /// Entries on the way that are damaged: whether they match cannot be said.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

pub(crate) fn search(index: &Index, query: &Query) -> io::Result<Page> {
    let limit = match query.limit {
        0 => 50,
        asked => asked.min(PAGE_MAX),
    };
    let text = query.text.as_deref().map(str::to_lowercase);
    let mut at = query
        .before
        .map_or(index.size(), |before| before.min(index.size()));
    let lowest = at.saturating_sub(SCANNED_MAX);
    let mut page = Page::default();
    let mut reader = index.reader();
    while at > lowest && page.records.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
        at -= 1;
        let record = match record(&mut reader, at) {
            Ok(Some(record)) => record,
            Ok(None) => continue,
            Err(error) if is_damage(&error) => {
                page.unreadable += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        if matches(&record.event, query, text.as_deref()) {
            page.records.push(record);
        }
    }
    page.next = (at > 0).then_some(at);
    Ok(page)
}

pub(crate) fn find(index: &Index, id: EventId) -> io::Result<Option<Record>> {
    let (size, mut reader) = (index.size(), index.reader());
    for at in (size.saturating_sub(SCANNED_MAX)..size).rev() {
        match record(&mut reader, at) {
            Ok(Some(record)) if record.event.id == id => return Ok(Some(record)),
            Ok(_) => {}
            // One damaged entry hides no other.
            Err(error) if is_damage(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

pub(crate) fn record(reader: &mut Reader<'_>, at: u64) -> io::Result<Option<Record>> {
    let Some(entry) = reader.read(at)? else {
        return Ok(None);
    };
    let leaf_hash = merkle::leaf_hash(&entry.leaf_bytes);
    Ok(entry.event.map(|event| Record {
        index: at,
        event,
        leaf_hash,
    }))
}

fn matches(event: &Event, query: &Query, text: Option<&str>) -> bool {
    let actor =
        |wanted: &String| event.actor.id == wanted.as_str() || event.actor.name == wanted.as_str();
    query
        .kind
        .as_ref()
        .is_none_or(|kind| event.kind.starts_with(kind.as_str()))
        && query.outcome.is_none_or(|outcome| event.outcome == outcome)
        && query
            .severity
            .is_none_or(|severity| event.severity >= severity)
        && query.since.is_none_or(|since| event.time >= since)
        && query.until.is_none_or(|until| event.time < until)
        && query
            .source
            .is_none_or(|source| event.source == Some(source))
        && query.actor.as_ref().is_none_or(actor)
        && text.is_none_or(|text| {
            serde_json::to_string(event).is_ok_and(|json| json.to_lowercase().contains(text))
        })
}
