//! Which exclusions would have let false positives pass, read from the trail: the reading and its
//! limits are here, the weighing is `waf`'s.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use estate::{Exclusion, NewExclusion};
use model::{ErrorKind, Event, PrincipalKind, Timestamp};
use rollout::Version;
use serde::Serialize;
use serde_json::Value;
use trail::Query;
use waf::Known;
use waf::tune::{Question, Seen, Tuned, propose};

use crate::observed::LENGTH_MAX;
use crate::problem::Problem;
use crate::rules::{RuledRequest, is_of_rules};
use crate::services::Services;

/// LIMIT: entries of the trail that are looked at.
const ENTRIES_MAX: u64 = 200_000;
/// LIMIT: entries asked for at once.
const PAGE: u32 = 500;
/// LIMIT: requests that are weighed, and bytes of what is remembered of them.
const SEEN_MAX: usize = 10_000;
const SEEN_BYTES_MAX: usize = 32 << 20;
/// LIMIT: addresses remembered of which the built-in inspection found something.
const INSPECTED_MAX: usize = 50_000;
/// How long what is proposed applies, unless a day is asked for.
const LASTS: Duration = Duration::from_secs(90 * 24 * 3600);

/// Which requests, and until when what is proposed applies.
#[derive(Clone, Debug, Default)]
pub struct TuneSought {
    /// How far back.
    pub length: Duration,
    /// Without what is newer than so long ago.
    pub ago: Duration,
    /// Of this route alone.
    pub route: Option<String>,
    /// The last day of exclusions, `2027-03-31`; 90 days from now without it.
    pub expires: Option<String>,
}

/// What tuning comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TuneReport {
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Whether everything within that time was read and could be.
    pub complete: bool,
    /// What was not, and why.
    pub notes: Vec<String>,
    /// What is proposed, and what is not.
    #[serde(flatten)]
    pub tuned: Tuned,
}

/// Reads and weighs. Nothing is changed.
///
/// # Errors
/// A time or a day that cannot be meant, a route that neither the estate nor the trail knows, an
/// estate without `[waf]`, or a trail that cannot be read.
pub async fn tune(services: &Services, sought: &TuneSought) -> Result<TuneReport, Problem> {
    let invalid = |text: &str| Problem::new(ErrorKind::Invalid, text);
    if sought.length > LENGTH_MAX || sought.length <= sought.ago {
        return Err(invalid(
            "`since` is longer ago than `until`, and at most 31 d",
        ));
    }
    let now = services.clock.now();
    let expires = last_day(sought, now)?;
    let version = services.rollout.current();
    let version = version.filter(|version| version.estate.waf.is_some());
    let Some(version) = version else {
        return Err(invalid(
            "the estate has no `[waf]`, so that no rule refuses anything",
        ));
    };
    let (since, until) = (now.before(sought.length), now.before(sought.ago));
    let turn = services.reports.turn().await;
    let scan = scan(services, sought, since, until).await?;
    if let Some(route) = &sought.route {
        let mut routes = version.estate.routes.iter();
        if scan.seen.is_empty() && !routes.any(|one| one.name == *route) {
            let text = format!("there is no route `{route}`, and none met a rule");
            return Err(Problem::new(ErrorKind::NotFound, text));
        }
    }
    // Rules are loaded and requests weighed beside the threads that answer others.
    let weighing = tokio::task::spawn_blocking(move || weigh(&version, &scan, &expires, now));
    let weighed = weighing
        .await
        .map_err(|_| Problem::new(ErrorKind::Internal, "the requests could not be weighed"))??;
    drop(turn);
    let (tuned, mut notes) = weighed;
    if services.gateway.traffic().gateways.is_empty() {
        notes.push("no gateway is connected: what one has not delivered yet is missing".to_owned());
    }
    Ok(TuneReport {
        since,
        until,
        complete: notes.is_empty(),
        notes,
        tuned,
    })
}

/// The rules of the version in force, for asking what one exclusion would have done.
///
/// # Errors
/// An estate without `[waf]`, or rules that cannot be loaded.
pub async fn known_rules(services: &Services) -> Result<Known, Problem> {
    let version = services.rollout.current();
    let Some(version) = version else {
        return Err(Problem::new(ErrorKind::Invalid, "nothing is applied"));
    };
    let turn = services.reports.turn().await;
    let loading = tokio::task::spawn_blocking(move || load(&version));
    let loaded = loading.await;
    drop(turn);
    loaded.map_err(|_| Problem::new(ErrorKind::Internal, "the rules could not be loaded"))?
}

fn load(version: &Version) -> Result<Known, Problem> {
    let Some(waf) = &version.estate.waf else {
        return Err(Problem::new(
            ErrorKind::Invalid,
            "the estate has no `[waf]`",
        ));
    };
    Known::load(waf, &version.documents).map_err(|findings| {
        let first = findings.first().map(ToString::to_string);
        let text = format!(
            "the rules of version {} cannot be loaded: {}",
            version.number,
            first.unwrap_or_default()
        );
        Problem::new(ErrorKind::Internal, text)
    })
}

/// The last day of what is proposed.
fn last_day(sought: &TuneSought, now: Timestamp) -> Result<String, Problem> {
    let day = |at: Timestamp| at.to_string().chars().take(10).collect::<String>();
    let Some(expires) = &sought.expires else {
        return Ok(day(now.after(LASTS)));
    };
    let new = NewExclusion {
        rule: 1,
        target: None,
        route: None,
        reason: "a day",
        until: expires,
    };
    let problem = match new.lines() {
        Err(error) => error.message,
        // Days in this form stand in their order.
        Ok(_) if *expires < day(now) => format!("`{expires}` is over already"),
        Ok(_) => return Ok(expires.clone()),
    };
    Err(Problem::new(ErrorKind::Invalid, problem))
}

type Weighed = (Tuned, Vec<String>);

fn weigh(
    version: &Arc<Version>,
    scan: &Scan,
    expires: &str,
    now: Timestamp,
) -> Result<Weighed, Problem> {
    let known = load(version)?;
    let waf = version.estate.waf.iter();
    let exclusions: Vec<Exclusion> = waf
        .flat_map(|waf| &waf.exclusions)
        .filter(|one| one.ends > now)
        .cloned()
        .collect();
    let tuned = propose(&Question {
        seen: &scan.seen,
        inspected: &scan.inspected,
        exclusions: &exclusions,
        known: &known,
        until: expires,
    });
    let mut notes = scan.notes();
    if tuned.unknown > 0 {
        notes.push(format!(
            "of {} requests it is not recorded why they were refused, by an older gateway or by rules \
             that are not in force any more",
            tuned.unknown
        ));
    }
    Ok((tuned, notes))
}

/// What is read of the trail.
#[derive(Debug, Default)]
struct Scan {
    seen: Vec<Seen>,
    bytes: usize,
    inspected: BTreeSet<IpAddr>,
    /// The oldest moment that was looked at, where reading ended before all of it.
    ended_at: Option<Timestamp>,
}

async fn scan(
    services: &Services,
    sought: &TuneSought,
    since: Timestamp,
    until: Timestamp,
) -> Result<Scan, Problem> {
    let mut scan = Scan::default();
    let size = services.trail.health().size;
    let lowest = size.saturating_sub(ENTRIES_MAX);
    let mut oldest = until;
    let mut before = Some(size);
    while let Some(at) = before.filter(|at| *at > 0) {
        if at <= lowest || scan.is_full() {
            scan.ended_at = Some(oldest);
            break;
        }
        let query = Query {
            kind: Some("gateway.request.".to_owned()),
            since: Some(since),
            until: (!sought.ago.is_zero()).then_some(until),
            before: Some(at),
            limit: PAGE,
            ..Query::default()
        };
        let page = services.trail.search(&query).await?;
        for record in &page.records {
            oldest = oldest.min(record.event.time);
            scan.take(&record.event, sought);
        }
        before = page.next;
    }
    Ok(scan)
}

impl Scan {
    fn is_full(&self) -> bool {
        self.seen.len() >= SEEN_MAX || self.bytes >= SEEN_BYTES_MAX
    }

    fn take(&mut self, event: &Event, sought: &TuneSought) {
        if self.is_full() {
            return;
        }
        let step = event.detail.get("step").and_then(Value::as_str);
        if step == Some("inspect") && event.actor.kind == PrincipalKind::Anonymous {
            if self.inspected.len() < INSPECTED_MAX {
                self.inspected.extend(event.source);
            }
            return;
        }
        let code = event.detail.get("code").and_then(Value::as_str);
        // What could not be read, or looked into to its end, no exclusion lets pass.
        if !is_of_rules(event) || !matches!(code, Some("waf.match" | "waf.answer")) {
            return;
        }
        let request = RuledRequest::of(event);
        if sought
            .route
            .as_ref()
            .is_some_and(|route| *route != request.route)
        {
            return;
        }
        let seen = request.seen(event);
        self.bytes = self.bytes.saturating_add(weight(&seen));
        self.seen.push(seen);
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(at) = self.ended_at {
            notes.push(format!(
                "there is too much: this speaks of the time since {at} alone"
            ));
        }
        notes
    }
}

/// About how many bytes are remembered of a request.
fn weight(seen: &Seen) -> usize {
    let matches = seen.matches.iter().map(|one| {
        let places: usize = one.places.iter().map(|place| place.len() + 24).sum();
        one.message.len() + places + 80
    });
    seen.request.len() + seen.route.len() + 256 + matches.sum::<usize>()
}
