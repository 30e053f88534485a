//! What calls of gRPC ask for beyond HTTP: how long they may take, and answers that their clients
//! understand when a step refuses (the gRPC protocol over HTTP/2).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::time::Instant;

use crate::exchange::Outgoing;
use crate::flow::Flow;
use crate::refused::Refused;

const CONTENT_TYPE: &str = "application/grpc";
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// Digits of a time at most, as the protocol says.
const DIGITS_MAX: usize = 8;
/// What of a message is written with `%`.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// Whether a request's head is that of a call; gRPC-Web, which browsers read, is none.
pub(crate) fn is_call(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    let rest = kind.as_bytes().get(CONTENT_TYPE.len()..);
    let starts = kind
        .as_bytes()
        .get(..CONTENT_TYPE.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(CONTENT_TYPE.as_bytes()));
    starts && matches!(rest.and_then(|rest| rest.first()), None | Some(b'+' | b';'))
}

/// When a call must have ended, by its own word.
pub(crate) fn ends(flow: &Flow<'_>) -> Result<Option<Instant>, Refused> {
    if !flow.is_call {
        return Ok(None);
    }
    let invalid = || {
        Refused::new(
            StatusCode::BAD_REQUEST,
            "grpc.timeout_invalid",
            "`grpc-timeout` is no time",
        )
    };
    let Some(value) = flow.single(&TIMEOUT).map_err(|()| invalid())? else {
        return Ok(None);
    };
    let allowed = value.to_str().ok().and_then(timeout).ok_or_else(invalid)?;
    let spent = flow.shared.clock.monotonic().saturating_sub(flow.started);
    Ok(Instant::now().checked_add(allowed.saturating_sub(spent)))
}

/// `TimeoutValue TimeoutUnit`.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || digits.len() > DIGITS_MAX {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count.checked_mul(3600)?),
        "M" => Duration::from_secs(count.checked_mul(60)?),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// The answer to a call that was refused: its status stands where clients look for it, beside an
/// HTTP status that says only that there is an answer.
pub(crate) fn refused(refused: &Refused) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::Full(Bytes::new()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(STATUS, HeaderValue::from(code(refused.status)));
    let message = format!("{} ({})", refused.text, refused.code);
    let message = utf8_percent_encode(&message, ESCAPED).to_string();
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert(MESSAGE, message);
    }
    response
}

/// The code of the gRPC protocol that says the same.
fn code(status: StatusCode) -> u16 {
    const INVALID_ARGUMENT: u16 = 3;
    const DEADLINE_EXCEEDED: u16 = 4;
    const PERMISSION_DENIED: u16 = 7;
    const RESOURCE_EXHAUSTED: u16 = 8;
    const UNIMPLEMENTED: u16 = 12;
    const INTERNAL: u16 = 13;
    const UNAVAILABLE: u16 = 14;
    const UNAUTHENTICATED: u16 = 16;
    match status.as_u16() {
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 | 405 | 421 | 501 => UNIMPLEMENTED,
        408 | 504 => DEADLINE_EXCEEDED,
        413 | 429 | 431 => RESOURCE_EXHAUSTED,
        502 | 503 => UNAVAILABLE,
        500..=599 => INTERNAL,
        _ => INVALID_ARGUMENT,
    }
}

#[cfg(test)]
mod tests;
