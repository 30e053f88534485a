//! What HTTP/2 adds: its limits, and the rules of RFC 9113 §8 that h2 leaves to its user.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, Version};
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::wire::{HeadLimits, Refusal, check_path, content_length};

/// How much one HTTP/2 connection may do at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamLimits {
    /// Open requests.
    pub(crate) concurrent_max: u32,
    /// Requests reset by the client before they were looked at (CVE-2023-44487).
    pub(crate) pending_resets_max: usize,
    /// Resets this side had to send because of the client's errors (CVE-2025-8671).
    pub(crate) error_resets_max: usize,
    /// A silent connection is asked whether it lives, after.
    pub(crate) ping_after: Duration,
    /// It must answer within.
    pub(crate) ping_timeout: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            concurrent_max: 100,
            pending_resets_max: 20,
            error_resets_max: 64,
            ping_after: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
        }
    }
}

/// LIMIT: bytes a client may send ahead on one stream.
const STREAM_WINDOW: u32 = 256 * 1024;
/// LIMIT: bytes a client may send ahead on a connection.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// LIMIT: bytes of one stream's answer waiting for the client.
const SEND_BUFFER: usize = 64 * 1024;

/// A server of connections within `streams` and `head`.
pub(super) fn builder(streams: &StreamLimits, head: &HeadLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams.concurrent_max)
        .max_pending_accept_reset_streams(streams.pending_resets_max)
        .max_local_error_reset_streams(streams.error_resets_max)
        .keep_alive_interval(streams.ping_after)
        .keep_alive_timeout(streams.ping_timeout)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(u32::try_from(head.bytes_max).unwrap_or(u32::MAX));
    builder
}

/// Fields that speak about one HTTP/1 connection (RFC 9113 §8.2.2).
const CONNECTION_SPECIFIC: [HeaderName; 5] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Checks a request, and brings it into the form HTTP/1 requests have: `Host` instead of
/// `:authority`, one `Cookie` field.
pub(super) fn check(request: &mut Request<Incoming>, fields_max: usize) -> Result<(), Refusal> {
    debug_assert_eq!(
        request.version(),
        Version::HTTP_2,
        "only asked about HTTP/2"
    );
    check_target(request)?;
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned());
    let headers = request.headers_mut();
    if headers.len() > fields_max {
        return Err(Refusal::TooManyFields);
    }
    if CONNECTION_SPECIFIC
        .iter()
        .any(|name| headers.contains_key(name))
    {
        return Err(Refusal::ConnectionSpecific);
    }
    if headers
        .get_all(header::TE)
        .iter()
        .any(|te| te != "trailers")
    {
        return Err(Refusal::ConnectionSpecific);
    }
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    if let Some(length) = lengths.next() {
        content_length(length.as_bytes())?;
    }
    if lengths.next().is_some() {
        return Err(Refusal::LengthRepeated);
    }
    if headers.values().any(is_padded) {
        return Err(Refusal::FieldValue);
    }
    host(headers, authority)?;
    join_cookies(headers)
}

/// Whether whitespace stands around a value (RFC 9113 §8.2.1). In HTTP/1 it would be no part of it.
fn is_padded(value: &HeaderValue) -> bool {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let value = value.as_bytes();
    is_blank(value.first()) || is_blank(value.last())
}

fn check_target(request: &Request<Incoming>) -> Result<(), Refusal> {
    let uri = request.uri();
    if request.method() == Method::CONNECT {
        return Err(Refusal::Connect);
    }
    // Without `:authority` its reader keeps no scheme either; it has seen that there is one.
    let scheme = match uri.scheme_str() {
        Some(scheme) => matches!(scheme, "http" | "https"),
        None => uri.authority().is_none(),
    };
    if !scheme {
        return Err(Refusal::Target);
    }
    let target = uri.path_and_query().map_or("", PathAndQuery::as_str);
    if target == "*" && request.method() == Method::OPTIONS {
        return Ok(());
    }
    if !target.starts_with('/') {
        return Err(Refusal::Target);
    }
    check_path(target.as_bytes())
}

/// `:authority` and `Host` must not differ (RFC 9113 §8.3.1); afterwards `Host` is there, once.
fn host(headers: &mut HeaderMap, authority: Option<String>) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(Refusal::HostRepeated);
    }
    match (first, authority) {
        (None, None) => Err(Refusal::HostMissing),
        (Some(host), None) => valid(host.as_bytes()),
        (Some(host), Some(authority)) => {
            if !host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()) {
                return Err(Refusal::HostMismatch);
            }
            valid(host.as_bytes())
        }
        (None, Some(authority)) => {
            valid(authority.as_bytes())?;
            let host = HeaderValue::try_from(authority).map_err(|_| Refusal::HostInvalid)?;
            headers.insert(header::HOST, host);
            Ok(())
        }
    }
}

fn valid(host: &[u8]) -> Result<(), Refusal> {
    if crate::wire::is_host(host) {
        Ok(())
    } else {
        Err(Refusal::HostInvalid)
    }
}

/// A client may split its cookies for compression; HTTP/1 knows one field (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) -> Result<(), Refusal> {
    let mut cookies = headers.get_all(header::COOKIE).iter();
    let (Some(first), Some(second)) = (cookies.next(), cookies.next()) else {
        return Ok(());
    };
    let mut joined = first.as_bytes().to_vec();
    for cookie in std::iter::once(second).chain(cookies) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(cookie.as_bytes());
    }
    let joined = HeaderValue::from_bytes(&joined).map_err(|_| Refusal::Control)?;
    headers.insert(header::COOKIE, joined);
    Ok(())
}

#[cfg(test)]
pub(super) mod conformance;
#[cfg(test)]
mod tests;
