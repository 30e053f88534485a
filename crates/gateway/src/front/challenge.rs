//! Answers an authority that asks for the page of a challenge (RFC 8555 §8.3), on clear listeners,
//! whatever else these do. Only a token under way has a page; every other request goes on as if
//! there were none.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response};

use super::Handler;
use super::service::without_port;
use crate::exchange::{Incoming, Outgoing};

/// Where such pages are (RFC 8555 §8.3, RFC 8615).
const PREFIX: &str = "/.well-known/acme-challenge/";

/// The page, when `request` asks for one that is there.
pub(super) fn answer<H: Handler>(
    handler: &H,
    request: &Request<Incoming>,
) -> Option<Response<Outgoing>> {
    let token = request.uri().path().strip_prefix(PREFIX)?;
    if *request.method() != Method::GET {
        return None;
    }
    let host = request.headers().get(header::HOST)?.to_str().ok()?;
    let page = handler.challenge(without_port(host), token)?;
    let mut response = Response::new(Outgoing::Full(Bytes::from(page)));
    let headers = response.headers_mut();
    // SECURITY: no browser takes the page for something that runs.
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}
