//! What values mean together: names of routes, routes that meet, the console's origin,
//! certificates, loops, permissions nobody holds.

use std::collections::{BTreeMap, BTreeSet};

use ::model::{Diagnostic, Permission, Span, own};

use super::names::entries;
use crate::findings::Findings;
use crate::model::{Estate, PathPattern, Require, Route, Segment};
use crate::read::Reader;
use crate::{suggest, values};

pub(super) fn check(findings: &mut Findings, root: &Reader<'_>, estate: &Estate) {
    console_origin(findings, estate);
    duplicate_routes(findings, estate);
    unreachable_routes(findings, estate);
    certificates(findings, root, estate);
    websockets(findings, estate);
    loops(findings, root, estate);
    unheld_permissions(findings, estate);
}

/// Where a finding about a route is shown: at one of its keys, else at its path.
fn place(route: &Route, key: &str) -> Span {
    let span = route.spans.get(key).or_else(|| route.spans.get("path"));
    span.copied().unwrap_or(route.span)
}

/// SECURITY: a script of a protected backend must never run on the origin where people sign in
/// and administrators work.
fn console_origin(findings: &mut Findings, estate: &Estate) {
    for route in &estate.routes {
        if route.host.as_deref() == Some(&estate.console.host) {
            let message = format!("`{}` is the console's host", estate.console.host);
            findings.push(
                Diagnostic::error("estate.console_host", place(route, "host"), message).hint(
                    "give the route another host, or set `host` of `[console]`: they never share \
                     an origin",
                ),
            );
        }
    }
}

fn duplicate_routes(findings: &mut Findings, estate: &Estate) {
    let mut seen: BTreeMap<(Option<&str>, &PathPattern), ()> = BTreeMap::new();
    for route in &estate.routes {
        let key = (route.host.as_deref(), &route.path);
        if seen.insert(key, ()).is_some() {
            let host = route.host.as_deref().unwrap_or("every host");
            let message = format!("there is already a route for `{}` of {host}", route.path);
            findings.push(
                Diagnostic::error("estate.duplicate_route", place(route, "path"), message)
                    .hint("one route serves all methods; `require` can tell them apart"),
            );
        }
    }
}

/// `/a/**` is never reached where `/a` and `/a/*/**` both have routes of their own: together they
/// match all that it matches, and the more specific wins.
fn unreachable_routes(findings: &mut Findings, estate: &Estate) {
    let known: BTreeSet<(Option<&str>, &PathPattern)> = estate
        .routes
        .iter()
        .map(|route| (route.host.as_deref(), &route.path))
        .collect();
    for route in &estate.routes {
        let Some((Segment::Rest, before)) = route.path.segments.split_last() else {
            continue;
        };
        let exactly = PathPattern {
            segments: before.to_vec(),
        };
        let mut deeper = exactly.clone();
        deeper.segments.extend([Segment::One, Segment::Rest]);
        let host = route.host.as_deref();
        if known.contains(&(host, &exactly)) && known.contains(&(host, &deeper)) {
            let message = format!(
                "nothing reaches `{}`: `{exactly}` and `{deeper}` are more specific and match \
                 everything it does",
                route.path
            );
            findings.push(Diagnostic::warning(
                "estate.unreachable_route",
                place(route, "path"),
                message,
            ));
        }
    }
}

/// WebSockets are asked of a service over HTTP/1.1; RFC 8441 is not spoken.
fn websockets(findings: &mut Findings, estate: &Estate) {
    for route in estate.routes.iter().filter(|route| route.websocket) {
        let service = estate.services.get(&route.to);
        if service.is_some_and(|service| service.protocol.is_http2()) {
            let message = format!(
                "`{}` speaks HTTP/2, and WebSockets go over HTTP/1.1",
                route.to
            );
            findings.push(
                Diagnostic::error("estate.contradiction", place(route, "websocket"), message).hint(
                    "lead the route to a service with `protocol = \"http\"` or `\"https\"`; the \
                     same hosts can be one",
                ),
            );
        }
    }
}

/// A certificate is for hosts that are served; anything else is a mistake or a key too many.
fn certificates(findings: &mut Findings, root: &Reader<'_>, estate: &Estate) {
    let serves_all = estate.routes.iter().any(|route| route.host.is_none());
    let served: BTreeSet<&str> = estate
        .routes
        .iter()
        .filter_map(|route| route.host.as_deref())
        .chain([estate.console.host.as_str()])
        .collect();
    let mut seen: BTreeMap<String, u8> = BTreeMap::new();
    for table in entries(root, "certificate") {
        let hosts = table.list("hosts", values::certificate_host);
        let mut own = BTreeSet::new();
        if hosts.is_empty() && !findings.has_errors() {
            let message = "this certificate is for no host".to_owned();
            findings.error("estate.bad_value", table.span_of("hosts"), message);
        }
        for host in hosts {
            let used = serves_all
                || match host.value.strip_prefix("*.") {
                    Some(parent) => served
                        .iter()
                        .any(|name| name.split_once('.').is_some_and(|(_, rest)| rest == parent)),
                    None => served.contains(host.value.as_str()),
                };
            if !used {
                let message = format!("no route is served at `{}`", host.value);
                let finding = Diagnostic::error("estate.certificate_unused", host.span, message);
                let all = served.iter().copied();
                findings.push_hinted(finding, served.len(), || {
                    suggest::hint(&host.value, all, "hosts")
                });
            }
            // One with an ECDSA key and one with an RSA key; which is which only the files say.
            let count = seen.entry(host.value.clone()).or_default();
            *count = count.saturating_add(1);
            if *count > 2 {
                let message = format!("`{}` has two certificates already", host.value);
                findings.error("estate.duplicate_name", host.span, message);
            } else if !own.insert(host.value.clone()) {
                let message = format!("`{}` has a certificate already", host.value);
                findings.error("estate.duplicate_name", host.span, message);
            }
        }
    }
}

/// A service at the gateway's own address would send every request back to the gateway.
fn loops(findings: &mut Findings, root: &Reader<'_>, estate: &Estate) {
    for table in entries(root, "service") {
        let service = table
            .text("name")
            .and_then(|name| estate.services.get(name));
        let Some(service) = service else { continue };
        for endpoint in &service.endpoints {
            let ours = estate
                .listen
                .https
                .iter()
                .chain(&estate.listen.http)
                .any(|listen| {
                    listen.port() == endpoint.port()
                        && (listen.ip() == endpoint.ip()
                            || (listen.ip().is_unspecified() && endpoint.ip().is_loopback()))
                });
            if ours {
                let key = ["address", "addresses", "port"]
                    .into_iter()
                    .find(|key| table.has(key));
                let span = key.map_or(table.span_of("name"), |key| table.span_of(key));
                let message = format!("the gateway itself listens at `{endpoint}`");
                findings.push(
                    Diagnostic::error("estate.loop", span, message)
                        .hint("requests would come back for ever; give the service its own port"),
                );
            }
        }
    }
}

/// A permission no role gives is most often misspelt.
fn unheld_permissions(findings: &mut Findings, estate: &Estate) {
    let granted: Vec<&Permission> = estate
        .roles
        .values()
        .flat_map(|role| role.allow.iter())
        .collect();
    let mut asked: BTreeMap<&Permission, Span> = BTreeMap::new();
    for route in &estate.routes {
        let span = place(route, "require");
        match &route.require {
            Require::Every(permission) => drop(asked.entry(permission).or_insert(span)),
            Require::Methods(methods) => {
                for permission in methods.values() {
                    asked.entry(permission).or_insert(span);
                }
            }
            Require::Nothing => {}
        }
    }
    for (permission, span) in asked {
        let held = own::ALL.contains(&permission.as_str())
            || granted.iter().any(|held| held.covers(permission));
        if held {
            continue;
        }
        let message = format!("no role allows `{permission}`, so nobody gets through");
        let finding = Diagnostic::warning("estate.unheld_permission", span, message);
        let near = match findings.may_suggest(granted.len()) {
            true => suggest::nearest(permission.as_str(), granted.iter().map(|p| p.as_str())),
            false => None,
        };
        findings.push(match near {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding.hint("add it to `allow` of a role"),
        });
    }
}
