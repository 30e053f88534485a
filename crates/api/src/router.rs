//! The router, made from the table of endpoints.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::MethodRouter;
use http::StatusCode;

use crate::endpoint::Endpoint;
use crate::endpoints;
use crate::guard::{finish, guard};
use crate::problem::Problem;
use crate::services::Services;
use crate::settle::settle;

/// The API, for both the gateway's socket and the administration socket.
///
/// Every request needs a [`crate::Peer`] among its extensions.
pub fn router(services: Services) -> Router {
    let counted = services.clone();
    let mut router = Router::new();
    for endpoint in endpoints::all() {
        let path = format!("/api/v1{}", endpoint.path);
        router = router.route(&path, guarded(&services, endpoint));
    }
    router
        .method_not_allowed_fallback(method)
        .fallback(nothing)
        .layer(from_fn_with_state(services.clone(), settle))
        .layer(from_fn_with_state(services.clone(), finish))
        .layer(from_fn(move |request, next: axum::middleware::Next| {
            let counters = counted.counters.clone();
            async move {
                let response = next.run(request).await;
                counters.count(crate::health::Surface::Api, response.status());
                response
            }
        }))
        .with_state(services)
}

/// An endpoint's handler behind what the table says it needs: there is no other way in.
fn guarded(services: &Services, endpoint: Endpoint) -> MethodRouter<Services> {
    let state = (services.clone(), endpoint.needs);
    endpoint.handler.layer(from_fn_with_state(state, guard))
}

async fn nothing() -> Problem {
    Problem::new(
        model::ErrorKind::NotFound,
        "there is no such endpoint; `/api/v1/openapi.json` lists them",
    )
}

async fn method() -> Problem {
    Problem::status(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "The endpoint does not take this method",
        "`/api/v1/openapi.json` lists what it takes",
    )
}
