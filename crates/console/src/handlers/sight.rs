//! What blocking would have refused, and how services stand.

use api::{AddressState, Condition, Effect, Finding, ServiceTop, Services, Sought, Window};
use axum::extract::State;
use model::{Timestamp, own, parse_duration};
use serde::Deserialize;

use super::Answer;
use super::gateway::alarm;
use crate::address;
use crate::error::sentence;
use crate::frame::Place;
use crate::pages::sight::{
    AddressRow, ExampleRow, FindingRow, ObservedPage, ObservingRow, ServiceCard, ServicesPage,
};
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Badge, Notice, Tile, Tone, When, count, duration, plural, rate};

/// LIMIT: codes on routes that a page shows; the command line shows all of them.
const FOUND_MAX: usize = 100;

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    since: String,
    route: String,
    step: String,
}

impl Asked {
    fn sought(&self) -> Result<Sought, String> {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let since = given(&self.since).unwrap_or_else(|| "24h".to_owned());
        Ok(Sought {
            length: parse_duration(&since).map_err(|error| error.to_string())?,
            route: given(&self.route),
            step: given(&self.step),
        })
    }
}

/// `GET /gateway/observed`.
pub(crate) async fn observed(
    State(services): State<Services>,
    session: Session,
    Parameters(asked): Parameters<Asked>,
) -> Answer {
    session.require(own::GATEWAY_READ)?;
    let mut page = form(&services, &session, &asked);
    let report = match asked.sought() {
        Ok(sought) => api::observed(&services, &sought)
            .await
            .map_err(|problem| problem.detail.clone()),
        Err(why) => Err(why),
    };
    let report = match report {
        Ok(report) => report,
        Err(why) => {
            page.problem = Some(Notice::new(Tone::High, "Not read", sentence(&why)));
            return Ok(render::html(&page));
        }
    };
    let now = report.until;
    page.state = format!(
        "{} would have been refused, of {} whose records are sealed.",
        plural(report.would_refuse, "request", "requests"),
        count(report.requests)
    );
    page.notes = report
        .notes
        .iter()
        .map(|note| Notice::new(Tone::Medium, "Incomplete", sentence(note)))
        .collect();
    page.tiles = vec![
        Tile::new(
            "Would have refused",
            count(report.would_refuse),
            "each request counts once",
        ),
        Tile::new(
            "Requests",
            count(report.requests),
            match report.sealed_until {
                Some(_) => "in sealed records; the newest minute is not sealed yet",
                None => "no record is sealed yet: that takes a minute",
            },
        ),
        Tile::new(
            "Steps that only observe",
            count(u64::try_from(report.observing.len()).unwrap_or(u64::MAX)),
            "over all routes",
        ),
    ];
    let may_read = session.may(own::TRAIL_READ);
    let found = report.found.iter().take(FOUND_MAX);
    page.found = found.map(|one| finding(one, now, may_read)).collect();
    page.observing = report
        .observing
        .iter()
        .map(|one| ObservingRow {
            route: one.route.clone(),
            step: one.step.clone(),
            since: When::new(one.since, now),
            before: one.at_least,
            line: one.line,
            requests: count(one.requests),
            found: count(one.found),
        })
        .collect();
    Ok(render::html(&page))
}

fn form(services: &Services, session: &Session, asked: &Asked) -> ObservedPage {
    let version = services.rollout.current();
    let routes = version.iter().flat_map(|version| &version.estate.routes);
    ObservedPage {
        frame: session.top(services, Place::Observed, "Would refuse"),
        state: String::new(),
        problem: None,
        notes: Vec::new(),
        since: match asked.since.trim() {
            "" => "24h".to_owned(),
            since => since.chars().take(20).collect(),
        },
        route: asked.route.clone(),
        step: asked.step.clone(),
        routes: routes.map(|route| route.name.clone()).collect(),
        steps: vec![
            "authenticate",
            "authorise",
            "limits",
            "body",
            "inspect",
            "waf",
            "validate",
            "sanitize",
        ],
        tiles: Vec::new(),
        found: Vec::new(),
        observing: Vec::new(),
    }
}

fn finding(one: &Finding, now: Timestamp, may_read: bool) -> FindingRow {
    let more = if one.at_least { " or more" } else { "" };
    FindingRow {
        route: one.route.clone(),
        code: one.code.clone(),
        effect: match one.effect {
            Effect::Refuse => Badge::new(Tone::High, "Refuse"),
            Effect::Clean => Badge::new(Tone::Info, "Clean"),
            Effect::Note => Badge::new(Tone::Quiet, "Note"),
        },
        count: count(one.count),
        share: one.share_percent.map_or_else(
            || "not known yet".to_owned(),
            |share| format!("{share:.1} %"),
        ),
        who: format!(
            "{}{more}, {}",
            plural(one.addresses, "address", "addresses"),
            plural(one.principals, "principal", "principals")
        ),
        first: When::new(one.first, now),
        last: When::new(one.last, now),
        block: match (&one.effect, &one.write) {
            (Effect::Note, _) => "Answers are compared, never held up.".into(),
            (_, Some(write)) => format!("To block: `{write}`").into(),
            (_, None) => "It does not only observe any more.".into(),
        },
        line: one.line.filter(|_| one.effect != Effect::Note),
        examples: one
            .examples
            .iter()
            .map(|example| {
                let id = example.request_id.to_string();
                ExampleRow {
                    request: example.request.clone(),
                    reason: example.reason.as_str().into(),
                    href: may_read.then(|| address::with("/trail", &[("text", &id)])),
                    id,
                }
            })
            .collect(),
    }
}

/// `GET /gateway/services`.
pub(crate) async fn services(State(services): State<Services>, session: Session) -> Answer {
    session.require(own::GATEWAY_READ)?;
    let all = api::service_tops(&services, Window::Minute);
    let now = services.clock.now();
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let trouble = number(all.iter().filter(|one| one.is_in_trouble).count());
    let known = plural(number(all.len()), "service", "services");
    Ok(render::html(&ServicesPage {
        frame: session.top(&services, Place::Services, "Services"),
        state: match trouble {
            _ if all.is_empty() => "Nothing is known of services yet.".to_owned(),
            0 => format!("{known}. Every address gets requests and answers them."),
            n => format!("{known}, {} in trouble.", count(n)),
        },
        alarm: alarm(&services.gateway.traffic()),
        services: all
            .iter()
            .enumerate()
            .map(|(n, one)| card(n, one, now))
            .collect(),
    }))
}

fn card(number: usize, one: &ServiceTop, now: Timestamp) -> ServiceCard {
    let state = &one.state;
    let mut facts = vec![
        (
            "Requests",
            format!("{}/s over the last minute", rate(one.lately.rate)),
        ),
        (
            "Answers within",
            format!(
                "p50 {}, p99 {}",
                duration(one.lately.service_p50),
                duration(one.lately.service_p99)
            ),
        ),
        (
            "Under way",
            format!("{}, {} wait", count(state.under_way), count(state.waiting)),
        ),
        (
            "Sent again",
            format!(
                "{}, {} withheld; {} left in the budget",
                count(state.retries),
                count(state.retries_withheld),
                count(state.retries_left)
            ),
        ),
    ];
    if let Some(breaker) = state.breaker {
        let held = count(state.held_off);
        facts.push(("Breaker", format!("{}, {held} held off", breaker.word())));
    }
    ServiceCard {
        id: format!("service-{number}"),
        name: state.name.clone(),
        state: match one.is_in_trouble {
            true => Badge::new(Tone::High, "In trouble"),
            false => Badge::new(Tone::Ok, "Well"),
        },
        facts,
        addresses: state
            .addresses
            .iter()
            .map(|one| address_row(one, now))
            .collect(),
        left_out: (state.left_out > 0)
            .then(|| format!("{} addresses more are not told of.", count(state.left_out))),
    }
}

fn address_row(one: &AddressState, now: Timestamp) -> AddressRow {
    let failures: u64 = one.failures.values().sum();
    let (tone, word) = match one.condition {
        Condition::Well | Condition::Rising if one.is_in_trouble => {
            (Tone::High, "Failing".to_owned())
        }
        Condition::Well => (Tone::Ok, "Well".to_owned()),
        Condition::Rising => (Tone::Info, format!("Rising, {} %", one.share_percent)),
        Condition::Ejected => (Tone::Medium, "Ejected".to_owned()),
        Condition::Unwell => (Tone::High, "Unwell".to_owned()),
    };
    AddressRow {
        address: one.address.clone(),
        gateway: one.gateway.clone(),
        state: Badge::new(tone, word),
        since: one.since.map(|at| When::new(at, now)),
        why: match (&one.why, one.is_in_trouble) {
            (Some(why), true) => why.as_str().into(),
            _ => "".into(),
        },
        under_way: count(one.under_way),
        failures: format!(
            "{}, ejected {}",
            count(failures),
            plural(one.ejections, "time", "times")
        ),
        probes: match one.probes {
            0 => "not asked".to_owned(),
            asked => format!(
                "{} of {} well",
                count(asked.saturating_sub(one.probes_failed)),
                count(asked)
            ),
        },
    }
}
