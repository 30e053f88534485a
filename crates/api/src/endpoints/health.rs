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
        Endpoint {
            method: Method::GET,
            path: "/health",
            needs: Needs::Permission(own::HEALTH_READ),
            tag: "health",
            operation: "health",
            summary: "Whether every part works; 503 when one does not",
            params: &[],
            request: None,
            response: (200, health_schema),
            handler: || get(health_page),
        },
        Endpoint {
            method: Method::GET,
            path: "/metrics",
            needs: Needs::Permission(own::HEALTH_READ),
            tag: "health",
            operation: "metrics",
            summary: "Counters of the control process, as Prometheus reads them",
            params: &[],
            request: None,
            response: (200, schema::nothing),
            handler: || get(metrics_page),
        },
        Endpoint {
            method: Method::GET,
            path: "/openapi.json",
            needs: Needs::Nothing,
            tag: "health",
            operation: "openapi",
            summary: "This document",
            params: &[],
            request: None,
            response: (200, schema::open),
            handler: || get(document),
        },
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
        ("components", schema::list(component)),
        ("version", schema::text()),
    ])
}

async fn document(State(services): State<Services>) -> Answer {
    ok(&openapi::document(&super::all(), services.facts.version))
}
