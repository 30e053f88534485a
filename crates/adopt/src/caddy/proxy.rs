//! `reverse_proxy`: to which service, and how.

use crate::draft::{Draft, Route, Service};
use crate::tree::Directive;
use crate::units;
use crate::write::quoted;
use crate::{address, path};

/// Why something is left, and what to do instead.
type Left = (&'static str, &'static str);

/// LIMIT: names of one service that the estate looks up.
const NAMES_MAX: usize = 16;

/// A service and a route without host and path.
pub(super) fn passed(
    one: &Directive,
    args: &[String],
    draft: &mut Draft,
) -> Result<(Service, Route), Left> {
    let mut places: Vec<&str> = args.iter().map(String::as_str).collect();
    for to in one.each("to") {
        to.carried(&mut draft.notes);
        places.extend(to.args.iter().map(String::as_str));
    }
    let mut service = Service::new("service", Vec::new(), &one.place);
    let mut protocol = None;
    for text in places {
        let (its, place) = upstream(text).ok_or((
            "a service is reached over TCP, at an address or name with a port that is known before",
            "let it listen on `127.0.0.1` and a port",
        ))?;
        if protocol.is_some_and(|known| known != its) {
            return Err((
                "its addresses are spoken to in different ways",
                "make them two services",
            ));
        }
        protocol = Some(its);
        if !service.addresses.contains(&place) {
            service.addresses.push(place);
        }
    }
    let named = service
        .addresses
        .iter()
        .filter(|place| place.parse::<std::net::SocketAddr>().is_err())
        .count();
    if service.addresses.is_empty() || named > NAMES_MAX {
        return Err((
            "its addresses are not known before it runs, or are too many names",
            "name them in `addresses` of the service",
        ));
    }
    service.protocol = protocol.unwrap_or("http");
    service.name = name(&service);
    let mut route = Route::new(None, "/**", 0, &one.place);
    for inner in one.inside() {
        option(inner, &mut service, &mut route, draft);
    }
    health(one, &mut service, draft);
    failing(one, &mut service, draft);
    if service.addresses.len() > 1 && one.first("lb_policy").is_none() {
        let why = "Caddy takes one of the addresses at random; Rampart takes the one with the fewest requests under way";
        draft.notes.differs(&one.place, &one.shown(), why);
    }
    // Caddy lets every client open a WebSocket.
    route.websocket = !service.is_http2();
    if route.websocket {
        route.remarks.push(
            "Caddy passes WebSockets on everywhere; delete `websocket` where there are none."
                .to_owned(),
        );
    }
    route.stream = service.is_http2();
    Ok((service, route))
}

/// `127.0.0.1:8000`, `app:8000`, `https://app.internal`, `h2c://app:9000`, `:8000`.
fn upstream(text: &str) -> Option<(&'static str, String)> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let (protocol, usual) = match scheme {
        "http" => ("http", 80),
        "https" => ("https", 443),
        "h2c" => ("h2c", 80),
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['{', '/']) {
        return None;
    }
    if let Some(port) = rest.strip_prefix(':') {
        let port = address::port(port)?;
        return Some((protocol, format!("127.0.0.1:{port}")));
    }
    let (name, port) = address::split(rest)?;
    Some((protocol, address::place(name, port.unwrap_or(usual))?))
}

fn name(service: &Service) -> String {
    let first = service.addresses.first().map_or("", String::as_str);
    match first.parse::<std::net::SocketAddr>() {
        Ok(at) => format!("service-{}", at.port()),
        Err(_) => first
            .split(['.', ':'])
            .next()
            .unwrap_or("service")
            .to_owned(),
    }
}

fn option(inner: &Directive, service: &mut Service, route: &mut Route, draft: &mut Draft) {
    match inner.name.as_str() {
        "to" => {}
        "header_up" => header_up(inner, service, draft),
        "lb_policy" => policy(inner, service, draft),
        "lb_retries" => match inner.arg(0).parse::<u64>() {
            Ok(max) if max <= 10 => {
                inner.carried(&mut draft.notes);
                service.set("retries", format!("{{ max = {max} }}"));
            }
            _ => inner.left(
                &mut draft.notes,
                "a request is sent again at most ten times",
                "",
            ),
        },
        "transport" => transport(inner, service, route, draft),
        "flush_interval" | "lb_try_interval" | "buffer_requests" | "buffer_responses"
        | "request_buffers" | "response_buffers" | "stream_timeout" | "stream_close_delay"
        | "verbose_logs" => inner.unneeded(
            &mut draft.notes,
            "answers are passed on piece by piece, and requests as their route says",
        ),
        // These are looked at together.
        "health_uri" | "health_interval" | "health_timeout" | "health_status" | "health_passes"
        | "health_fails" | "fail_duration" | "max_fails" => {}
        "lb_try_duration"
        | "unhealthy_status"
        | "unhealthy_latency"
        | "unhealthy_request_count"
        | "health_port"
        | "health_headers"
        | "health_body"
        | "health_method"
        | "health_follow_redirects"
        | "health_upstream"
        | "health_request_body" => inner.left(
            &mut draft.notes,
            "`health`, `outliers` and `retries` of a service say it in another way",
            "see those tables",
        ),
        "trusted_proxies" => inner.left(
            &mut draft.notes,
            "who is believed about clients is said once, for all routes",
            "write `[gateway] trusted_proxies`",
        ),
        "header_down" => inner.left(
            &mut draft.notes,
            "Rampart changes no headers of answers but its own (`security_headers`, `cors`)",
            "let the service set it",
        ),
        _ => inner.left(
            &mut draft.notes,
            "there is nothing like it in the estate",
            "",
        ),
    }
}

fn header_up(inner: &Directive, service: &mut Service, draft: &mut Draft) {
    let name = inner.arg(0).to_ascii_lowercase();
    let value = inner.arg(1);
    match name.as_str() {
        "host" if value.contains("upstream_hostport") || value.contains("reverse_proxy.upstream") => {
            inner.carried(&mut draft.notes);
            service.own_host = true;
        }
        "host" if value == "{host}" || value == "{http.request.host}" || value == "{hostport}" => {
            inner.carried(&mut draft.notes);
        }
        "host" => inner.left(
            &mut draft.notes,
            "a service gets the client's `Host`, or its own address, and no other name",
            "let the service answer for the public name",
        ),
        "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-host" => inner.unneeded(
            &mut draft.notes,
            "the service gets `X-Forwarded-For`, `-Host`, `-Proto` and `X-Request-Id` from Rampart itself",
        ),
        "x-real-ip" | "-x-forwarded-for" => inner.left(
            &mut draft.notes,
            "such headers are taken off and not set: nobody can forge them, and the service does not get them",
            "let the service read `X-Forwarded-For` and `X-Forwarded-Proto`",
        ),
        _ => inner.left(
            &mut draft.notes,
            "Rampart sends no headers of your choice to services",
            "let the service do it",
        ),
    }
}

fn policy(inner: &Directive, service: &mut Service, draft: &mut Draft) {
    let plain = |name: &str| {
        let ok = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        (1..=64).contains(&name.len()) && name.bytes().all(ok)
    };
    let hash = match (inner.arg(0), inner.arg(1)) {
        ("ip_hash" | "client_ip_hash", _) => Some("address".to_owned()),
        ("uri_hash", _) => Some("path".to_owned()),
        ("header", name) if plain(name) => Some(format!("header:{}", name.to_ascii_lowercase())),
        ("cookie", name) if plain(name) => Some(format!("cookie:{name}")),
        ("least_conn" | "random" | "random_choose" | "round_robin", _) => {
            return inner.unneeded(
                &mut draft.notes,
                "the address with the fewest requests under way is taken anyway",
            );
        }
        _ => None,
    };
    match hash {
        Some(hash) => {
            inner.carried(&mut draft.notes);
            service.set("balance", format!("{{ hash = {} }}", quoted(&hash)));
        }
        None => inner.left(
            &mut draft.notes,
            "an address is chosen by load, or by address, user, path, one header or one cookie; none waits in reserve",
            "see `balance`",
        ),
    }
}

fn transport(inner: &Directive, service: &mut Service, route: &mut Route, draft: &mut Draft) {
    if inner.arg(0) != "http" {
        return inner.left(
            &mut draft.notes,
            "Rampart speaks HTTP to services, not FastCGI",
            "",
        );
    }
    inner.carried(&mut draft.notes);
    for one in inner.inside() {
        let time = |least: u64, most: u64| units::go_ms(one.arg(0)).map(|ms| ms.clamp(least, most));
        match one.name.as_str() {
            "versions" => {
                let http2 = !one.args.iter().any(|word| word == "1.1");
                match (http2, one.args.iter().any(|word| word == "h2c")) {
                    (true, clear) => {
                        one.carried(&mut draft.notes);
                        service.protocol = if clear { "h2c" } else { "h2" };
                    }
                    _ => one.unneeded(&mut draft.notes, "HTTP/1.1 is spoken to it"),
                }
            }
            "dial_timeout" => {
                route.connect_ms = time(1, 300_000);
                one.carried(&mut draft.notes);
            }
            "response_header_timeout" | "read_timeout" => {
                route.response_ms = route.response_ms.max(time(1, 86_400_000));
                one.carried(&mut draft.notes);
            }
            "write_timeout" => {
                service.send_ms = time(10, 3_600_000);
                one.carried(&mut draft.notes);
            }
            "keepalive"
            | "keepalive_interval"
            | "keepalive_idle_conns"
            | "keepalive_idle_conns_per_host"
            | "max_conns_per_host"
            | "read_buffer"
            | "write_buffer"
            | "compression"
            | "max_response_header"
            | "dial_fallback_delay"
            | "resolvers"
            | "local_address" => {
                one.unneeded(&mut draft.notes, "connections to services are pooled");
            }
            _ if tls(one, service, draft) => {}
            _ => one.left(
                &mut draft.notes,
                "there is nothing like it in the estate",
                "",
            ),
        }
    }
}

/// How a service is spoken to over TLS; whether this was about it.
fn tls(one: &Directive, service: &mut Service, draft: &mut Draft) -> bool {
    match one.name.as_str() {
        "tls" => {
            one.carried(&mut draft.notes);
            secure(service);
        }
        "tls_server_name" => {
            let host = address::host(one.arg(0)).filter(|host| host.contains('.'));
            match host {
                Some(host) => {
                    secure(service);
                    one.carried(&mut draft.notes);
                    service.set("tls_name", quoted(&host));
                }
                None => one.left(
                    &mut draft.notes,
                    "the name of a service's certificate is fixed",
                    "write `tls_name`",
                ),
            }
        }
        "tls_trusted_ca_certs" | "tls_trust_pool" => {
            let file = one
                .args
                .last()
                .filter(|file| !file.contains('{') && one.block.is_none());
            match file {
                Some(file) => {
                    secure(service);
                    one.carried(&mut draft.notes);
                    service.set_file("tls_authority", file);
                }
                None => one.left(
                    &mut draft.notes,
                    "the authorities are one PEM file",
                    "write `tls_authority`",
                ),
            }
        }
        "tls_client_auth" if one.args.len() == 2 => {
            secure(service);
            one.carried(&mut draft.notes);
            service.set_file("tls_certificate", one.arg(0));
            service.set_file("tls_key", one.arg(1));
        }
        "tls_insecure_skip_verify" => {
            secure(service);
            let why = "Caddy does not verify this service's certificate; Rampart always does: name its authority with `tls_authority`, and its name with `tls_name`";
            one.differs(&mut draft.notes, why);
        }
        _ => return false,
    }
    true
}

fn secure(service: &mut Service) {
    service.protocol = match service.protocol {
        "h2c" | "h2" => "h2",
        _ => "https",
    };
}

/// `health_uri` and what belongs to it.
fn health(one: &Directive, service: &mut Service, draft: &mut Draft) {
    let Some(uri) = one.first("health_uri") else {
        return;
    };
    let target = uri.arg(0);
    let path_only = target.split('?').next().unwrap_or(target);
    let plain = target.bytes().all(|b| b.is_ascii_graphic()) && !target.contains(['#', '{']);
    if !plain || path::exact(path_only).is_none() {
        return uri.left(
            &mut draft.notes,
            "a probe asks for a fixed path",
            "write `health`",
        );
    }
    uri.carried(&mut draft.notes);
    let mut parts = vec![format!("path = {}", quoted(target))];
    let every = one.first("health_interval");
    let timeout = one.first("health_timeout");
    let ms = |option: Option<&Directive>, usual: u64, most: u64| {
        let said = option.and_then(|option| units::go_ms(option.arg(0)));
        said.unwrap_or(usual).clamp(100, most)
    };
    let every_ms = ms(every, 30_000, 3_600_000);
    let timeout_ms = ms(timeout, 5_000, 60_000).min(every_ms);
    parts.push(format!("every = {}", quoted(&units::duration(every_ms))));
    parts.push(format!(
        "timeout = {}",
        quoted(&units::duration(timeout_ms))
    ));
    for said in every.into_iter().chain(timeout) {
        said.carried(&mut draft.notes);
    }
    if let Some(status) = one.first("health_status") {
        let text = status.arg(0);
        let expect = match text {
            "2xx" => Some("200-299".to_owned()),
            "3xx" => Some("300-399".to_owned()),
            text if text.len() == 3
                && text.starts_with(['2', '3', '4', '5'])
                && text.bytes().all(|b| b.is_ascii_digit()) =>
            {
                Some(text.to_owned())
            }
            _ => None,
        };
        match expect {
            Some(expect) => {
                status.carried(&mut draft.notes);
                parts.push(format!("expect = {}", quoted(&expect)));
            }
            None => status.left(
                &mut draft.notes,
                "this is no status",
                "write `health.expect`",
            ),
        }
    }
    for (name, key) in [("health_passes", "rise"), ("health_fails", "fall")] {
        if let Some(said) = one.first(name) {
            match said.arg(0).parse::<u64>() {
                Ok(number @ 1..=100) => {
                    said.carried(&mut draft.notes);
                    parts.push(format!("{key} = {number}"));
                }
                _ => said.left(&mut draft.notes, "from 1 to 100", ""),
            }
        }
    }
    service.set("health", format!("{{ {} }}", parts.join(", ")));
}

fn failing(one: &Directive, service: &mut Service, draft: &mut Draft) {
    let mut parts = Vec::new();
    if let Some(fails) = one.first("max_fails")
        && let Ok(number @ 1..=1000) = fails.arg(0).parse::<u64>()
    {
        fails.carried(&mut draft.notes);
        parts.push(format!("failures = {number}"));
    }
    if let Some(time) = one.first("fail_duration")
        && let Some(ms) = units::go_ms(time.arg(0)).filter(|ms| (100..=300_000).contains(ms))
    {
        time.carried(&mut draft.notes);
        parts.push(format!("eject = {}", quoted(&units::duration(ms))));
    }
    if !parts.is_empty() {
        service.set("outliers", format!("{{ {} }}", parts.join(", ")));
    }
}
