//! Whether they may: roles to permissions per route and method, deny by default.

use http::{HeaderName, Method, StatusCode};

use crate::compile::Required;
use crate::flow::Flow;
use crate::refused::{More, Refused};

/// Headers by which many frameworks take another method than the request's.
const OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

/// Whether the service may take another method than the request's.
pub(crate) fn is_overridden(flow: &Flow<'_>) -> bool {
    OVERRIDES
        .iter()
        .any(|name| flow.head.headers.contains_key(name))
}

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

/// SECURITY: what is allowed must be what the service does, so that every method it may take counts.
fn judge(flow: &Flow<'_>, chosen: &crate::state::Chosen<'_>) -> Result<(), Refused> {
    method(flow, chosen, &flow.head.method)?;
    if matches!(chosen.compiled.require, Required::Nothing) || !is_overridden(flow) {
        return Ok(());
    }
    let headers = &flow.head.headers;
    for value in OVERRIDES.iter().flat_map(|name| headers.get_all(name)) {
        let text = value.as_bytes().trim_ascii().to_ascii_uppercase();
        let overriding = Method::from_bytes(&text).map_err(|_| {
            Refused::new(
                StatusCode::BAD_REQUEST,
                "authorise.method_override",
                "a header names another method, and it is none",
            )
        })?;
        method(flow, chosen, &overriding)?;
    }
    Ok(())
}

fn method(
    flow: &Flow<'_>,
    chosen: &crate::state::Chosen<'_>,
    method: &Method,
) -> Result<(), Refused> {
    let require = &chosen.compiled.require;
    let Ok(needed) = require.of(method) else {
        let refused = Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "authorise.method",
            format!("the route does not name {method}"),
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
