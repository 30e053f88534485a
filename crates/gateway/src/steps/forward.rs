//! The request as the service gets it, and the way there.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use estate::{HashKey, HostHeader};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};

use crate::assertion;
use crate::body::Carried;
use crate::cookies;
use crate::exchange::{BoxError, Outgoing, Tunnel};
use crate::flow::Flow;
use crate::refused::Refused;
use crate::reply::Reply;
use crate::reserved::{is_identity, is_reserved};
use crate::state::Chosen;
use crate::steps::{body, client, grpc, websocket};
use crate::trailers;
use crate::upstream::{Failed, Key, ServiceHead, ServiceRequest, Target, Timeouts};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CLIENT: HeaderName = HeaderName::from_static("x-rampart-client");
const REQUEST: HeaderName = HeaderName::from_static("x-rampart-request");

/// How long control may take, and how much it may answer: its live pages say something every
/// few seconds.
const CONTROL: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    response: Duration::from_secs(60),
    idle: Duration::from_secs(60),
    ends: None,
    response_max: 1 << 30,
};

/// Sends what passed to its service.
pub(crate) async fn send(flow: &mut Flow<'_>, body: Carried) -> Result<Reply, Refused> {
    let (target, request, timeouts) = prepare(flow, body)?;
    go(flow, target, request, &timeouts).await
}

/// Asks the service for a WebSocket.
pub(crate) async fn websocket(flow: &mut Flow<'_>) -> Result<Reply, Refused> {
    let message_max = flow
        .chosen()
        .map_or(0, |chosen| chosen.route.limits.body_max.0);
    let key = websocket::key(flow);
    let (target, request, timeouts) = prepare(flow, Carried::empty())?;
    flow.sent = Some(flow.shared.clock.monotonic());
    let opened = flow.shared.upstreams.open(target, request, &timeouts).await;
    let response = match opened.map_err(|why| failed(flow, why))? {
        Err(response) => return Ok(response.map(Outgoing::Upstream)),
        Ok(response) => response,
    };
    if !key.is_some_and(|key| websocket::is_agreed(&key, &response.fields)) {
        return Err(failed(flow, Failed::Broken));
    }
    Ok(response.map(|upstream| {
        Outgoing::Tunnel(Box::new(Tunnel {
            upstream,
            message_max,
            allowed: None,
            permits: None,
        }))
    }))
}

/// The request as the service gets it, and within what time.
fn prepare<'a>(
    flow: &mut Flow<'a>,
    body: Carried,
) -> Result<(&'a Target, ServiceRequest, Timeouts), Refused> {
    let missing = || Refused::new(StatusCode::NOT_FOUND, "route.no_match", "no route matches");
    let chosen = flow.chosen().ok_or_else(missing)?;
    let state = flow.state;
    let target = state.target(chosen.compiled).ok_or_else(missing)?;
    let service = state.estate().services.get(&chosen.route.to);
    let ends = grpc::ends(flow)?;
    let key = target.hashed_by().and_then(|by| key(flow, by));
    let asserted = asserted_to(flow, target, service)?;
    let mut head = theirs(flow, target, &uri(flow, &chosen));
    if let Some(value) = &asserted {
        head.push(&assertion::HEADER, value);
    }
    let preserve = service.is_none_or(|service| service.host_header == HostHeader::Preserve);
    let host = if preserve {
        flow.host.value()
    } else {
        &target.authority
    };
    head.push(&header::HOST, host);
    head.push(&FORWARDED_HOST, flow.host.value());
    head.push_text(&FORWARDED_FOR, flow.client_text().as_bytes());
    head.push_text(&REQUEST_ID, flow.id.text().as_bytes());
    head.push_text(&FORWARDED_PROTO, proto(flow));
    let request = ServiceRequest {
        method: flow.head.method.clone(),
        head,
        body,
        key,
        takes_trailers: flow.head.extensions.get::<trailers::Taken>().is_some(),
    };
    let limits = &chosen.route.limits;
    let timeouts = Timeouts {
        connect: limits.connect_timeout,
        response: limits.response_timeout,
        idle: limits.response_idle_timeout,
        ends,
        response_max: limits.response_max.0,
    };
    Ok((target, request, timeouts))
}

/// Sends a request for the console's host to control.
pub(crate) async fn control(flow: &mut Flow<'_>, body: Carried) -> Result<Reply, Refused> {
    let target = std::sync::Arc::clone(&flow.shared.control);
    let mut head = theirs(flow, &target, &flow.head.uri);
    head.push(&header::HOST, flow.host.value());
    head.push_text(&CLIENT, flow.client_text().as_bytes());
    head.push_text(&REQUEST, flow.id.text().as_bytes());
    head.push_text(&FORWARDED_PROTO, proto(flow));
    let request = ServiceRequest {
        method: flow.head.method.clone(),
        head,
        body,
        key: None,
        takes_trailers: false,
    };
    go(flow, &target, request, &CONTROL).await
}

async fn go(
    flow: &mut Flow<'_>,
    target: &Target,
    request: ServiceRequest,
    timeouts: &Timeouts,
) -> Result<Reply, Refused> {
    flow.sent = Some(flow.shared.clock.monotonic());
    let sent = flow.shared.upstreams.send(target, request, timeouts).await;
    sent.map(|response| response.map(Outgoing::Upstream))
        .map_err(|why| failed(flow, why))
}

/// What is said of an answer that broke off while it was held.
pub(crate) fn broke_off(flow: &Flow<'_>, error: &BoxError) -> Refused {
    tracing::debug!(%error, "an answer that was held broke off");
    failed(flow, Failed::Broken)
}

fn failed(flow: &Flow<'_>, why: Failed) -> Refused {
    let text = match why {
        Failed::Body(why) => return body::broke_off(flow, why),
        Failed::Refused => "the service accepts no connection",
        Failed::ConnectTimeout => "the service took too long to accept a connection",
        Failed::ResponseTimeout => "the service took too long to answer",
        Failed::TlsTimeout => "the service took too long to agree on TLS",
        Failed::SendTimeout => "the service took too long to read the request",
        Failed::AnswerTimeout => "the service took too long to answer as a whole",
        Failed::Unhealthy => "no address of the service is well",
        Failed::Unresolved => "the service's name leads nowhere",
        Failed::BreakerOpen { .. } => "too many requests to the service fail",
        Failed::Tls => "the service could not be verified",
        Failed::Broken => "the service's answer is broken",
        Failed::TooLarge => "the service's answer is longer than allowed",
        Failed::TooMany => "the service has as many requests as it may",
    };
    let refused = Refused::new(why.status(), why.code(), text);
    match why.retry_after() {
        Some(after) => refused.retry_after(after),
        None => refused,
    }
}

/// What the request shares with others that are to reach the same address; nothing where it does
/// not have it, and then the least busy address gets it.
fn key(flow: &Flow<'_>, by: &HashKey) -> Option<Key> {
    let of = |bytes: &[u8]| Some(Key::from_bytes(bytes));
    match by {
        HashKey::Path => of(flow.path().as_bytes()),
        HashKey::Header(name) => flow.head.headers.get(name).and_then(|v| of(v.as_bytes())),
        HashKey::Cookie(name) => {
            let value = cookies::one(&flow.head.headers, name).ok().flatten();
            value.and_then(|value| of(value.as_bytes()))
        }
        HashKey::User => match &flow.caller {
            Some(caller) => of(caller.principal().id.to_string().as_bytes()),
            None => key(flow, &HashKey::Address),
        },
        HashKey::Address => match flow.client {
            IpAddr::V4(ip) => of(&ip.octets()),
            IpAddr::V6(ip) => of(&ip.octets()),
        },
    }
}

/// The signed word about who asks; nothing when nobody is known.
///
/// SECURITY: a known caller without an assertion is never sent on as a stranger.
fn asserted_to(
    flow: &Flow<'_>,
    target: &Target,
    service: Option<&estate::Service>,
) -> Result<Option<HeaderValue>, Refused> {
    let (Some(caller), Some(service)) = (&flow.caller, service) else {
        return Ok(None);
    };
    let none = || {
        let text = "there is no key to sign assertions with yet";
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, "snapshot.no_key", text)
    };
    let signer = flow.shared.signer.load_full().ok_or_else(none)?;
    let (_, issuer) = flow.shared.directory.token_keys();
    let audience = assertion::Audience {
        target: target.id(),
        name: &service.audience,
        issuer: &issuer,
    };
    let value = signer.assertion(caller, audience, flow.time);
    value.map(Some).ok_or_else(none)
}

/// The same word for the service of the request's route.
pub(crate) fn asserted(flow: &Flow<'_>) -> Result<Option<HeaderValue>, Refused> {
    let missing = || Refused::new(StatusCode::NOT_FOUND, "route.no_match", "no route matches");
    let chosen = flow.chosen().ok_or_else(missing)?;
    let target = flow.state.target(chosen.compiled).ok_or_else(missing)?;
    asserted_to(
        flow,
        target,
        flow.state.estate().services.get(&chosen.route.to),
    )
}

/// The request for `uri` with the fields it came with, without everything that is Rampart's to say.
fn theirs(flow: &Flow<'_>, target: &Target, uri: &Uri) -> ServiceHead {
    let is_ours = |name: &HeaderName| {
        *name == header::HOST
            || *name == REQUEST_ID
            || is_reserved(name)
            || (is_identity(name) && !client::is_trusted(flow))
    };
    let mut head = ServiceHead::new(target, &flow.head.method, uri);
    head.take(&flow.head.headers, is_ours);
    head
}

fn proto(flow: &Flow<'_>) -> &'static [u8] {
    if flow.secure { b"https" } else { b"http" }
}

/// The path as the service gets it: `None` when the route takes nothing off.
pub(crate) fn stripped<'p>(path: &'p str, chosen: &Chosen<'_>) -> Option<&'p str> {
    let prefix = chosen.route.strip_prefix.as_deref()?;
    let rest = path.strip_prefix(prefix)?;
    match rest {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    }
}

/// The target, without the prefix the route takes off.
fn uri<'f>(flow: &'f Flow<'_>, chosen: &Chosen<'_>) -> Cow<'f, Uri> {
    let uri = &flow.head.uri;
    let Some(path) = stripped(uri.path(), chosen) else {
        return Cow::Borrowed(uri);
    };
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    PathAndQuery::try_from(text).map_or(Cow::Borrowed(uri), |target| Cow::Owned(target.into()))
}
