//! Which route it is for.

use http::StatusCode;

use crate::flow::Flow;
use crate::refused::Refused;

/// Finds the route; without one there is nothing here.
pub(crate) fn find(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let compiled = &flow.state.compiled;
    let host = flow.host.name();
    flow.route = compiled.find(host, flow.path());
    if flow.route.is_some() {
        return Ok(());
    }
    // SECURITY: 421 and 404 tell a stranger no more than names in certificates do.
    Err(if compiled.serves(host) {
        Refused::new(
            StatusCode::NOT_FOUND,
            "route.no_match",
            "no route matches this path",
        )
    } else {
        Refused::new(
            StatusCode::MISDIRECTED_REQUEST,
            "route.unknown_host",
            "this host is not served here",
        )
    })
}
