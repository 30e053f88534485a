//! Cross-origin access: preflight questions are answered here, and answers get the headers that
//! let a page of another origin read them (Fetch §3.2).

use http::{HeaderValue, Method, StatusCode, header};

use crate::compile::CorsHeaders;
use crate::exchange::Outgoing;
use crate::flow::Flow;
use crate::reply::{Known, Reply, ReplyFields};

/// The answer to a preflight question on a route that has rules for it.
pub(crate) fn preflight(flow: &Flow<'_>) -> Option<Reply> {
    let rules = flow.chosen()?.compiled.cors.as_ref()?;
    let asks = flow.head.method == Method::OPTIONS
        && flow
            .head
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !asks {
        return None;
    }
    let mut fields = ReplyFields::default();
    if allow(flow, rules, &mut fields) {
        fields.push(header::ACCESS_CONTROL_ALLOW_METHODS, rules.methods.clone());
        if let Some(names) = &rules.headers {
            fields.push(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
        fields.push(header::ACCESS_CONTROL_MAX_AGE, rules.max_age.clone());
    }
    Some(Reply {
        status: StatusCode::NO_CONTENT,
        fields,
        body: Outgoing::Empty,
    })
}

/// Puts a route's rules on an answer; what the service says about them is taken off.
pub(crate) fn dress(flow: &Flow<'_>, fields: &mut ReplyFields) {
    let Some(rules) = flow
        .chosen()
        .and_then(|chosen| chosen.compiled.cors.as_ref())
    else {
        return;
    };
    fields.remove_known(Known::Cors);
    if allow(flow, rules, fields)
        && let Some(names) = &rules.expose
    {
        fields.push(header::ACCESS_CONTROL_EXPOSE_HEADERS, names.clone());
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

fn allow(flow: &Flow<'_>, rules: &CorsHeaders, fields: &mut ReplyFields) -> bool {
    fields.push(header::VARY, HeaderValue::from_static("origin"));
    let Ok(Some(origin)) = flow.single(&header::ORIGIN) else {
        return false;
    };
    if !rules.origins.contains(origin) {
        return false;
    }
    fields.push(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if rules.credentials {
        let yes = HeaderValue::from_static("true");
        fields.push(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    true
}
