//! Hop-by-hop fields: what belongs to one connection and is never passed on (RFC 9110 §7.6.1).

use http::HeaderMap;
use http::header::{self, HeaderName};

/// Fields that end at the next hop, whether `Connection` names them or not. `te` and `trailer`
/// go too: no trailers are passed on.
const FIELDS: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// LIMIT: names taken from `Connection`; a sender that lists more has them all removed anyway,
/// because such a message is refused by its count of names.
const NAMED_MAX: usize = 32;

/// Removes every hop-by-hop field, those that `Connection` names included.
pub(crate) fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        for name in named(headers) {
            headers.remove(name);
        }
    }
    for name in &FIELDS {
        headers.remove(name);
    }
}

/// The fields `Connection` names.
///
/// SECURITY: fields that frame or route the message, or that later steps rely on, cannot be made
/// to disappear by naming them (RFC 9110 §7.6.1 forbids a sender to list end-to-end fields).
fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    const KEPT: [HeaderName; 5] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::AUTHORIZATION,
    ];
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .filter(|name| !KEPT.contains(name))
        .take(NAMED_MAX)
        .collect()
}
