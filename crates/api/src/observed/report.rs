//! The report as surfaces show it.

use model::{RequestId, Timestamp};
use serde::Serialize;

use super::estate_lines::Lines;
use super::scan::{ENTRIES_MAX, Row, Scanned};
use super::{Effect, Sought, mode_of};

/// What blocking would have refused.
#[derive(Clone, Debug, Serialize)]
pub struct Observed {
    /// The time it speaks of begins here.
    pub from: Timestamp,
    /// And ends here.
    pub until: Timestamp,
    /// Whether everything that happened in it is in the trail and was read.
    pub complete: bool,
    /// What is missing or not known, in sentences.
    pub notes: Vec<String>,
    /// Requests whose records are sealed.
    pub requests: u64,
    /// Until when records are sealed; the newest minute is not yet.
    pub sealed_until: Option<Timestamp>,
    /// Requests that would have been refused: each counts once.
    pub would_refuse: u64,
    /// By route.
    pub routes: Vec<RouteShare>,
    /// By route, step and code, the most first.
    pub found: Vec<Finding>,
    /// Steps that only observe now, those that found nothing included.
    pub observing: Vec<Observing>,
}

/// What a route had to do, and how much of it would have been refused.
#[derive(Clone, Debug, Serialize)]
pub struct RouteShare {
    /// The route.
    pub route: String,
    /// Its requests, where records are sealed.
    pub requests: u64,
    /// Of its requests, those that would have been refused: each counts once.
    pub would_refuse: u64,
    /// The same in percent of its requests, where that can be said.
    pub share_percent: Option<f64>,
}

/// One code on one route.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The route.
    pub route: String,
    /// The step.
    pub step: String,
    /// The code that blocking would have answered.
    pub code: String,
    /// What blocking would have done.
    pub effect: Effect,
    /// How often.
    pub count: u64,
    /// How often nothing else would have refused the request before: what blocking this route
    /// would have answered.
    pub decides: u64,
    /// `count` in percent of the route's requests, where that can be said.
    pub share_percent: Option<f64>,
    /// From how many addresses.
    pub addresses: u64,
    /// Of how many signed-in people and programs.
    pub principals: u64,
    /// Whether there were more of both than could be told apart.
    pub at_least: bool,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// The step of the estate whose mode decides.
    pub mode_of: String,
    /// Whether it still only observes.
    pub is_observing: bool,
    /// The line of the estate that says so.
    pub line: Option<usize>,
    /// What to write there so that it blocks.
    pub write: Option<String>,
    /// Some of the requests, newest first.
    pub examples: Vec<Example>,
}

/// One request that would have been refused.
#[derive(Clone, Debug, Serialize)]
pub struct Example {
    /// Its id, as in its answer and in its traffic record.
    pub request_id: RequestId,
    /// When.
    pub time: Timestamp,
    /// Method, host and path.
    pub request: String,
    /// Why, in the words that its sender would have been answered.
    pub reason: String,
}

/// A step that only observes.
#[derive(Clone, Debug, Serialize)]
pub struct Observing {
    /// The route.
    pub route: String,
    /// The step.
    pub step: String,
    /// Since when.
    pub since: Timestamp,
    /// Since which version of the estate.
    pub version: u64,
    /// Whether perhaps for longer.
    pub at_least: bool,
    /// The line of the estate that says so.
    pub line: Option<usize>,
    /// The requests of its route within the time of the report.
    pub requests: u64,
    /// Its observations within that time.
    pub found: u64,
}

pub(super) fn write(
    scanned: &Scanned,
    lines: &Lines,
    sought: &Sought,
    (from, until): (Timestamp, Timestamp),
    is_linked: bool,
) -> Observed {
    let notes = notes(scanned, from, is_linked);
    let share = |count: u64, route: &str| {
        let all = scanned.requests.get(route).copied().unwrap_or(0);
        percent(count, all)
    };
    let mut found: Vec<Finding> = scanned
        .rows
        .iter()
        .map(|((route, code), row)| finding(route, code, row, lines, share(row.count, route)))
        .collect();
    found.sort_by(|a, b| {
        let rank = |one: &Finding| (one.effect, std::cmp::Reverse(one.count));
        rank(a).cmp(&rank(b)).then_with(|| a.route.cmp(&b.route))
    });
    let is_sought = |route: &str| sought.route.as_deref().is_none_or(|one| one == route);
    let decided = |route: &str| -> u64 {
        let rows = found.iter().filter(|one| one.route == route);
        rows.map(|one| one.decides).sum()
    };
    let mut names: Vec<&str> = scanned.requests.keys().map(String::as_str).collect();
    names.extend(found.iter().map(|one| one.route.as_str()));
    names.sort_unstable();
    names.dedup();
    let routes: Vec<RouteShare> = names
        .into_iter()
        .filter(|route| is_sought(route))
        .map(|route| RouteShare {
            route: route.to_owned(),
            requests: scanned.requests.get(route).copied().unwrap_or(0),
            would_refuse: decided(route),
            share_percent: share(decided(route), route),
        })
        .collect();
    let observing = observing(lines, sought, scanned, &found);
    Observed {
        from: scanned.ended_at.unwrap_or(from),
        until,
        complete: notes.is_empty(),
        notes,
        requests: scanned.requests.values().sum::<u64>() + scanned.unsplit,
        sealed_until: scanned.sealed.map(|(_, last)| last),
        would_refuse: routes.iter().map(|one| one.would_refuse).sum(),
        routes,
        found,
        observing,
    }
}

fn finding(
    route: &str,
    code: &str,
    row: &Row,
    lines: &Lines,
    share_percent: Option<f64>,
) -> Finding {
    let step = mode_of(&row.step);
    let is_observing = lines.step(route, step).is_some();
    let blocking = lines.blocking(route, step).filter(|_| is_observing);
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Finding {
        route: route.to_owned(),
        step: row.step.clone(),
        code: code.to_owned(),
        effect: row.effect,
        count: row.count,
        decides: row.decides,
        share_percent,
        addresses: number(row.addresses.len()),
        principals: number(row.principals.len()),
        at_least: row.more,
        first: row.first,
        last: row.last,
        mode_of: step.to_owned(),
        is_observing,
        line: blocking.as_ref().map(|(line, _)| *line),
        write: blocking.map(|(_, text)| text),
        examples: row.examples.clone(),
    }
}

fn observing(
    lines: &Lines,
    sought: &Sought,
    scanned: &Scanned,
    found: &[Finding],
) -> Vec<Observing> {
    let is_sought = |route: &str, step: &str| {
        sought.route.as_deref().is_none_or(|one| one == route)
            && sought
                .step
                .as_deref()
                .is_none_or(|one| mode_of(one) == step)
    };
    let steps = lines.steps().iter();
    steps
        .filter(|one| is_sought(&one.route, one.step))
        .map(|one| {
            let here = found
                .iter()
                .filter(|row| row.route == one.route && row.mode_of == one.step);
            Observing {
                route: one.route.clone(),
                step: one.step.to_owned(),
                since: one.since,
                version: one.version,
                at_least: one.at_least,
                line: lines.blocking(&one.route, one.step).map(|(line, _)| line),
                requests: scanned.requests.get(&one.route).copied().unwrap_or(0),
                found: here.map(|row| row.count).sum(),
            }
        })
        .collect()
}

/// Nothing where it cannot be said: before records are sealed there may be more found than known
/// requests.
fn percent(count: u64, all: u64) -> Option<f64> {
    let wide = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    (all > 0 && count <= all).then(|| wide(count) * 100.0 / wide(all))
}

fn notes(scanned: &Scanned, from: Timestamp, is_linked: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(at) = scanned.ended_at {
        notes.push(format!(
            "only the newest {ENTRIES_MAX} entries of the trail were read: nothing is said of what \
             was before {at}, though {from} was asked for"
        ));
    }
    let counted = [
        (
            scanned.gap,
            "requests were left out of the traffic records under pressure: they are missing from \
             the totals, not from what would have been refused",
        ),
        (
            scanned.dropped,
            "refusals and observations could not be recorded one by one: they are missing here",
        ),
        (
            scanned.left_out,
            "observations are left out: there are too many routes and codes",
        ),
        (
            scanned.unsplit,
            "requests are in seals that do not say of which route they are: shares are too high",
        ),
    ];
    for (count, text) in counted {
        if count > 0 {
            notes.push(format!("{count} {text}"));
        }
    }
    if !is_linked {
        notes.push("no gateway is connected: what one has not delivered yet is missing".to_owned());
    }
    notes
}
