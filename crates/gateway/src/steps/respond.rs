//! What every answer gets on its way out: security headers, cross-origin rules, limits; and what a
//! service says about itself is taken off.

use std::time::Duration;

use estate::Auth;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};

use crate::cookies;
use crate::exchange::Outgoing;
use crate::flow::Flow;
use crate::hop;
use crate::steps::cors;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a service says about itself, which helps attackers alone; and `Alt-Svc`, which would send
/// browsers past the gateway, or to a protocol it does not speak.
const GONE: [HeaderName; 3] = [
    header::SERVER,
    header::ALT_SVC,
    HeaderName::from_static("x-powered-by"),
];

/// A year: whoever came over TLS once comes over TLS only (RFC 6797).
const TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What a page may do unless its service says otherwise; nothing here breaks a page that only
/// uses what it brings along.
const DEFAULTS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("frame-ancestors 'self'; base-uri 'self'; object-src 'none'"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::X_FRAME_OPTIONS,
        HeaderValue::from_static("SAMEORIGIN"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin-when-cross-origin"),
    ),
];

/// Dresses the answer of a service.
pub(crate) fn dress(flow: &Flow<'_>, response: &mut Response<Outgoing>) {
    let headers = response.headers_mut();
    hop::remove_where(headers, |name| GONE.contains(name));
    cookies::strip_set(headers);
    let Some(chosen) = flow.chosen() else {
        return;
    };
    cors::dress(flow, headers);
    if chosen.route.security_headers {
        for (name, value) in &DEFAULTS {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        if flow.secure && !headers.contains_key(header::STRICT_TRANSPORT_SECURITY) {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, TRANSPORT);
        }
    }
    // SECURITY: what was made for one caller must not be kept for another by a cache in between.
    let personal = chosen.route.auth != Auth::None && flow.caller.is_some();
    if personal && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    }
    limits(flow, headers);
}

/// What every answer gets that did not come from control, whoever made it.
pub(crate) fn name(flow: &Flow<'_>, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::from_bytes(flow.id.text().as_bytes()) {
        headers.insert(REQUEST_ID, id);
    }
}

/// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10 §3, §4): the one
/// limit that leaves the least. Numbers are units: a request takes what its route says it costs.
pub(crate) fn limits(flow: &Flow<'_>, headers: &mut HeaderMap) {
    let Some(counted) = &flow.limit else {
        return;
    };
    let left = format!(
        "\"{}\";r={};t={}",
        counted.policy.name,
        counted.said.remaining,
        seconds(counted.said.reset)
    );
    headers.insert(LIMIT_POLICY, counted.policy.header.clone());
    if let Ok(left) = HeaderValue::try_from(left) {
        headers.insert(LIMIT, left);
    }
}

/// Whole seconds, never less than it takes.
pub(crate) fn seconds(time: Duration) -> u64 {
    time.as_millis()
        .div_ceil(1000)
        .try_into()
        .unwrap_or(u64::MAX)
}
