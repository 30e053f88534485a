//! Hop-by-hop fields: what belongs to one connection and is never passed on (RFC 9110 §7.6.1).

use http::HeaderMap;
use http::header::{self, HeaderName};
use smallvec::SmallVec;

/// Fields that end at the next hop, whether `Connection` names them or not. `te` and `trailer`
/// go too: no trailers are passed on.
const FIELDS: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// LIMIT: names taken from `Connection`.
pub(crate) const NAMED_MAX: usize = 32;

/// Removes every hop-by-hop field, those that `Connection` names included.
///
/// SECURITY: of a request this is done before anything is decided or added. Done later, a client
/// could name a field that a step added, such as the assertion of who it is, and have it removed.
pub(crate) fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        for name in named(headers) {
            headers.remove(name);
        }
    }
    strip_known(headers);
}

/// Removes the fields that are hop-by-hop wherever they stand.
pub(crate) fn strip_known(headers: &mut HeaderMap) {
    remove_where(headers, is_hop_by_hop);
}

/// Whether a field is hop-by-hop wherever it stands.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    // Most names are told by their first byte.
    let name = name.as_str();
    let is_any = matches!(
        name.as_bytes().first(),
        Some(b'c' | b'k' | b'p' | b't' | b'u')
    );
    is_any && FIELDS.contains(&name)
}

/// Removes every field whose name `is_gone`; most heads have few of them or none, so they are
/// looked for in one pass.
pub(crate) fn remove_where(headers: &mut HeaderMap, is_gone: impl Fn(&HeaderName) -> bool) {
    let gone: SmallVec<[HeaderName; 4]> = headers
        .keys()
        .filter(|name| is_gone(name))
        .cloned()
        .collect();
    for name in &gone {
        headers.remove(name);
    }
}

/// The fields `Connection` names, without those no sender may list there.
fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| may_name(name.trim().as_bytes()))
        .take(NAMED_MAX)
        .collect()
}

/// The field that an option of `Connection` names, unless no sender may list it there.
pub(crate) fn may_name(option: &[u8]) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(option).ok()?;
    (!is_end_to_end(&name)).then_some(name)
}

/// SECURITY: fields that frame, route or identify, and those later steps decide by, cannot be
/// made to disappear by naming them (RFC 9110 §7.6.1: a sender must not list them).
fn is_end_to_end(name: &HeaderName) -> bool {
    const KEPT: [HeaderName; 12] = [
        header::AUTHORIZATION,
        header::CACHE_CONTROL,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::FORWARDED,
        header::HOST,
        header::ORIGIN,
        header::REFERER,
        header::SET_COOKIE,
        HeaderName::from_static("x-real-ip"),
    ];
    const PREFIXES: [&str; 5] = ["content-", "rampart-", "sec-", "x-forwarded-", "x-rampart-"];
    KEPT.contains(name)
        || PREFIXES
            .iter()
            .any(|prefix| name.as_str().starts_with(prefix))
}

#[cfg(test)]
mod tests;
