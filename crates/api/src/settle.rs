//! A change is answered when it counts everywhere: whoever was told that a key is revoked may rely
//! on it.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};

use crate::services::Services;

/// The field of an answer that says where the change may not count yet.
pub const PENDING: HeaderName = HeaderName::from_static("rampart-pending");

/// Lets a request that changed something wait, for a moment at most, until every gateway has taken
/// the change in. The change is made and recorded either way; the answer says where it is late.
pub async fn settle(State(services): State<Services>, request: Request, next: Next) -> Response {
    let changes = !request.method().is_safe();
    let mut response = next.run(request).await;
    let status = response.status();
    if !changes || status.is_client_error() || status.is_server_error() {
        return response;
    }
    if let Err(unsettled) = services.gateway.settled().await {
        tracing::warn!(%unsettled, "a change is not confirmed by every gateway");
        let said = HeaderValue::from_str(&unsettled.0);
        let said = said.unwrap_or(HeaderValue::from_static("a gateway"));
        response.headers_mut().insert(PENDING, said);
    }
    response
}
