//! Whether the head is as small as the route wants it. The front let in as much as the most
//! generous route allows; only here is it known which one it is.

use http::StatusCode;

use crate::flow::Flow;
use crate::refused::Refused;

/// Refuses a head with more bytes or fields than the route takes.
pub(crate) fn check(flow: &Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let limits = &chosen.route.limits;
    let headers = &flow.head.headers;
    if headers.len() > usize::try_from(limits.headers_max).unwrap_or(usize::MAX) {
        return Err(refused(
            "head.too_many_fields",
            "the request has too many header fields",
        ));
    }
    // Each field costs a colon, a space and a line end on the wire.
    let fields: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let target = flow
        .head
        .uri
        .path_and_query()
        .map_or(0, |t| t.as_str().len());
    let line = flow.head.method.as_str().len() + target + "  HTTP/1.1\r\n\r\n".len();
    if fields + line > limits.head_bytes_max.as_usize() {
        return Err(refused("head.too_large", "the request head is too large"));
    }
    Ok(())
}

fn refused(code: &'static str, text: &'static str) -> Refused {
    Refused::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, code, text)
}
