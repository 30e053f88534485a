//! `GET /.rampart/auth`: a proxy in front asks whether a request may pass, and passes it on
//! itself (nginx `auth_request`, Caddy `forward_auth`, Traefik `forwardAuth`).
//!
//! The request it names is judged by the same steps, in the same order, as one that came here. What
//! those of the body would have looked at was not seen, and the answer says so. Only trusted
//! proxies are answered, and only the headers of the one style are believed that the estate names:
//! a proxy of the other would pass them on as the client wrote them.

use estate::AuthRequest;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use crate::exchange::{Outgoing, WebSocket};
use crate::flow::{Flow, Host};
use crate::refused::Refused;
use crate::reply::{Reply, ReplyFields};
use crate::reserved::is_reserved;
use crate::steps::{
    authenticate, authorise, certificate, client, forward, inspect, limits, path, respond, route,
    same_origin, size, snapshot, validate, waf, websocket,
};
use crate::{assertion, hop, sign_in, wire};

const SUBJECT: HeaderName = HeaderName::from_static("rampart-subject");
const ROLES: HeaderName = HeaderName::from_static("rampart-roles");
const TARGET: HeaderName = HeaderName::from_static("rampart-target");
const NOT_CHECKED: HeaderName = HeaderName::from_static("rampart-not-checked");
const STATUS: HeaderName = HeaderName::from_static("rampart-status");
const CODE: HeaderName = HeaderName::from_static("rampart-code");
const SIGN_IN: HeaderName = HeaderName::from_static("rampart-sign-in");

/// The headers that name the request.
struct Names {
    method: HeaderName,
    target: HeaderName,
    host: HeaderName,
}

impl Names {
    fn of(style: AuthRequest) -> Option<Self> {
        let name = HeaderName::from_static;
        match style {
            AuthRequest::Off => None,
            AuthRequest::Nginx => Some(Self {
                method: name("x-original-method"),
                target: name("x-original-uri"),
                host: header::HOST,
            }),
            AuthRequest::Forwarded => Some(Self {
                method: name("x-forwarded-method"),
                target: name("x-forwarded-uri"),
                host: name("x-forwarded-host"),
            }),
        }
    }
}

/// Judges the request that is asked about.
pub(crate) async fn answer(flow: &mut Flow<'_>) -> Result<Reply, Refused> {
    let style = flow.state.estate().gateway.auth_request;
    let names = Names::of(style).filter(|_| client::is_trusted(flow));
    let Some(names) = names else {
        // As if there were nothing: who may ask is nobody's business.
        return Err(Refused::new(
            StatusCode::NOT_FOUND,
            "route.no_match",
            "nothing of Rampart's is here",
        ));
    };
    become_original(flow, &names)?;
    flow.asked = style;
    path::settle(flow)?;
    certificate::check(flow)?;
    if flow.console || flow.path().starts_with(sign_in::OWN) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "route.own",
            "what is Rampart's own is passed to Rampart, not asked about",
        ));
    }
    route::find(flow)?;
    size::check(flow)?;
    snapshot::check(flow)?;
    if let Some(issuer) = authenticate::unknown_key(flow) {
        issuer.settle(flow.started, &flow.shared.keeper).await;
    }
    authenticate::check(flow)?;
    same_origin::check(flow)?;
    authorise::check(flow)?;
    // How many at once is not asked: what is under way, the proxy in front knows.
    match limits::store(flow) {
        None => limits::check(flow)?,
        Some(store) => limits::check_together(flow, store).await?,
    }
    inspect::head(flow)?;
    waf::head(flow)?;
    waf::without_body(flow)?;
    validate::head(flow)?;
    websocket::check(flow)?;
    allowed(flow)
}

/// Puts the request that is asked about in the place of the question.
fn become_original(flow: &mut Flow<'_>, names: &Names) -> Result<(), Refused> {
    let wrong = || {
        Refused::new(
            StatusCode::BAD_REQUEST,
            "route.auth_request",
            "the headers that name the request are missing, repeated or not what a request has",
        )
    };
    let (Some(method), Some(target), Some(host)) = (
        flow.text(&names.method),
        flow.text(&names.target),
        flow.text(&names.host),
    ) else {
        return Err(wrong());
    };
    // SECURITY: what the front would not have taken as a request is none here either.
    if !wire::is_request(method.as_bytes(), target.as_bytes(), host.as_bytes()) {
        return Err(wrong());
    }
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| wrong())?;
    let target: Uri = target.parse().map_err(|_| wrong())?;
    let host = Host::of(Some(&HeaderValue::from_str(host).map_err(|_| wrong())?));
    flow.console = host.name() == flow.state.estate().console.host;
    flow.host = host;
    flow.head.method = method;
    flow.head.uri = target;
    hop::remove_where(&mut flow.head.headers, is_reserved);
    // SECURITY: `Upgrade` ends at the proxy that asks. This field comes through, and no page can keep
    // its browser from sending it (RFC 6455 §4.1).
    if flow.head.headers.contains_key(header::SEC_WEBSOCKET_KEY) {
        flow.head.extensions.insert(WebSocket);
    }
    Ok(())
}

/// The answer for a request that may pass: who asks, for the proxy to hand on.
fn allowed(flow: &Flow<'_>) -> Result<Reply, Refused> {
    let mut fields = ReplyFields::default();
    fields.set(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.set(NOT_CHECKED, HeaderValue::from_static("body"));
    // SECURITY: the path that was judged, for the proxy to send on: the client's own spelling of it
    // might mean something else to the service.
    let target = flow.head.uri.path_and_query().map(|target| target.as_str());
    if let Some(Ok(target)) = target.map(HeaderValue::from_str) {
        fields.set(TARGET, target);
    }
    if let Some(value) = forward::asserted(flow)? {
        fields.set(assertion::HEADER, value);
    }
    if let Some(caller) = &flow.caller {
        let subject = percent_encoding::utf8_percent_encode(caller.id(), UNSEEN).to_string();
        let roles = caller.roles().join(" ");
        for (name, text) in [(SUBJECT, subject), (ROLES, roles)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                fields.set(name, value);
            }
        }
    }
    respond::limits(flow, &mut fields);
    respond::name(flow, &mut fields);
    Ok(Reply {
        status: StatusCode::OK,
        fields,
        body: Outgoing::Empty,
    })
}

/// What no header should hold, and the sign of this encoding itself.
const UNSEEN: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'%');

/// Makes a refusal one that the asking proxy understands: nginx takes 401 and 403 alone, and calls
/// everything else an error of ours. It finds the status and the way to the sign-in beside.
pub(crate) fn dress(style: AuthRequest, refused: &Refused, reply: &mut Reply) {
    let fields = &mut reply.fields;
    fields.set(CODE, HeaderValue::from_static(refused.code));
    if style != AuthRequest::Nginx {
        return;
    }
    fields.set(STATUS, HeaderValue::from(refused.status.as_u16()));
    let to = fields
        .get(&header::LOCATION)
        .and_then(|to| HeaderValue::from_bytes(to).ok());
    if let Some(to) = to {
        fields.remove(&header::LOCATION);
        fields.set(SIGN_IN, to);
    }
    fields.remove(&header::CONTENT_TYPE);
    reply.status = match refused.status {
        StatusCode::UNAUTHORIZED => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    reply.body = Outgoing::Empty;
}
