//! What the rules of `[waf]` met lately, read from the trail: over time, by rule and by route.

mod recorded;

use std::collections::BTreeMap;
use std::time::Duration;

use model::{ErrorKind, Event, EventId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use trail::Query;

use crate::observed::LENGTH_MAX;
use crate::problem::Problem;
use crate::services::Services;

pub(crate) use recorded::is_of_rules;
pub use recorded::{RuledDecision, RuledMatch, RuledRequest, RuledSum};

/// LIMIT: entries of the trail that are looked at.
const ENTRIES_MAX: u64 = 100_000;
/// LIMIT: entries asked for at once.
const PAGE: u32 = 500;
/// LIMIT: rules and routes that are told apart.
const ROWS_MAX: usize = 1000;
/// LIMIT: matches told one by one.
const LATEST_MAX: usize = 50;
/// Into how many parts the time is divided.
const PARTS: usize = 24;

/// What was met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ruled {
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Requests refused, and answers withheld.
    pub refused: u64,
    /// Those that would have been, where the step only observes.
    pub observed: u64,
    /// The time in parts, oldest first.
    pub parts: Vec<RuledPart>,
    /// By rule, most first. Of requests that were counted together within a second, the rules of one
    /// of them stand for all.
    pub rules: Vec<RuleCount>,
    /// By route, most first.
    pub routes: Vec<RouteCount>,
    /// The newest matches.
    pub latest: Vec<RuledRequest>,
    /// The oldest moment that was looked at, where reading ended before `since`.
    pub ended_at: Option<Timestamp>,
}

/// One part of the time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RuledPart {
    /// Its beginning.
    pub begins: Timestamp,
    /// Refused in it.
    pub refused: u64,
    /// Would have been refused in it.
    pub observed: u64,
}

/// How often a rule matched.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleCount {
    /// The rule.
    pub id: u64,
    /// What it says.
    pub message: String,
    /// How often.
    pub count: u64,
}

/// How often something on a route was met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RouteCount {
    /// The route.
    pub route: String,
    /// Refused.
    pub refused: u64,
    /// Would have been.
    pub observed: u64,
}

/// Reads the last `length` of the trail and adds up.
///
/// # Errors
/// A length that is too long, or a trail that cannot be read.
pub async fn ruled(services: &Services, length: Duration) -> Result<Ruled, Problem> {
    if length > LENGTH_MAX || length.is_zero() {
        let text = "`since` is more than nothing and at most 31 d";
        return Err(Problem::new(ErrorKind::Invalid, text));
    }
    let until = services.clock.now();
    let mut scan = Scan::new(until.before(length), until, length);
    let turn = services.reports.turn().await;
    let size = services.trail.health().size;
    let lowest = size.saturating_sub(ENTRIES_MAX);
    let mut before = Some(size);
    while let Some(at) = before.filter(|at| *at > 0) {
        if at <= lowest {
            scan.ended_at = Some(scan.oldest);
            break;
        }
        let query = Query {
            kind: Some("gateway.request.".to_owned()),
            text: Some("waf.".to_owned()),
            since: Some(scan.since),
            before: Some(at),
            limit: PAGE,
            ..Query::default()
        };
        let page = services.trail.search(&query).await?;
        for record in &page.records {
            scan.take(&record.event);
        }
        before = page.next;
    }
    drop(turn);
    Ok(scan.finish())
}

/// One request that met rules, by the id of its event; nothing where the trail has no such event.
///
/// # Errors
/// When the trail cannot be read.
pub async fn ruled_request(
    services: &Services,
    id: EventId,
) -> Result<Option<RuledRequest>, Problem> {
    let found = services.trail.find(id).await?;
    let event = found.map(|record| record.event);
    Ok(event
        .filter(is_of_rules)
        .map(|event| RuledRequest::of(&event)))
}

struct Scan {
    since: Timestamp,
    until: Timestamp,
    oldest: Timestamp,
    ended_at: Option<Timestamp>,
    part: Duration,
    parts: Vec<RuledPart>,
    rules: BTreeMap<u64, (String, u64)>,
    routes: BTreeMap<String, (u64, u64)>,
    latest: Vec<RuledRequest>,
}

impl Scan {
    fn new(since: Timestamp, until: Timestamp, length: Duration) -> Self {
        let part = length / u32::try_from(PARTS).unwrap_or(1);
        let mut parts = Vec::with_capacity(PARTS);
        let mut begins = since;
        for _ in 0..PARTS {
            parts.push(RuledPart {
                begins,
                refused: 0,
                observed: 0,
            });
            begins = begins.after(part);
        }
        Self {
            since,
            until,
            oldest: until,
            ended_at: None,
            part,
            parts,
            rules: BTreeMap::new(),
            routes: BTreeMap::new(),
            latest: Vec::new(),
        }
    }

    fn take(&mut self, event: &Event) {
        let text = |name: &str| event.detail.get(name).and_then(Value::as_str);
        if !is_of_rules(event) || event.time < self.since {
            return;
        }
        self.oldest = self.oldest.min(event.time);
        let times = event.detail.get("count").and_then(Value::as_u64);
        let times = times.unwrap_or(1);
        let is_observed = text("mode") == Some("observe");
        let add = |refused: &mut u64, observed: &mut u64| {
            let sum = if is_observed { observed } else { refused };
            *sum = sum.saturating_add(times);
        };
        let part = self.part.as_millis().max(1);
        let at = event.time.since(self.since).as_millis() / part;
        let at = usize::try_from(at).unwrap_or(PARTS).min(PARTS - 1);
        if let Some(part) = self.parts.get_mut(at) {
            add(&mut part.refused, &mut part.observed);
        }
        let route = event.target.as_ref().map_or("-", |target| &target.id);
        if self.routes.len() < ROWS_MAX || self.routes.contains_key(route) {
            let (refused, observed) = self.routes.entry(route.to_owned()).or_default();
            add(refused, observed);
        }
        let request = RuledRequest::of(event);
        for one in &request.rules {
            if self.rules.len() < ROWS_MAX || self.rules.contains_key(&one.id) {
                let known = self.rules.entry(one.id);
                let (_, count) = known.or_insert_with(|| (one.message.clone(), 0));
                *count = count.saturating_add(times);
            }
        }
        if self.latest.len() < LATEST_MAX {
            self.latest.push(request);
        }
    }

    fn finish(self) -> Ruled {
        let mut rules: Vec<RuleCount> = self
            .rules
            .into_iter()
            .map(|(id, (message, count))| RuleCount { id, message, count })
            .collect();
        rules.sort_by_key(|one| (std::cmp::Reverse(one.count), one.id));
        let mut routes: Vec<RouteCount> = self
            .routes
            .into_iter()
            .map(|(route, (refused, observed))| RouteCount {
                route,
                refused,
                observed,
            })
            .collect();
        routes.sort_by_key(|one| std::cmp::Reverse(one.refused.saturating_add(one.observed)));
        let sum = |of: fn(&RuledPart) -> u64| self.parts.iter().map(of).sum();
        Ruled {
            since: self.since,
            until: self.until,
            refused: sum(|part| part.refused),
            observed: sum(|part| part.observed),
            parts: self.parts,
            rules,
            routes,
            latest: self.latest,
            ended_at: self.ended_at,
        }
    }
}
