//! Whether what the gateway knows is young enough to decide by.

use http::StatusCode;
use model::format_duration;

use crate::flow::Flow;
use crate::refused::Refused;

/// Denies when control was away for longer than the route takes: a revocation may have been
/// missed.
pub(crate) fn check(flow: &Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let limit = chosen.route.staleness_max;
    if flow.shared.directory.age(flow.started) <= limit {
        return Ok(());
    }
    let text = format!("control was away for more than {}", format_duration(limit));
    Err(Refused::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "snapshot.stale",
        text,
    ))
}
