//! What a refused client sees: a problem document (RFC 9457) for programs, a page for people, and
//! the way to the sign-in for people who are only not signed in.

use bytes::Bytes;
use estate::AuthRequest;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;

use crate::auth_request;
use crate::exchange::Outgoing;
use crate::flow::Flow;
use crate::refused::Refused;
use crate::reply::Reply;
use crate::sign_in;
use crate::steps::respond::{self, seconds};
use crate::steps::{grpc, websocket};

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The answer to a refused request.
pub(crate) fn refused(flow: &Flow<'_>, refused: &Refused) -> Reply {
    let mut response = to_client(flow, refused);
    if flow.asked != AuthRequest::Off {
        auth_request::dress(flow.asked, refused, &mut response);
    }
    response
}

fn to_client(flow: &Flow<'_>, refused: &Refused) -> Reply {
    if wants_sign_in(flow, refused)
        && let Some(response) = sign_in::redirect(flow)
    {
        return response.into();
    }
    let mut response: Reply = if flow.is_call {
        grpc::refused(refused).into()
    } else if flow.shows_pages() {
        with_status(page(flow, refused), refused.status).into()
    } else {
        with_status(problem(flow, refused), refused.status).into()
    };
    let fields = &mut response.fields;
    fields.set(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    fields.set(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    let more = refused.more();
    if let Some(after) = more.retry_after {
        fields.set(
            header::RETRY_AFTER,
            HeaderValue::from(seconds(after).max(1)),
        );
    }
    if let Some(allow) = more
        .allow
        .and_then(|allow| HeaderValue::try_from(allow).ok())
    {
        fields.set(header::ALLOW, allow);
    }
    if refused.status == StatusCode::UPGRADE_REQUIRED {
        fields.set(header::SEC_WEBSOCKET_VERSION, websocket::VERSION);
    }
    if refused.status == StatusCode::UNAUTHORIZED {
        fields.set(header::WWW_AUTHENTICATE, challenge(refused.code));
    }
    respond::limits(flow, fields);
    respond::name(flow, fields);
    crate::steps::cors::dress(flow, fields);
    response
}

fn with_status(mut response: Response<Outgoing>, status: StatusCode) -> Response<Outgoing> {
    *response.status_mut() = status;
    response
}

/// RFC 6750 §3: without a credential, no error code.
fn challenge(code: &str) -> HeaderValue {
    HeaderValue::from_static(match code {
        "authenticate.missing"
        | "authenticate.certificate_unmapped"
        | "authorise.nobody"
        | "authenticate.session_ended" => "Bearer realm=\"rampart\"",
        _ => "Bearer realm=\"rampart\", error=\"invalid_token\"",
    })
}

/// Whether somebody looks at a page who could simply sign in.
fn wants_sign_in(flow: &Flow<'_>, refused: &Refused) -> bool {
    let curable = matches!(
        refused.code,
        "authenticate.missing" | "authenticate.session_ended" | "authorise.nobody"
    );
    let navigates = flow.text(&FETCH_MODE).is_none_or(|mode| mode == "navigate");
    let reads = matches!(flow.head.method, Method::GET | Method::HEAD);
    curable && navigates && reads && flow.secure && flow.shows_pages()
}

fn problem(flow: &Flow<'_>, refused: &Refused) -> Response<Outgoing> {
    let mut document = json!({
        "type": "about:blank",
        "title": refused.status.canonical_reason().unwrap_or("Refused"),
        "status": refused.status.as_u16(),
        "detail": refused.text,
        "code": refused.code,
        "request_id": flow.id,
    });
    let faults = refused.more().faults;
    if !faults.is_empty()
        && let Some(members) = document.as_object_mut()
    {
        members.insert("errors".to_owned(), json!(faults));
    }
    let mut response = Response::new(Outgoing::Full(Bytes::from(document.to_string())));
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn page(flow: &Flow<'_>, refused: &Refused) -> Response<Outgoing> {
    let title = refused.status.canonical_reason().unwrap_or("Refused");
    let status = refused.status.as_u16();
    let text = escape(&refused.text);
    let id = flow.id;
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{status} {title}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;\
         padding:0 1rem;color-scheme:light dark}}small{{opacity:.7}}</style>\
         <h1>{title}</h1><p>{text}.</p><p><small>{status} · {id}</small></p></html>"
    );
    let mut response = Response::new(Outgoing::Full(Bytes::from(page)));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
