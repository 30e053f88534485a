//! What goes through the gateways now, how services stand, and what blocking would have refused.

use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use http::Method;
use model::{ErrorKind, own, parse_duration};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, ok};
use crate::body::Params;
use crate::endpoint::{Endpoint, Needs, query};
use crate::lately::Window;
use crate::observed::{Sought, observed as observe};
use crate::problem::Problem;
use crate::schema;
use crate::services::Services;
use crate::top::{service_tops, top};
use crate::tune::{TuneSought, tune};

const READ: Needs = Needs::Permission(own::GATEWAY_READ);
const SINCE: &str = "24h";

/// The endpoints of this module.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = live_endpoints();
    endpoints.push(
        Endpoint::new(
            Method::GET,
            "/gateway/observed",
            READ,
            (
                "observed",
                "What steps that only observe would have refused, out of the trail",
            ),
            get(observed),
        )
        .params([
            query(
                "since",
                "string",
                "how far back, such as `24h`; at most `31d`",
            ),
            query("route", "string", "the name of one route"),
            query("step", "string", "the name of one step"),
        ])
        .answers(200, schema::open()),
    );
    endpoints.push(tune_endpoint());
    endpoints
}

fn tune_endpoint() -> Endpoint {
    Endpoint::new(
        Method::GET,
        "/gateway/rules/tune",
        READ,
        (
            "tune",
            "Which exclusions would have let false positives of rules pass; nothing is changed",
        ),
        get(tuned),
    )
    .params([
        query(
            "since",
            "string",
            "how far back, such as `24h`; at most `31d`",
        ),
        query(
            "until",
            "string",
            "without what is newer than so long ago, such as `1h`",
        ),
        query("route", "string", "the name of one route"),
        query(
            "expires",
            "string",
            "the last day of what is proposed, such as `2027-03-31`",
        ),
    ])
    .answers(200, schema::open())
}

fn live_endpoints() -> Vec<Endpoint> {
    let window = query(
        "window",
        "string",
        "`1s`, `10s` (when it is left out) or `1m`",
    );
    let list = |name| schema::object(&[(name, schema::list(&schema::open()))]);
    vec![
        Endpoint::new(
            Method::GET,
            "/gateway/top",
            READ,
            (
                "top",
                "Rates, times and refusals of routes and services at this moment",
            ),
            get(now),
        )
        .params([window])
        .answers(
            200,
            schema::object(&[
                ("at", schema::time()),
                ("window_s", schema::count()),
                ("gateways", schema::list(&schema::open())),
                ("total", schema::open()),
                ("routes", schema::list(&schema::open())),
                ("services", schema::list(&schema::open())),
            ]),
        ),
        Endpoint::new(
            Method::GET,
            "/gateway/rates",
            READ,
            (
                "rates",
                "Requests and refusals per second in the last hour, every ten seconds",
            ),
            get(rates),
        )
        .params([query("route", "string", "the name of one route")])
        .answers(200, list("rates")),
        Endpoint::new(
            Method::GET,
            "/gateway/services",
            READ,
            (
                "listServices",
                "How services and each of their addresses stand, since when and why",
            ),
            get(services),
        )
        .params([window])
        .answers(200, list("services")),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Within {
    window: Option<String>,
}

impl Within {
    fn window(&self) -> Result<Window, Problem> {
        let Some(text) = &self.window else {
            return Ok(Window::TenSeconds);
        };
        let invalid =
            |error: crate::UnknownWindow| Problem::new(ErrorKind::Invalid, error.to_string());
        text.parse().map_err(invalid)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfRoute {
    route: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    since: Option<String>,
    route: Option<String>,
    step: Option<String>,
}

async fn now(State(services): State<Services>, Params(within): Params<Within>) -> Answer {
    ok(&top(&services, within.window()?))
}

async fn services(State(services): State<Services>, Params(within): Params<Within>) -> Answer {
    let all = service_tops(&services, within.window()?);
    ok(&json!({ "services": all }))
}

async fn rates(State(services): State<Services>, Params(asked): Params<OfRoute>) -> Answer {
    let rates = services.history.rates_finely(asked.route.as_deref());
    let points: Vec<_> = rates
        .times
        .iter()
        .zip(rates.served.iter().zip(rates.refused.iter().zip(&rates.would_refuse)))
        .map(|(at, (served, (refused, would_refuse)))| {
            json!({ "at": at, "served": served, "refused": refused, "would_refuse": would_refuse })
        })
        .collect();
    ok(&json!({ "rates": points }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Between {
    since: Option<String>,
    until: Option<String>,
    route: Option<String>,
    expires: Option<String>,
}

async fn tuned(State(services): State<Services>, Params(asked): Params<Between>) -> Answer {
    let length = |text: &str| {
        parse_duration(text).map_err(|error| Problem::new(ErrorKind::Invalid, error.to_string()))
    };
    let sought = TuneSought {
        length: length(asked.since.as_deref().unwrap_or(SINCE))?,
        ago: asked.until.as_deref().map_or(Ok(Duration::ZERO), length)?,
        route: asked.route,
        expires: asked.expires,
    };
    ok(&tune(&services, &sought).await?)
}

async fn observed(State(services): State<Services>, Params(asked): Params<Since>) -> Answer {
    let text = asked.since.as_deref().unwrap_or(SINCE);
    let length: Duration = parse_duration(text)
        .map_err(|error| Problem::new(ErrorKind::Invalid, error.to_string()))?;
    let sought = Sought {
        length,
        route: asked.route,
        step: asked.step,
    };
    ok(&observe(&services, &sought).await?)
}
