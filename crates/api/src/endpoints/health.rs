//! The state of every part, the counters, and this document.

use axum::extract::State;
use axum::routing::get;
use http::Method;
use model::own;

use super::{Answer, ok};
use crate::endpoint::{Endpoint, Needs};
use crate::health::{health_page, metrics_page};
use crate::services::Services;
use crate::{openapi, schema};

/// The endpoints of this module.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/health",
            Needs::Permission(own::HEALTH_READ),
            ("health", "Whether every part works; 503 when one does not"),
            get(health_page),
        )
        .answers(200, health_schema()),
        Endpoint::new(
            Method::GET,
            "/metrics",
            Needs::Permission(own::HEALTH_READ),
            (
                "metrics",
                "Counters of the control process, as Prometheus reads them",
            ),
            get(metrics_page),
        )
        .answers(200, schema::nothing()),
        Endpoint::new(
            Method::GET,
            "/openapi.json",
            Needs::Nothing,
            ("openapi", "This document"),
            get(document),
        )
        .answers(200, schema::open()),
    ]
}

fn health_schema() -> serde_json::Value {
    let colour = || schema::one_of(&["green", "red"]);
    let component = schema::object(&[
        ("name", schema::text()),
        ("state", colour()),
        ("detail", schema::text()),
    ]);
    schema::object(&[
        ("state", colour()),
        ("components", schema::list(&component)),
        ("version", schema::text()),
    ])
}

async fn document(State(services): State<Services>) -> Answer {
    ok(&openapi::document(&super::all(), services.facts.version))
}
