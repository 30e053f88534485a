//! What the rules of `[waf]` met.

pub(crate) mod exclude;

use api::{Ruled, RuledRequest, Services};
use axum::extract::State;
use model::{Timestamp, own, parse_duration};
use serde::Deserialize;

use super::Answer;
use crate::error::sentence;
use crate::frame::Place;
use crate::pages::rules::{RuleRow, RuledRouteRow, RuledRow, RulesPage};
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Badge, Notice, Series, Tile, TimeChart, Tone, When, count, plural};

/// LIMIT: rules that the page shows.
const RULES_MAX: usize = 50;

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    since: String,
}

/// `GET /gateway/rules`.
pub(crate) async fn rules(
    State(services): State<Services>,
    session: Session,
    Parameters(asked): Parameters<Asked>,
) -> Answer {
    session.require(own::GATEWAY_READ)?;
    let since: String = match asked.since.trim() {
        "" => "24h".to_owned(),
        since => since.chars().take(20).collect(),
    };
    let mut page = RulesPage {
        frame: session.top(&services, Place::Rules, "Rules"),
        state: "".into(),
        problem: None,
        has_rules: true,
        since: since.clone(),
        tiles: Vec::new(),
        chart: None,
        rules: Vec::new(),
        routes: Vec::new(),
        latest: Vec::new(),
    };
    let ruled = match parse_duration(&since) {
        Ok(length) => api::ruled(&services, length)
            .await
            .map_err(|problem| problem.detail.clone()),
        Err(error) => Err(error.to_string()),
    };
    match ruled {
        Ok(ruled) => fill(&mut page, &ruled),
        Err(why) => page.problem = Some(Notice::new(Tone::High, "Not read", sentence(&why))),
    }
    let version = services.rollout.current();
    let has_rules = version.is_some_and(|version| version.estate.waf.is_some());
    if !has_rules && page.problem.is_none() {
        page.state = "The estate has no `[waf]`, so that no request is held to rules.".into();
        page.has_rules = false;
        if page.latest.is_empty() {
            // Nothing of the time before either: numbers would only say so many times over.
            page.tiles.clear();
            page.chart = None;
        }
    }
    Ok(render::html(&page))
}

fn fill(page: &mut RulesPage, ruled: &Ruled) {
    let now = ruled.until;
    page.state = format!(
        "{} refused, {} would have been where rules only observe.",
        plural(ruled.refused, "request", "requests"),
        count(ruled.observed)
    )
    .into();
    if let Some(ended) = ruled.ended_at {
        let text = format!("The trail is long: this speaks of the time since {ended} alone.");
        page.problem = Some(Notice::new(Tone::Medium, "Incomplete", text));
    }
    page.tiles = vec![
        Tile::new("Refused", count(ruled.refused), "requests and answers"),
        Tile::new(
            "Would refuse",
            count(ruled.observed),
            "where rules only observe",
        ),
        Tile::new(
            "Rules",
            count(u64::try_from(ruled.rules.len()).unwrap_or(u64::MAX)),
            "that matched",
        ),
    ];
    page.chart = Some(chart(ruled));
    page.rules = ruled
        .rules
        .iter()
        .take(RULES_MAX)
        .map(|one| RuleRow {
            id: one.id,
            message: one.message.as_str().into(),
            count: count(one.count),
        })
        .collect();
    page.routes = ruled
        .routes
        .iter()
        .map(|one| RuledRouteRow {
            route: one.route.clone(),
            refused: count(one.refused),
            observed: count(one.observed),
        })
        .collect();
    page.latest = ruled.latest.iter().map(|one| row(one, now)).collect();
}

fn chart(ruled: &Ruled) -> TimeChart {
    let times: Vec<String> = ruled
        .parts
        .iter()
        .map(|part| {
            let text = part.begins.to_string();
            text.get(5..16).unwrap_or(&text).replace('T', " ")
        })
        .collect();
    // Counts of a day are small enough for every one of them.
    let wide = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let series = [
        Series {
            name: "refused",
            values: ruled.parts.iter().map(|part| wide(part.refused)).collect(),
            bad: true,
        },
        Series {
            name: "would refuse",
            values: ruled.parts.iter().map(|part| wide(part.observed)).collect(),
            bad: false,
        },
    ];
    TimeChart::new(
        "rules-time",
        "Matches that decided, over time",
        &times,
        &series,
    )
}

fn row(one: &RuledRequest, now: Timestamp) -> RuledRow {
    let rules: Vec<String> = one.rules.iter().map(|rule| rule.id.to_string()).collect();
    RuledRow {
        request: one.request.clone(),
        route: one.route.clone(),
        what: outcome(one.is_observed),
        score: one
            .score
            .map_or_else(|| "none".to_owned(), |score| score.to_string()),
        when: When::new(one.time, now),
        href: format!("/gateway/rules/{}", one.event),
        rules: rules.join(", "),
        id: one.request_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// What became of a request.
fn outcome(is_observed: bool) -> Badge {
    match is_observed {
        true => Badge::new(Tone::Info, "Would refuse"),
        false => Badge::new(Tone::High, "Refused"),
    }
}
