//! Which route it is for.

use http::StatusCode;

use crate::flow::Flow;
use crate::refused::Refused;

/// Finds the route; without one there is nothing here.
pub(crate) fn find(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let compiled = &flow.state.compiled;
    let host = flow.host.name();
    flow.route = compiled.find(host, flow.path());
    if let Some(index) = flow.route {
        if compiled.is_alone(host, flow.path(), index) {
            return Ok(());
        }
        return Err(Refused::new(
            StatusCode::BAD_REQUEST,
            "route.parameters",
            "without the parameters of its segments (`;`) the path is one of another route",
        ));
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
