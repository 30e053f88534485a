//! Whether a request that a browser sent by itself comes from the page it acts for.
//!
//! A session's cookie comes along whichever page asked. So a request that changes something and is
//! known by its cookie must say that it comes from the same origin: by `Sec-Fetch-Site`, which no
//! page can set, or by `Origin`. Says neither: refused.

use http::{StatusCode, header};

use crate::caller::{Caller, Shown};
use crate::flow::Flow;
use crate::overriding;
use crate::refused::Refused;
use crate::steps::{cors, websocket};

const FETCH_SITE: header::HeaderName = header::HeaderName::from_static("sec-fetch-site");

/// Refuses cross-site requests that change something with a cookie.
pub(crate) fn check(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let ambient = match flow.caller.as_ref().map(Caller::shown) {
        None | Some(Shown::OnPurpose) => false,
        Some(Shown::ByBrowser) => true,
        Some(Shown::PerhapsByBrowser) => is_browser(flow),
    };
    // SECURITY: no browser asks for CORS before it opens a WebSocket, whose `GET` is not safe.
    let is_safe = || {
        flow.head.method.is_safe()
            && !overriding::is_in_headers(&flow.head)
            && !websocket::is_asked(flow)
    };
    if !ambient || is_safe() || is_same(flow) || cors::names_origin(flow) {
        return Ok(());
    }
    let mode = flow.chosen().map(|chosen| chosen.route.modes.authenticate);
    flow.enforce(
        mode.unwrap_or(estate::Mode::Block),
        Refused::new(
            StatusCode::FORBIDDEN,
            "authenticate.cross_site",
            "a request with a session that changes something must come from the same origin",
        ),
    )
}

/// Whether a browser made the request: every browser of today says where a request that changes
/// something comes from, and no other program need.
fn is_browser(flow: &Flow<'_>) -> bool {
    let headers = &flow.head.headers;
    headers.contains_key(header::ORIGIN)
        || headers
            .keys()
            .any(|name| name.as_str().starts_with("sec-fetch-"))
}

/// Whether the request says that it comes from the origin it asks.
pub(crate) fn is_same(flow: &Flow<'_>) -> bool {
    let Ok(origin) = flow.single(&header::ORIGIN) else {
        return false;
    };
    if let Some(origin) = origin {
        return is_own(origin.to_str().unwrap_or(""), flow);
    }
    matches!(flow.text(&FETCH_SITE), Some("same-origin" | "none"))
}

fn is_own(origin: &str, flow: &Flow<'_>) -> bool {
    let (scheme, default) = if flow.secure {
        ("https://", ":443")
    } else {
        ("http://", ":80")
    };
    let Some(authority) = origin.strip_prefix(scheme) else {
        return false;
    };
    let own = flow.host.authority();
    authority == own || own.strip_suffix(default) == Some(authority)
}
