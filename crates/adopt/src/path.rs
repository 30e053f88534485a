//! Paths of other files as patterns of routes.

use estate::{PathPattern, Segment};

/// Exactly this path, decoded: `/`, `/a/b`.
pub(crate) fn exact(text: &str) -> Option<String> {
    let segments = segments(text)?;
    checked(format!("/{}", segments.join("/")))
}

/// This path, decoded, and all below it: `/**`, `/a/b/**`.
pub(crate) fn below(text: &str) -> Option<String> {
    let mut segments = segments(text)?;
    segments.push("**".to_owned());
    checked(format!("/{}", segments.join("/")))
}

/// A path that is taken off, without a slash at its end.
pub(crate) fn prefix(text: &str) -> Option<String> {
    let segments = segments(text)?;
    if segments.is_empty() {
        return None;
    }
    checked(format!("/{}", segments.join("/")))
}

/// Whether the gateway has this path for itself.
pub(crate) fn is_reserved(text: &str) -> bool {
    let rest = text.trim_start_matches('/');
    rest.split('/').next() == Some(".rampart")
}

fn checked(text: String) -> Option<String> {
    (!is_reserved(&text) && PathPattern::parse(&text).is_ok()).then_some(text)
}

/// Segments as a canonical path has them: encoded where they must be (RFC 3986 §3.3).
fn segments(text: &str) -> Option<Vec<String>> {
    let text = text.strip_prefix('/')?;
    let parts = text.split('/').filter(|part| !part.is_empty());
    parts.map(encoded).collect()
}

fn encoded(segment: &str) -> Option<String> {
    let mut out = String::new();
    for byte in segment.bytes() {
        match byte {
            b'*' | b'%' | b'\\' | 0..=0x1f | 0x7f => return None,
            _ if byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte) => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(out)
}

/// Whether every path that `inner` matches is matched by `outer` too.
pub(crate) fn covers(outer: &str, inner: &str) -> bool {
    match (PathPattern::parse(outer), PathPattern::parse(inner)) {
        (Ok(outer), Ok(inner)) => outer.covers(&inner),
        _ => false,
    }
}

/// How specific a pattern is: more segments first.
pub(crate) fn weight(pattern: &str) -> usize {
    PathPattern::parse(pattern).map_or(0, |pattern| {
        let literal = |one: &&Segment| matches!(one, Segment::Literal(_));
        pattern.segments.iter().filter(literal).count() * 2 + pattern.segments.len()
    })
}
