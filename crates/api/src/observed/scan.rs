//! Reads the trail backwards, within bounds, and adds up what it says of observations and of
//! traffic.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

use model::{Event, Timestamp};
use serde_json::Value;
use trail::Query;

use super::report::Example;
use super::{Effect, Sought, earliest};
use crate::problem::Problem;
use crate::services::Services;

/// LIMIT: entries of the trail that are looked at.
pub(super) const ENTRIES_MAX: u64 = 200_000;
/// LIMIT: entries asked for at once.
const PAGE: u32 = 500;
/// LIMIT: routes with a code each that are told apart.
const ROWS_MAX: usize = 2000;
/// LIMIT: addresses and principals remembered, of all rows together.
const KNOWN_MAX: usize = 200_000;
/// LIMIT: examples of a row.
const EXAMPLES_MAX: usize = 5;

const WOULD_REFUSE: &str = "gateway.request.would_refuse";
const SEALED: &str = "gateway.segment.sealed";
const GAP: &str = "gateway.records.gap";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// By route and code.
    pub(super) rows: BTreeMap<(String, String), Row>,
    /// Requests by route, as sealed.
    pub(super) requests: BTreeMap<String, u64>,
    /// Requests in seals that do not say of which route.
    pub(super) unsplit: u64,
    /// Between which moments records are sealed.
    pub(super) sealed: Option<(Timestamp, Timestamp)>,
    /// Records that were left out.
    pub(super) gap: u64,
    /// Refusals and observations that could not be recorded one by one.
    pub(super) dropped: u64,
    /// Observations for which there was no row.
    pub(super) left_out: u64,
    /// The oldest entry that was looked at, where reading ended before the time that was asked for.
    pub(super) ended_at: Option<Timestamp>,
    known: usize,
}

/// One code on one route.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) step: String,
    pub(super) effect: Effect,
    pub(super) count: u64,
    /// Those of them that nothing had observed a refusal of before.
    pub(super) decides: u64,
    pub(super) addresses: HashSet<IpAddr>,
    pub(super) principals: BTreeSet<String>,
    /// Whether there were more than could be told apart.
    pub(super) more: bool,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) examples: Vec<Example>,
}

pub(super) async fn scan(
    services: &Services,
    from: Timestamp,
    sought: &Sought,
) -> Result<Scanned, Problem> {
    let size = services.trail.health().size;
    let lowest = size.saturating_sub(ENTRIES_MAX);
    let mut scanned = Scanned::default();
    let mut before = Some(size);
    let mut oldest = None;
    while let Some(at) = before.filter(|at| *at > 0) {
        if at <= lowest {
            scanned.ended_at = oldest;
            break;
        }
        let page = services
            .trail
            .search(&Query {
                kind: Some("gateway.".to_owned()),
                before: Some(at),
                limit: PAGE,
                ..Query::default()
            })
            .await?;
        for record in &page.records {
            let event = &record.event;
            // Control's own clock, in the order of the trail: what is older was recorded before.
            if event.kind == SEALED && event.time < from {
                return Ok(scanned);
            }
            if event.time >= from {
                oldest = earliest(oldest, event.time);
                scanned.take(event, from, sought);
            }
        }
        before = page.next;
    }
    Ok(scanned)
}

impl Scanned {
    fn take(&mut self, event: &Event, from: Timestamp, sought: &Sought) {
        match event.kind.as_ref() {
            WOULD_REFUSE => self.observation(event, sought),
            SEALED => self.seal(event, from),
            GAP => self.dropped = self.dropped.saturating_add(count(event).unwrap_or(1)),
            _ => {}
        }
    }

    fn seal(&mut self, event: &Event, from: Timestamp) {
        let number = |name: &str| event.detail.get(name).and_then(Value::as_u64);
        let time = |name: &str| {
            let text = event.detail.get(name).and_then(Value::as_str);
            text.and_then(|text| text.parse::<Timestamp>().ok())
        };
        let (Some(first), Some(last)) = (time("first"), time("last")) else {
            return;
        };
        if last < from {
            return;
        }
        self.gap = self.gap.saturating_add(number("gap").unwrap_or(0));
        self.sealed = Some(match self.sealed {
            Some((begin, end)) => (begin.min(first), end.max(last)),
            None => (first, last),
        });
        let routes = event.detail.get("routes").and_then(Value::as_object);
        let Some(routes) = routes else {
            let count = number("count").unwrap_or(0);
            self.unsplit = self.unsplit.saturating_add(count);
            return;
        };
        for (route, count) in routes {
            let sum = self.requests.entry(route.clone()).or_default();
            *sum = sum.saturating_add(count.as_u64().unwrap_or(0));
        }
    }

    fn observation(&mut self, event: &Event, sought: &Sought) {
        let text = |name: &str| event.detail.get(name).and_then(Value::as_str);
        let route = event.target.as_ref().map_or("-", |target| &target.id);
        let (Some(step), Some(code)) = (text("step"), text("code")) else {
            return;
        };
        let is_sought = sought.route.as_ref().is_none_or(|wanted| wanted == route)
            && sought.step.as_ref().is_none_or(|wanted| wanted == step);
        if !is_sought {
            return;
        }
        let times = count(event).unwrap_or(1);
        let key = (route.to_owned(), code.to_owned());
        if self.rows.len() >= ROWS_MAX && !self.rows.contains_key(&key) {
            self.left_out = self.left_out.saturating_add(times);
            return;
        }
        let row = self.rows.entry(key).or_insert_with(|| Row {
            step: step.to_owned(),
            effect: match text("effect") {
                Some("clean") => Effect::Clean,
                Some("note") => Effect::Note,
                _ => Effect::Refuse,
            },
            count: 0,
            decides: 0,
            addresses: HashSet::new(),
            principals: BTreeSet::new(),
            more: false,
            first: event.time,
            last: event.time,
            examples: Vec::new(),
        });
        row.count = row.count.saturating_add(times);
        if text("after").is_none() && row.effect == Effect::Refuse {
            row.decides = row.decides.saturating_add(times);
        }
        row.first = row.first.min(event.time);
        row.last = row.last.max(event.time);
        row.know(event, &mut self.known);
        if row.examples.len() < EXAMPLES_MAX
            && let Some(id) = event.request_id
        {
            row.examples.push(Example {
                request_id: id,
                time: event.time,
                reason: text("reason").unwrap_or(&event.message).to_owned(),
                request: asked(event),
            });
        }
    }
}

impl Row {
    fn know(&mut self, event: &Event, known: &mut usize) {
        let Some(source) = event.source else {
            // Many that were counted together.
            self.more = true;
            return;
        };
        let who = (event.actor.kind != model::PrincipalKind::Anonymous)
            .then(|| event.actor.id.to_string());
        if *known >= KNOWN_MAX {
            let is_known = self.addresses.contains(&source)
                && who.as_ref().is_none_or(|who| self.principals.contains(who));
            self.more |= !is_known;
            return;
        }
        if self.addresses.insert(source) {
            *known += 1;
        }
        if let Some(who) = who
            && self.principals.insert(who)
        {
            *known += 1;
        }
    }
}

fn count(event: &Event) -> Option<u64> {
    event.detail.get("count").and_then(Value::as_u64)
}

/// `GET shop.example/path`.
fn asked(event: &Event) -> String {
    let text = |name: &str| event.detail.get(name).and_then(Value::as_str).unwrap_or("");
    format!("{} {}{}", text("method"), text("host"), text("path"))
}
