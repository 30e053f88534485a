//! `proxy_pass` and `grpc_pass`: to which service, with which path, and how.

use super::location::Location;
use super::{Http, Scope, upstream};
use crate::draft::{Draft, Route, Service};
use crate::files::within;
use crate::tree::Directive;
use crate::units;
use crate::write::{list, quoted};
use crate::{address, path};

/// A route without its host, and its service.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) service: Service,
    pub(super) route: Route,
}

/// Why something is left, and what to do instead.
type Left = (&'static str, &'static str);

/// The most that the estate can say: no limit.
const UNLIMITED: u64 = 16_384 << 30;

pub(super) fn passed(
    http: &Http<'_>,
    location: &Location<'_>,
    pass: &Directive,
    draft: &mut Draft,
) -> Result<Passed, Left> {
    let scope = &location.scope;
    let target = target(scope, pass.arg(0), draft)?;
    let service = upstream::service(http, &target.authority, target.port, pass, draft);
    let mut service = service.ok_or((
        "no address of it can be carried over: a service is reached over TCP, at an address or name with a port",
        "let it listen on `127.0.0.1` and a port",
    ))?;
    service.protocol = target.protocol;
    let mut route = Route::new(None, "/**", 0, &pass.place);
    route.strip = stripped(location, target.uri.as_deref(), pass, draft)?;
    pass.carried(&mut draft.notes);
    let prefix = if pass.name == "grpc_pass" {
        "grpc"
    } else {
        "proxy"
    };
    headers(scope, prefix, &mut service, &mut route, draft);
    times(scope, prefix, &mut service, &mut route, draft);
    again(scope, prefix, &mut service, draft);
    if matches!(service.protocol, "https" | "h2") {
        tls(http, scope, prefix, &mut service, pass, draft);
    }
    bodies(scope, prefix, &mut route, draft);
    answers(scope, &mut route, draft);
    if service.is_http2() {
        route.websocket = false;
    }
    Ok(Passed { service, route })
}

struct Target {
    protocol: &'static str,
    port: u16,
    authority: String,
    uri: Option<String>,
}

const VARIABLE: Left = (
    "where it leads depends on the request",
    "write a route for each service it may lead to",
);

fn target(scope: &Scope<'_>, text: &str, draft: &mut Draft) -> Result<Target, Left> {
    let mut text = text.to_owned();
    if text.contains('$') {
        text = settled(scope, &text, draft).ok_or(VARIABLE)?;
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("grpc", &text));
    let (protocol, port) = match scheme {
        "http" => ("http", 80),
        "https" => ("https", 443),
        "grpc" => ("h2c", 80),
        "grpcs" => ("h2", 443),
        _ => return Err(("this is no address of a service", "")),
    };
    if rest.starts_with("unix:") {
        return Err((
            "a service is reached over TCP, not over a socket of this machine",
            "let it listen on `127.0.0.1` and a port",
        ));
    }
    let (authority, uri) = match rest.find('/') {
        Some(at) => (rest.get(..at), rest.get(at..).map(str::to_owned)),
        None => (Some(rest), None),
    };
    Ok(Target {
        protocol,
        port,
        authority: authority.unwrap_or_default().to_owned(),
        uri,
    })
}

/// Variables that are `set` once, to a text: the usual way to have a name looked up again.
fn settled(scope: &Scope<'_>, text: &str, draft: &mut Draft) -> Option<String> {
    let at = text.find('$')?;
    let name: String = text
        .get(at + 1..)?
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    let variable = format!("${name}");
    let sets: Vec<&Directive> = scope
        .levels
        .iter()
        .flat_map(|level| level.iter())
        .filter(|one| one.name == "set" && one.arg(0) == variable)
        .collect();
    let [set] = sets.as_slice() else {
        return None;
    };
    let settled = text.replacen(&variable, set.arg(1), 1);
    // With a variable, a path would replace the request's as a whole.
    let rest = settled.split_once("://").map_or("", |(_, rest)| rest);
    if settled.contains('$') || rest.contains('/') {
        return None;
    }
    set.carried(&mut draft.notes);
    Some(settled)
}

/// What is taken off the path. With a path of its own, `proxy_pass` puts it in place of the
/// location's.
fn stripped(
    location: &Location<'_>,
    uri: Option<&str>,
    pass: &Directive,
    draft: &mut Draft,
) -> Result<Option<String>, Left> {
    const PATH: Left = (
        "a route takes a prefix off a path and puts nothing in its place",
        "let the service have its paths as clients see them, or a prefix less",
    );
    const ODD: Left = ("its path holds what no canonical path holds", "");
    let rewrites: Vec<&Directive> = location
        .scope
        .own()
        .iter()
        .filter(|one| one.name == "rewrite")
        .collect();
    let whole = location.uri;
    if !rewrites.is_empty() {
        let [only] = rewrites.as_slice() else {
            return Err(PATH);
        };
        let base = rewritten(only).filter(|_| uri.is_none()).ok_or(PATH)?;
        let fits = !base.is_empty() && (whole == base || whole.strip_suffix('/') == Some(base));
        if !fits {
            return Err(PATH);
        }
        only.carried(&mut draft.notes);
        return path::prefix(base).map(Some).ok_or(ODD);
    }
    let Some(uri) = uri else {
        return Ok(None);
    };
    if uri.contains('?') {
        return Err(PATH);
    }
    if whole == uri {
        return Ok(None);
    }
    if let Some(base) = whole.strip_suffix(uri).filter(|base| !base.is_empty()) {
        return path::prefix(base).map(Some).ok_or(ODD);
    }
    if uri == "/" && !whole.ends_with('/') {
        if !location.exact {
            let why = "nginx sends two slashes at the beginning of such paths; Rampart sends one";
            pass.differs(&mut draft.notes, why);
        }
        return path::prefix(whole).map(Some).ok_or(ODD);
    }
    Err(PATH)
}

/// `/api` of `rewrite ^/api/(.*)$ /$1 break`.
fn rewritten(rewrite: &Directive) -> Option<&str> {
    if rewrite.arg(1) != "/$1" || rewrite.arg(2) != "break" {
        return None;
    }
    let rest = rewrite.arg(0).strip_prefix('^')?;
    let rest = rest.strip_suffix('$').unwrap_or(rest);
    let base = ["/(.*)", "/?(.*)", "/(.+)"]
        .iter()
        .find_map(|end| rest.strip_suffix(end))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/_-".contains(&b);
    base.bytes().all(plain).then_some(base)
}

fn headers(
    scope: &Scope<'_>,
    prefix: &str,
    service: &mut Service,
    route: &mut Route,
    draft: &mut Draft,
) {
    // What nginx does where nothing is said: the service's own address.
    service.own_host = true;
    let mut said = false;
    for one in scope.all(&format!("{prefix}_set_header")) {
        let value = one.arg(1);
        let name = one.arg(0).to_ascii_lowercase();
        match name.as_str() {
            "host" => {
                said = true;
                host(one, service, draft);
            }
            "upgrade" => {
                one.carried(&mut draft.notes);
                route.websocket = value.contains("$http_upgrade") || value == "websocket";
            }
            "connection" | "te" | "content-length" | "transfer-encoding" | "keep-alive" => {
                one.unneeded(
                    &mut draft.notes,
                    "each connection is the gateway's own to manage",
                );
            }
            "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-host" | "x-request-id" => {
                let why = "the service gets `X-Forwarded-For`, `-Host`, `-Proto` and `X-Request-Id` from Rampart itself";
                one.unneeded(&mut draft.notes, why);
            }
            "x-real-ip"
            | "x-forwarded-port"
            | "x-forwarded-server"
            | "x-forwarded-ssl"
            | "x-forwarded-scheme"
            | "x-scheme"
            | "x-original-uri"
            | "x-client-ip"
            | "x-forwarded-prefix"
            | "forwarded"
            | "x-forwarded-protocol"
            | "front-end-https" => {
                one.left(
                    &mut draft.notes,
                    "such headers are taken off and not set: nobody can forge them, and the service does not get them",
                    "let the service read `X-Forwarded-For` and `X-Forwarded-Proto`",
                );
            }
            _ if value.is_empty() => one.left(
                &mut draft.notes,
                "the service gets this header as the client sent it",
                "",
            ),
            _ => {
                let (why, instead) = super::words::left("proxy_set_header");
                one.left(&mut draft.notes, why, instead);
            }
        }
    }
    if !said && service.addresses.len() != 1 {
        let why = "nginx sends the group's name as `Host`; Rampart sends the address that is asked";
        draft
            .notes
            .differs(&route.place, &format!("{prefix}_pass"), why);
    }
}

fn host(one: &Directive, service: &mut Service, draft: &mut Draft) {
    match one.arg(1) {
        "$host"
        | "$http_host"
        | "$server_name"
        | "$host:$server_port"
        | "$http_host:$server_port" => {
            one.carried(&mut draft.notes);
            service.own_host = false;
        }
        "$proxy_host" => one.carried(&mut draft.notes),
        _ => {
            service.own_host = false;
            one.left(
                &mut draft.notes,
                "a service gets the client's `Host`, or its own address, and no other name",
                "let the service answer for the public name",
            );
        }
    }
}

/// A time within what the estate takes, and whether it was one.
fn within_ms(one: &Directive, least: u64, most: u64, draft: &mut Draft) -> Option<u64> {
    let Some(ms) = units::nginx_ms(one.arg(0)) else {
        one.left(&mut draft.notes, "this is no time", "");
        return None;
    };
    let kept = ms.clamp(least, most);
    if kept == ms {
        one.carried(&mut draft.notes);
    } else {
        let why = "it is outside of what the estate takes: the nearest is written";
        one.differs(&mut draft.notes, why);
    }
    Some(kept)
}

fn times(
    scope: &Scope<'_>,
    prefix: &str,
    service: &mut Service,
    route: &mut Route,
    draft: &mut Draft,
) {
    if let Some(one) = scope.one(&format!("{prefix}_connect_timeout")) {
        route.connect_ms = within_ms(one, 1, 300_000, draft);
    }
    if let Some(one) = scope.one(&format!("{prefix}_read_timeout")) {
        route.response_ms = within_ms(one, 1, 86_400_000, draft);
    }
    if let Some(one) = scope.one(&format!("{prefix}_send_timeout")) {
        service.send_ms = within_ms(one, 10, 3_600_000, draft);
    }
}

/// Requests that are sent again.
fn again(scope: &Scope<'_>, prefix: &str, service: &mut Service, draft: &mut Draft) {
    let mut parts = Vec::new();
    if let Some(one) = scope.one(&format!("{prefix}_next_upstream")) {
        if one.arg(0) == "off" {
            one.carried(&mut draft.notes);
            service.set("retries", "{ max = 0 }".to_owned());
            return;
        }
        let mut on = Vec::new();
        let mut rest = false;
        for word in &one.args {
            match word.as_str() {
                "error" => on.extend(["connect", "reset"]),
                "timeout" => on.push("timeout"),
                "http_502" => on.push("502"),
                "http_503" => on.push("503"),
                "http_504" => on.push("504"),
                _ => rest = true,
            }
        }
        on.dedup();
        if rest {
            let why = "requests are sent again after `connect`, `reset`, `timeout`, 502, 503 and 504 alone, and only idempotent ones";
            one.differs(&mut draft.notes, why);
        } else {
            one.carried(&mut draft.notes);
        }
        if !on.is_empty() {
            parts.push(format!("on = {}", list(on)));
        }
    }
    if let Some(one) = scope.one(&format!("{prefix}_next_upstream_tries")) {
        let tries: Option<u64> = one.arg(0).parse().ok();
        match tries.filter(|tries| (1..=11).contains(tries)) {
            Some(tries) => {
                one.carried(&mut draft.notes);
                parts.insert(0, format!("max = {}", tries.saturating_sub(1)));
            }
            None => one.left(
                &mut draft.notes,
                "a request is sent again at most ten times",
                "",
            ),
        }
    }
    if !parts.is_empty() {
        service.set("retries", format!("{{ {} }}", parts.join(", ")));
    }
}

fn tls(
    http: &Http<'_>,
    scope: &Scope<'_>,
    prefix: &str,
    service: &mut Service,
    pass: &Directive,
    draft: &mut Draft,
) {
    let one = |name: &str| scope.one(&format!("{prefix}_ssl_{name}"));
    if let Some(name) = one("name") {
        match address::host(name.arg(0)).filter(|host| host.contains('.') || host == "localhost") {
            Some(host) => {
                name.carried(&mut draft.notes);
                service.set("tls_name", quoted(&host));
            }
            None => name.left(
                &mut draft.notes,
                "the name of a service's certificate is fixed",
                "write `tls_name`",
            ),
        }
    }
    if let Some(file) = one("trusted_certificate") {
        file.carried(&mut draft.notes);
        service.set_file("tls_authority", &within(http.folder, file.arg(0)));
    }
    if let (Some(chain), Some(key)) = (one("certificate"), one("certificate_key")) {
        chain.carried(&mut draft.notes);
        key.carried(&mut draft.notes);
        service.set_file("tls_certificate", &within(http.folder, chain.arg(0)));
        service.set_file("tls_key", &within(http.folder, key.arg(0)));
    }
    let verified = one("verify").is_some_and(|one| one.arg(0) == "on");
    if let Some(verify) = one("verify") {
        verify.carried(&mut draft.notes);
    }
    if !verified {
        let why = "nginx does not verify this service's certificate; Rampart always does: name its authority with `tls_authority`, and its name with `tls_name`";
        pass.differs(&mut draft.notes, why);
    }
}

fn bodies(scope: &Scope<'_>, prefix: &str, route: &mut Route, draft: &mut Draft) {
    if let Some(one) = scope.one("client_max_body_size") {
        match units::nginx_bytes(one.arg(0)) {
            Some(0) => {
                one.carried(&mut draft.notes);
                route.body_max = Some(UNLIMITED);
                route.remarks.push("Bodies of any length: while they are held, `gateway.held_bodies_disk` bounds all of them together.".to_owned());
            }
            Some(bytes) => {
                one.carried(&mut draft.notes);
                route.body_max = Some(bytes.min(UNLIMITED));
            }
            None => one.left(&mut draft.notes, "this is no size", ""),
        }
    }
    let streams = scope
        .one("proxy_request_buffering")
        .filter(|_| prefix == "proxy");
    if let Some(one) = streams {
        one.carried(&mut draft.notes);
        route.stream = one.arg(0) == "off";
    }
    if prefix == "grpc" {
        route.stream = true;
        route.remarks.push("Calls in which both sides talk need `body = \"stream\"`; where none does, leave it out, and bodies are looked into.".to_owned());
    }
}

/// Headers that nginx adds to answers.
fn answers(scope: &Scope<'_>, route: &mut Route, draft: &mut Draft) {
    for one in scope.all("add_header") {
        let name = one.arg(0).to_ascii_lowercase();
        match name.as_str() {
            "strict-transport-security"
            | "x-content-type-options"
            | "x-frame-options"
            | "content-security-policy"
            | "referrer-policy"
            | "x-xss-protection" => {
                route.security_headers = true;
                let why = "the route sets security headers of Rampart's own where the service sets none: `Strict-Transport-Security` for a year, `nosniff`, `SAMEORIGIN`, a small `Content-Security-Policy`";
                one.differs(&mut draft.notes, why);
            }
            name if name.starts_with("access-control-") => one.left(
                &mut draft.notes,
                "access from other origins is a table of the route",
                "write `cors = { origins = [\"…\"] }`, or let the service answer",
            ),
            _ => {
                let (why, instead) = super::words::left("add_header");
                one.left(&mut draft.notes, why, instead);
            }
        }
    }
}
