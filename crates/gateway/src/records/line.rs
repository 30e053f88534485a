//! One line of a segment, written without an allocation of its own.

use std::io::Write as _;

use super::RequestLine;

/// LIMIT: bytes of a path in a line.
const PATH_BYTES_MAX: usize = 2048;

/// Appends the line with its line end.
pub(super) fn write(out: &mut Vec<u8>, request: &RequestLine<'_>) {
    // Writing to memory cannot fail.
    let mut push = |text: std::fmt::Arguments<'_>| out.write_fmt(text).unwrap_or_default();
    push(format_args!(
        "{{\"time\":\"{}\",\"id\":\"{}\",\"source\":\"{}\",\"status\":{},\"us\":{},\"in\":{},\"out\":{}",
        request.time,
        request.request_id,
        request.source,
        request.status,
        request.took.as_micros(),
        request.bytes_in,
        request.bytes_out,
    ));
    field(out, "method", request.method);
    field(out, "host", request.host);
    field(out, "path", cut(request.path));
    field(out, "route", request.route);
    if let Some(principal) = request.principal {
        field(out, "who", &principal.id);
    }
    if let Some(code) = request.refused {
        field(out, "refused", code);
    }
    out.extend_from_slice(b"}\n");
}

fn cut(path: &str) -> &str {
    let end = path.floor_char_boundary(PATH_BYTES_MAX);
    path.get(..end).unwrap_or(path)
}

fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    // A string always has a JSON form, and memory takes it.
    serde_json::to_writer(&mut *out, value).unwrap_or_default();
}
