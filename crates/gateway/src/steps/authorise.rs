//! Whether they may: roles to permissions per route and method, deny by default.

use http::StatusCode;

use crate::flow::Flow;
use crate::refused::{More, Refused};

/// Refuses methods the route does not name, and callers who do not hold what it requires.
pub(crate) fn check(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let mode = chosen.route.modes.authorise;
    match judge(flow, &chosen) {
        Ok(()) => Ok(()),
        Err(refused) => flow.enforce(mode, refused),
    }
}

fn judge(flow: &Flow<'_>, chosen: &crate::state::Chosen<'_>) -> Result<(), Refused> {
    let require = &chosen.compiled.require;
    let Ok(needed) = require.of(&flow.head.method) else {
        let refused = Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "authorise.method",
            format!("the route does not name {}", flow.head.method),
        );
        return Err(refused.with(More {
            allow: require.allow(),
            ..More::default()
        }));
    };
    let Some(needed) = needed else {
        return Ok(());
    };
    let Some(caller) = &flow.caller else {
        return Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            "authorise.nobody",
            format!("this needs the permission `{}`", needed.1),
        ));
    };
    if caller.holds(&flow.state.compiled, needed) {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "authorise.permission_missing",
        format!("this needs the permission `{}`", needed.1),
    ))
}
