//! Cross-origin access: preflight questions are answered here, and answers get the headers that
//! let a page of another origin read them (Fetch §3.2).

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::compile::CorsHeaders;
use crate::exchange::Outgoing;
use crate::flow::Flow;

/// The answer to a preflight question on a route that has rules for it.
pub(crate) fn preflight(flow: &Flow<'_>) -> Option<Response<Outgoing>> {
    let rules = flow.chosen()?.compiled.cors.as_ref()?;
    let asks = flow.head.method == Method::OPTIONS
        && flow
            .head
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !asks {
        return None;
    }
    let mut response = Response::new(Outgoing::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if allow(flow, rules, headers) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, rules.methods.clone());
        if let Some(names) = &rules.headers {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, rules.max_age.clone());
    }
    Some(response)
}

/// Puts a route's rules on an answer; what the service says about them is taken off.
pub(crate) fn dress(flow: &Flow<'_>, headers: &mut HeaderMap) {
    let Some(rules) = flow
        .chosen()
        .and_then(|chosen| chosen.compiled.cors.as_ref())
    else {
        return;
    };
    const OF_THE_SERVICE: [header::HeaderName; 6] = [
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        header::ACCESS_CONTROL_MAX_AGE,
    ];
    for name in &OF_THE_SERVICE {
        headers.remove(name);
    }
    if allow(flow, rules, headers)
        && let Some(names) = &rules.expose
    {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, names.clone());
    }
}

/// Whether the request's origin is one the route names.
pub(crate) fn names_origin(flow: &Flow<'_>) -> bool {
    let rules = flow
        .chosen()
        .and_then(|chosen| chosen.compiled.cors.as_ref());
    let origin = flow.single(&header::ORIGIN).ok().flatten();
    match (rules, origin) {
        (Some(rules), Some(origin)) => rules.credentials && rules.origins.contains(origin),
        _ => false,
    }
}

fn allow(flow: &Flow<'_>, rules: &CorsHeaders, headers: &mut HeaderMap) -> bool {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Ok(Some(origin)) = flow.single(&header::ORIGIN) else {
        return false;
    };
    if !rules.origins.contains(origin) {
        return false;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if rules.credentials {
        let yes = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    true
}
