//! The trail: search, page by page, and one event with what proves it.

use std::net::IpAddr;

use api::Services;
use axum::extract::{Path, State};
use model::{Class, Event, EventId, Outcome, Severity, Timestamp, own, parse_duration};
use serde::Deserialize;
use trail::{Query, Record};

use super::Answer;
use crate::address;
use crate::error::WebError;
use crate::frame::Place;
use crate::pages::trail::{Asked, EventPage, EventRow, Filter, TrailPage};
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Badge, Copy, Notice, Prose, Tone, When, count};

const PAGE: u32 = 50;

/// What the search form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    text: String,
    kind: String,
    actor: String,
    outcome: String,
    severity: String,
    source: String,
    since: String,
    until: String,
    before: Option<u64>,
}

impl Search {
    fn fields(&self) -> [(&'static str, &str); 8] {
        [
            ("text", self.text.trim()),
            ("kind", self.kind.trim()),
            ("actor", self.actor.trim()),
            ("outcome", self.outcome.trim()),
            ("severity", self.severity.trim()),
            ("source", self.source.trim()),
            ("since", self.since.trim()),
            ("until", self.until.trim()),
        ]
    }

    /// The query for the trail.
    ///
    /// # Errors
    /// A sentence about the field that cannot be read.
    pub(crate) fn query(&self, now: Timestamp) -> Result<Query, String> {
        let given = |text: &str| {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let time = |text: &str| given(text).map(|text| moment(&text, now)).transpose();
        Ok(Query {
            text: given(&self.text),
            kind: given(&self.kind),
            actor: given(&self.actor),
            outcome: given(&self.outcome).map(|o| outcome(&o)).transpose()?,
            severity: given(&self.severity).map(|s| severity(&s)).transpose()?,
            source: given(&self.source)
                .map(|text| {
                    text.parse::<IpAddr>()
                        .map_err(|_| format!("`{text}` is not an address such as `192.0.2.7`"))
                })
                .transpose()?,
            since: time(&self.since)?,
            until: time(&self.until)?,
            before: self.before,
            limit: PAGE,
        })
    }

    fn asked(&self) -> Asked {
        Asked {
            text: self.text.clone(),
            kind: self.kind.clone(),
            actor: self.actor.clone(),
            outcome: self.outcome.clone(),
            source: self.source.clone(),
            severity: self.severity.clone(),
            since: self.since.clone(),
            until: self.until.clone(),
        }
    }

    fn filters(&self) -> Vec<Filter> {
        let fields = self.fields();
        fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| {
                let others: Vec<_> = fields.iter().filter(|(n, _)| n != name).copied().collect();
                Filter {
                    label: format!("{name}: {value}"),
                    without: address::with("/trail", &others),
                }
            })
            .collect()
    }

    fn newest(&self) -> String {
        address::with("/trail", &self.fields())
    }

    fn older(&self, before: u64) -> String {
        let before = before.to_string();
        let mut fields = self.fields().to_vec();
        fields.push(("before", &before));
        address::with("/trail", &fields)
    }

    fn live(&self) -> String {
        address::with("/live?what=trail", &self.fields())
    }
}

fn outcome(text: &str) -> Result<Outcome, String> {
    match text {
        "success" => Ok(Outcome::Success),
        "failure" => Ok(Outcome::Failure),
        "refused" => Ok(Outcome::Refused),
        _ => Err(format!("`{text}` is not `success`, `failure` or `refused`")),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "info" => Ok(Severity::Info),
        "low" => Ok(Severity::Low),
        "medium" => Ok(Severity::Medium),
        "high" => Ok(Severity::High),
        "critical" => Ok(Severity::Critical),
        _ => Err(format!("`{text}` is not a severity")),
    }
}

/// `2h` (ago), `2026-03-01` (its start), or an RFC 3339 moment.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(ago) = parse_duration(text) {
        return Ok(now.before(ago));
    }
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    whole
        .parse()
        .map_err(|_| format!("`{text}` is not a time such as `2026-03-01T08:00:00Z` or `2h`"))
}

/// A row for a record.
pub(crate) fn row(record: &Record, now: Timestamp) -> EventRow {
    let event = &record.event;
    EventRow {
        href: format!("/trail/{}", record.index),
        when: When::new(event.time, now),
        kind: event.kind.to_string(),
        message: Prose::from(line(event)),
        actor: event.actor.name.to_string(),
        source: event.source.map(|s| s.to_string()).unwrap_or_default(),
        outcome: Badge::outcome(event.outcome),
        index: record.index,
    }
}

/// The line for people, or the kind where there is none.
pub(crate) fn line(event: &Event) -> String {
    if event.message.is_empty() {
        event.kind.to_string()
    } else {
        event.message.clone()
    }
}

/// What is to be known of a page that passed over damaged entries.
fn unreadable(entries: u64) -> Option<Notice> {
    let title = match entries {
        0 => return None,
        1 => "One entry here is damaged".to_owned(),
        more => format!("{} entries here are damaged", count(more)),
    };
    let sentence = "Whether they match cannot be said; `rampart trail verify` says what is wrong.";
    Some(Notice::new(Tone::Critical, title, sentence))
}

/// `GET /trail`.
pub(crate) async fn list(
    State(services): State<Services>,
    session: Session,
    Parameters(search): Parameters<Search>,
) -> Answer {
    session.require(own::TRAIL_READ)?;
    let now = services.clock.now();
    let (page, problem) = match search.query(now) {
        Ok(query) => {
            let page = services.trail.search(&query).await?;
            let problem = unreadable(page.unreadable);
            (Some(page), problem)
        }
        Err(sentence) => (
            None,
            Some(Notice::new(
                Tone::High,
                "The search was not understood",
                sentence,
            )),
        ),
    };
    let health = services.trail.health();
    let state = match (&health.reason, &health.damage) {
        (Some(reason), _) if !health.writable => {
            format!("Nothing can be recorded: {reason}. Actions are refused until that heals.")
        }
        (_, Some(damage)) => format!("{} leaves, but {damage}.", count(health.size)),
        _ => format!("{} leaves.", count(health.size)),
    };
    let records = page
        .as_ref()
        .map_or(&[][..], |page| page.records.as_slice());
    let older = page.as_ref().and_then(|page| page.next);
    Ok(render::html(&TrailPage {
        frame: session
            .top(&services, Place::Trail, "Trail")
            .live(search.live()),
        state,
        problem,
        asked: search.asked(),
        filters: search.filters(),
        events: records.iter().map(|record| row(record, now)).collect(),
        newest: search.newest(),
        at_newest: search.before.is_none(),
        older: older.map(|before| search.older(before)),
    }))
}

/// `GET /trail/{id}`: by leaf index, or by event id among the newest.
pub(crate) async fn show(
    State(services): State<Services>,
    session: Session,
    Path(id): Path<String>,
) -> Answer {
    session.require(own::TRAIL_READ)?;
    let found = match id.parse::<u64>() {
        Ok(index) => services.trail.read(index).await?,
        Err(_) => {
            let id: EventId = id.parse().map_err(|_| WebError::NotFound)?;
            services.trail.find(id).await?
        }
    };
    let record = found.ok_or(WebError::NotFound)?;
    let checkpoint = services.trail.checkpoint();
    let key = &services.facts.trail_key;
    let covered = record.index < checkpoint.claimed().size;
    let text = checkpoint.to_string();
    let now = services.clock.now();
    let Record { event, index, .. } = record;
    let leaf = hex(&record.leaf_hash);
    let command = format!(
        "rampart trail export --to evidence\nrampart trail verify --offline evidence --key '{key}' --since checkpoint.txt"
    );
    let (class, class_about) = class(event.class);
    Ok(render::html(&EventPage {
        frame: session.below(&services, Place::Trail, &format!("Event {index}")),
        message: Prose::from(line(&event)),
        kind: event.kind.to_string(),
        outcome: Badge::outcome(event.outcome),
        severity: Badge::severity(event.severity),
        class,
        class_about,
        when: When::new(event.time, now),
        time: event.time.to_string(),
        actor: event.actor.name.to_string(),
        actor_id: event.actor.id.to_string(),
        target: event.target.map(|t| (t.kind.to_string(), t.id)),
        source: event.source.map(|source| {
            let source = source.to_string();
            let href = address::with("/trail", &[("source", &source)]);
            (source, href)
        }),
        request: event.request_id.map(|request| {
            let request = request.to_string();
            let href = address::with("/trail", &[("text", &request)]);
            (request, href)
        }),
        id: event.id.to_string(),
        id_copy: Copy::new(event.id.to_string(), "id"),
        details: details(&event.detail),
        index,
        leaf_copy: Copy::new(leaf.clone(), "hash"),
        leaf,
        covered: if covered {
            Badge::new(Tone::Ok, "Covered by the newest")
        } else {
            Badge::new(Tone::Info, "The next one will cover it")
        },
        checkpoint_copy: Copy::new(text.clone(), "checkpoint"),
        checkpoint: text,
        command_copy: Copy::new(command.clone(), "commands"),
        command,
    }))
}

fn details(detail: &serde_json::Map<String, serde_json::Value>) -> Vec<(String, String)> {
    detail
        .iter()
        .map(|(name, value)| {
            let text = match value {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            (name.clone(), text)
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn class(class: Class) -> (&'static str, &'static str) {
    match class {
        Class::Change => ("change", "on disk before the answer"),
        Class::Use => ("use", "written before the answer, on disk within 100 ms"),
        Class::Traffic => ("traffic", "recorded in batches"),
    }
}

#[cfg(test)]
mod tests;
