//! Every route has a name, for metrics and events: given, or made from host and path so that it
//! stays the same when other routes come and go.

use std::collections::BTreeMap;

use ::model::Diagnostic;

use crate::findings::Findings;
use crate::model::{PathPattern, Route, Segment};

/// LIMIT: bytes of a name.
const NAME_BYTES_MAX: usize = 63;

/// Names the routes that have no name, and reports names that two routes have.
pub(super) fn assign(findings: &mut Findings, routes: &mut [Route], domain: Option<&str>) {
    let mut seen: BTreeMap<String, (Option<String>, PathPattern)> = BTreeMap::new();
    for route in routes {
        let place = (route.host.clone(), route.path.clone());
        let given = !route.name.is_empty();
        if !given {
            route.name = made(route, domain.unwrap_or_default());
        }
        let Some(other) = seen.insert(route.name.clone(), place.clone()) else {
            continue;
        };
        // Two routes for the same place are reported as that, once.
        if given || other != place {
            let span = route.spans.get("name").or_else(|| route.spans.get("path"));
            let message = format!("there is already a route named `{}`", route.name);
            findings.push(
                Diagnostic::error(
                    "estate.duplicate_name",
                    span.copied().unwrap_or(route.span),
                    message,
                )
                .hint("give this route a `name` of its own"),
            );
        }
    }
}

fn made(route: &Route, domain: &str) -> String {
    let host = route.host.as_deref().map(|host| {
        host.strip_suffix(domain)
            .and_then(|host| host.strip_suffix('.'))
            .unwrap_or(host)
    });
    let mut parts: Vec<String> = host.into_iter().map(plain).collect();
    parts.extend(route.path.segments.iter().map(|segment| match segment {
        Segment::Literal(text) => plain(text),
        Segment::One => "any".to_owned(),
        Segment::Rest => "all".to_owned(),
    }));
    parts.retain(|part| !part.is_empty());
    if route.path.segments.is_empty() {
        parts.push("root".to_owned());
    }
    let name = if parts.is_empty() {
        "route".to_owned()
    } else {
        parts.join("-")
    };
    if name.len() <= NAME_BYTES_MAX {
        return name;
    }
    // The beginning for people, a digest of the whole so that names with one beginning differ.
    let beginning: String = name.chars().take(NAME_BYTES_MAX - 9).collect();
    format!("{beginning}-{:08x}", digest(&name))
}

/// Letters and digits in lower case, everything else as one `-`.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// FNV-1a: spreads names; nothing depends on it being hard to invert.
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
