//! Routes with what goes over them, explain, and bans.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use http::Method;
use model::{BanId, ErrorKind, Network, own, parse_duration};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, created, done, ok};
use crate::body::{Json, Params, id};
use crate::endpoint::{Endpoint, Needs, path, query};
use crate::explain::Asked;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::schema;
use crate::services::Services;

const READ: Needs = Needs::Permission(own::GATEWAY_READ);
const BAN: Needs = Needs::Permission(own::GATEWAY_BAN);

/// The endpoints of this module.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = traffic_endpoints();
    endpoints.extend(ban_endpoints());
    endpoints
}

fn traffic_endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/gateway/routes",
            READ,
            (
                "listRoutes",
                "Routes of the estate with what goes over them",
            ),
            get(routes),
        )
        .answers(
            200,
            schema::object(&[
                ("gateways", schema::list(&schema::open())),
                ("total", schema::open()),
                ("routes", schema::list(&schema::open())),
            ]),
        ),
        Endpoint::new(
            Method::POST,
            "/gateway/explain",
            READ,
            (
                "explain",
                "Which step would decide about a request, and which line says so",
            ),
            post(ask),
        )
        .reads(schema::object(&[
            ("method", schema::text()),
            ("url", schema::text()),
            ("as?", schema::text()),
            ("headers?", schema::list(&schema::list(&schema::text()))),
        ]))
        .answers(200, schema::open()),
        Endpoint::new(
            Method::GET,
            "/gateway/learnt",
            READ,
            (
                "learnt",
                "What traffic showed of routes that learn: a proposed document, and drift",
            ),
            get(learnt),
        )
        .params([query("route", "string", "the name of one route")])
        .answers(
            200,
            schema::object(&[("learnt", schema::list(&schema::open()))]),
        ),
    ]
}

fn ban_endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/gateway/bans",
            READ,
            ("listBans", "Bans in force"),
            get(bans),
        )
        .answers(
            200,
            schema::object(&[("bans", schema::list(&ban_schema()))]),
        ),
        Endpoint::new(
            Method::POST,
            "/gateway/bans",
            BAN,
            ("ban", "Refuse an address or a network for a while"),
            post(ban),
        )
        .reads(schema::object(&[
            ("network", schema::text()),
            ("for", schema::text()),
            ("reason", schema::text()),
        ]))
        .answers(201, ban_schema()),
        Endpoint::new(
            Method::DELETE,
            "/gateway/bans/{id}",
            BAN,
            ("liftBan", "Lift a ban"),
            delete(lift),
        )
        .params([path("id", "`ban_…`")]),
    ]
}

fn ban_schema() -> Value {
    schema::object(&[
        ("id", schema::text()),
        ("network", schema::text()),
        ("until", schema::time()),
        ("reason", schema::text()),
    ])
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBan {
    network: Network,
    #[serde(rename = "for")]
    length: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfRoute {
    route: Option<String>,
}

async fn routes(State(services): State<Services>) -> Answer {
    let traffic = services.gateway.traffic();
    let version = services.rollout.current();
    let routes: Vec<_> = version
        .iter()
        .flat_map(|version| &version.estate.routes)
        .map(|route| {
            let (rate, refused_rate) = services.history.now(Some(&route.name));
            json!({
                "name": route.name,
                "host": route.host,
                "path": route.path,
                "to": route.to,
                "auth": route.auth,
                "modes": route.modes,
                "waf": route.waf,
                "rate": rate,
                "refused_rate": refused_rate,
                "numbers": traffic.routes.get(&route.name),
            })
        })
        .collect();
    ok(&json!({ "gateways": traffic.gateways, "total": traffic.total, "routes": routes }))
}

async fn ask(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(asked): Json<Asked>,
) -> Answer {
    ok(&services.gateway.explain(&ctx, &asked).await?)
}

async fn learnt(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Params(asked): Params<OfRoute>,
) -> Answer {
    let mut learnt = services.gateway.learnt(&ctx).await?;
    if let Some(route) = &asked.route {
        learnt.retain(|one| one.route == *route);
    }
    ok(&json!({ "learnt": learnt }))
}

async fn bans(State(services): State<Services>, Caller(ctx): Caller) -> Answer {
    let bans = services.gateway.bans(&ctx).await?;
    ok(&json!({ "bans": bans }))
}

async fn ban(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(sent): Json<NewBan>,
) -> Answer {
    let length: Duration = parse_duration(&sent.length)
        .map_err(|error| Problem::new(ErrorKind::Invalid, error.to_string()))?;
    let ban = services
        .gateway
        .ban(&ctx, sent.network, length, &sent.reason)
        .await?;
    created(&ban)
}

async fn lift(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Path(text): Path<String>,
) -> Answer {
    let ban: BanId = id(&text)?;
    services.gateway.lift(&ctx, ban).await?;
    done()
}
