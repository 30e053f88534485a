//! The processes of this installation, for the command line on this machine alone.

use axum::extract::State;
use axum::routing::{get, post};
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, done, ok};
use crate::body::Json;
use crate::endpoint::{Endpoint, Needs};
use crate::guard::Caller;
use crate::port::RestartOf;
use crate::schema;
use crate::services::Services;

/// The endpoints of this module.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/processes",
            Needs::Local,
            ("listProcesses", "Which control process answers"),
            get(list),
        )
        .answers(200, schema::object(&[("control", schema::open())])),
        Endpoint::new(
            Method::POST,
            "/processes/restart",
            Needs::Local,
            (
                "restartProcess",
                "Start the gateway or the control process of this machine anew",
            ),
            post(restart),
        )
        .reads(schema::object(&[(
            "process",
            schema::one_of(&["gateway", "control"]),
        )])),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Restart {
    process: RestartOf,
}

async fn list() -> Answer {
    ok(&json!({ "control": std::process::id() }))
}

async fn restart(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(sent): Json<Restart>,
) -> Answer {
    services.gateway.restart(&ctx, sent.process).await?;
    done()
}
