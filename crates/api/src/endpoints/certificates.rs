//! Certificates: which there are, and a new one now.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use http::Method;
use model::own;
use serde_json::json;

use super::{Answer, done, ok};
use crate::endpoint::{Endpoint, Needs, path};
use crate::guard::Caller;
use crate::schema;
use crate::services::Services;

/// The endpoints of this module.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let certificate = schema::object(&[
        ("names", schema::list(&schema::text())),
        ("source", schema::one_of(&["file", "acme", "development"])),
        ("issuer", schema::maybe(&schema::text())),
        ("until", schema::maybe(&schema::time())),
        ("renews", schema::maybe(&schema::time())),
        ("error", schema::maybe(&schema::text())),
    ]);
    vec![
        Endpoint::new(
            Method::GET,
            "/gateway/certificates",
            Needs::Permission(own::GATEWAY_READ),
            (
                "listCertificates",
                "Certificates that handshakes are answered with, and how it stands with them",
            ),
            get(list),
        )
        .answers(
            200,
            schema::object(&[("certificates", schema::list(&certificate))]),
        ),
        Endpoint::new(
            Method::POST,
            "/gateway/certificates/{host}/renew",
            Needs::Permission(own::GATEWAY_RENEW),
            (
                "renewCertificate",
                "Ask the authority for a new certificate of a host now",
            ),
            post(renew),
        )
        .params([path("host", "one of the `names`")]),
    ]
}

async fn list(State(services): State<Services>) -> Answer {
    ok(&json!({ "certificates": services.gateway.certificates() }))
}

async fn renew(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Path(host): Path<String>,
) -> Answer {
    services.gateway.renew(&ctx, &host).await?;
    done()
}
