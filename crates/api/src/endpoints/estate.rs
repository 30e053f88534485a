//! The estate: what is applied, its versions, drift, and plan and apply.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::routing::{get, post};
use http::Method;
use model::own;
use rollout::{PlanRef, Sources, Version};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, ok};
use crate::body::{Json, Params};
use crate::endpoint::{Endpoint, Needs, query};
use crate::guard::Caller;
use crate::problem::{Fault, Problem};
use crate::schema;
use crate::services::Services;

/// LIMIT: of a body that carries an estate with its documents, as JSON.
const SOURCES_BYTES_MAX: usize = 12 * 1024 * 1024;
const VERSIONS_DEFAULT: u32 = 20;
/// LIMIT: versions of one answer.
const VERSIONS_MAX: u32 = 200;

/// The endpoints of this module.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/estate",
            Needs::Permission(own::ESTATE_READ),
            ("currentEstate", "The applied version with its source"),
            get(current),
        )
        .answers(200, version_schema()),
        Endpoint::new(
            Method::GET,
            "/estate/versions",
            Needs::Permission(own::ESTATE_READ),
            ("estateVersions", "Applied versions, newest first"),
            get(versions),
        )
        .params([query("limit", "integer", "1 to 200; 20 by default")])
        .answers(200, versions_schema()),
        Endpoint::new(
            Method::POST,
            "/estate/drift",
            Needs::Permission(own::ESTATE_READ),
            ("estateDrift", "How a source differs from what is applied"),
            post(drift),
        )
        .reads(source_schema())
        .answers(200, drift_schema()),
        Endpoint::new(
            Method::POST,
            "/estate/plan",
            Needs::Permission(own::ESTATE_APPLY),
            (
                "planEstate",
                "What applying a source would do; changes nothing",
            ),
            post(plan),
        )
        .reads(source_schema())
        .answers(200, plan_schema()),
        Endpoint::new(
            Method::POST,
            "/estate/apply",
            Needs::Permission(own::ESTATE_APPLY),
            (
                "applyEstate",
                "Apply a planned source; refused when another version was applied meanwhile",
            ),
            post(apply),
        )
        .reads(apply_schema())
        .answers(200, version_schema()),
    ]
}

fn source_schema() -> serde_json::Value {
    schema::object(&[("source", schema::text()), ("documents?", schema::open())])
}

fn apply_schema() -> serde_json::Value {
    schema::object(&[
        ("base", schema::count()),
        ("hash", schema::text()),
        ("source", schema::text()),
        ("documents?", schema::open()),
    ])
}

fn version_schema() -> serde_json::Value {
    schema::object(&[
        ("number", schema::count()),
        ("hash", schema::text()),
        ("applied_at", schema::time()),
        ("applied_by", schema::open()),
        ("source", schema::text()),
        ("documents", schema::open()),
    ])
}

fn versions_schema() -> serde_json::Value {
    schema::object(&[("versions", schema::list(&schema::open()))])
}

fn drift_schema() -> serde_json::Value {
    schema::object(&[
        ("version", schema::count()),
        ("same_text", schema::flag()),
        ("changes", schema::list(&schema::open())),
        ("errors", schema::list(&schema::open())),
    ])
}

fn plan_schema() -> serde_json::Value {
    schema::object(&[
        ("base", schema::count()),
        ("hash", schema::text()),
        ("changes", schema::list(&schema::open())),
        ("warnings", schema::list(&schema::open())),
    ])
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    source: String,
    /// Texts of the documents it names, by path.
    #[serde(default)]
    documents: BTreeMap<String, String>,
}

impl Source {
    fn sources(self) -> Sources {
        Sources {
            documents: self.documents,
            ..Sources::from(self.source)
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Apply {
    base: u64,
    hash: String,
    source: String,
    #[serde(default)]
    documents: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    limit: Option<u32>,
}

fn shown(version: &Version) -> serde_json::Value {
    json!({
        "number": version.number,
        "hash": version.hash,
        "applied_at": version.applied_at,
        "applied_by": version.applied_by,
        "source": version.source,
        "documents": version.documents,
    })
}

/// A rollout error; findings about `source` keep their places in it.
fn problem(error: rollout::Error, source: &str) -> Problem {
    match error {
        rollout::Error::Denied(denied) => denied.into(),
        error => Problem::of(error.kind(), &error).with_diagnostics(error.diagnostics(), source),
    }
}

async fn current(State(services): State<Services>) -> Answer {
    let version = services.rollout.current().ok_or_else(|| {
        Problem::new(model::ErrorKind::NotFound, "no estate has been applied yet")
    })?;
    ok(&shown(&version))
}

async fn versions(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Params(asked): Params<Listing>,
) -> Answer {
    let limit = asked
        .limit
        .unwrap_or(VERSIONS_DEFAULT)
        .clamp(1, VERSIONS_MAX);
    let versions = services
        .rollout
        .versions(&ctx, limit)
        .await
        .map_err(|error| problem(error, ""))?;
    ok(&json!({ "versions": versions }))
}

async fn drift(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(sent): Json<Source, SOURCES_BYTES_MAX>,
) -> Answer {
    let sources = sent.sources();
    let drift = services
        .rollout
        .drift(&ctx, &sources)
        .await
        .map_err(|error| problem(error, &sources.estate))?;
    let errors: Vec<_> = drift
        .errors
        .iter()
        .map(|d| Fault::of(d, &sources.estate))
        .collect();
    ok(&json!({
        "version": drift.version,
        "same_text": drift.same_text,
        "changes": drift.changes,
        "errors": errors,
    }))
}

async fn plan(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(sent): Json<Source, SOURCES_BYTES_MAX>,
) -> Answer {
    let sources = sent.sources();
    let plan = services
        .rollout
        .plan(&ctx, &sources)
        .await
        .map_err(|error| problem(error, &sources.estate))?;
    let warnings: Vec<_> = plan
        .warnings
        .iter()
        .map(|d| Fault::of(d, &sources.estate))
        .collect();
    ok(&json!({
        "base": plan.base,
        "hash": plan.hash,
        "changes": plan.changes,
        "warnings": warnings,
    }))
}

async fn apply(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(sent): Json<Apply, SOURCES_BYTES_MAX>,
) -> Answer {
    let plan = PlanRef {
        base: sent.base,
        hash: sent.hash,
    };
    let sources = Sources {
        documents: sent.documents,
        ..Sources::from(sent.source)
    };
    let version = services
        .rollout
        .apply(&ctx, &plan, &sources)
        .await
        .map_err(|error| problem(error, &sources.estate))?;
    ok(&shown(&version))
}
