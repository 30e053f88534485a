//! What every answer gets on its way out: security headers, cross-origin rules, limits; and what a
//! service says about itself is taken off.

use std::time::Duration;

use estate::Auth;
use http::{HeaderName, HeaderValue, header};

use crate::cookies;
use crate::flow::Flow;
use crate::reply::{Known, ReplyFields};
use crate::steps::cors;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Dresses the answer of a service.
pub(crate) fn dress(flow: &Flow<'_>, fields: &mut ReplyFields) {
    // It helps attackers alone; and `Alt-Svc` would send browsers past the gateway, or to a
    // protocol it does not speak.
    fields.remove_known(Known::SelfTold);
    cookies::strip_set(fields);
    let Some(chosen) = flow.chosen() else {
        return;
    };
    cors::dress(flow, fields);
    if chosen.route.security_headers {
        fields.fill(flow.secure);
    }
    // SECURITY: what was made for one caller must not be kept for another by a cache in between.
    let personal = chosen.route.auth != Auth::None && flow.caller.is_some();
    if personal && !fields.has(Known::CacheControl) {
        fields.push(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    }
    limits(flow, fields);
}

/// What every answer gets that did not come from control, whoever made it.
pub(crate) fn name(flow: &Flow<'_>, fields: &mut ReplyFields) {
    if let Ok(id) = HeaderValue::from_bytes(flow.id.text().as_bytes()) {
        fields.set(REQUEST_ID, id);
    }
}

/// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10 §3, §4): the one
/// limit that leaves the least. Numbers are units: a request takes what its route says it costs.
pub(crate) fn limits(flow: &Flow<'_>, fields: &mut ReplyFields) {
    let Some(counted) = &flow.limit else {
        return;
    };
    let left = format!(
        "\"{}\";r={};t={}",
        counted.policy.name,
        counted.said.remaining,
        seconds(counted.said.reset)
    );
    fields.set(LIMIT_POLICY, counted.policy.header.clone());
    if let Ok(left) = HeaderValue::try_from(left) {
        fields.set(LIMIT, left);
    }
}

/// Whole seconds, never less than it takes.
pub(crate) fn seconds(time: Duration) -> u64 {
    time.as_millis()
        .div_ceil(1000)
        .try_into()
        .unwrap_or(u64::MAX)
}
