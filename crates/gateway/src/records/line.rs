//! One line of a segment, written without an allocation of its own.

use model::Timestamp;

use super::RequestLine;
use crate::digits;

/// LIMIT: bytes of a path in a line.
const PATH_BYTES_MAX: usize = 2048;

/// Appends the line with its line end. `stamp` keeps how the present second is written.
pub(super) fn write(out: &mut Vec<u8>, stamp: &mut Stamp, request: &RequestLine<'_>) {
    out.extend_from_slice(b"{\"time\":\"");
    stamp.write(out, request.time);
    out.extend_from_slice(b"\",\"id\":\"");
    out.extend_from_slice(request.request_id.text().as_bytes());
    out.extend_from_slice(b"\",\"source\":\"");
    // Digits, dots and colons: nothing to escape.
    out.extend_from_slice(request.source.as_bytes());
    let took_us = u64::try_from(request.took.as_micros()).unwrap_or(u64::MAX);
    for (name, number) in [
        (b"\",\"status\":".as_slice(), u64::from(request.status)),
        (b",\"us\":", took_us),
        (b",\"in\":", request.bytes_in),
        (b",\"out\":", request.bytes_out),
    ] {
        out.extend_from_slice(name);
        digits::number(out, number);
    }
    text(out, b",\"method\":", request.method);
    text(out, b",\"host\":", request.host);
    text(out, b",\"path\":", cut(request.path));
    text(out, b",\"route\":", request.route);
    if let Some(principal) = request.principal {
        text(out, b",\"who\":", &principal.id);
    }
    if let Some(code) = request.refused {
        text(out, b",\"refused\":", code);
    }
    for (nth, one) in request.observed.iter().enumerate() {
        out.extend_from_slice(if nth == 0 {
            b",\"observed\":[\""
        } else {
            b",\""
        });
        // Codes are our own words: none needs to be escaped.
        out.extend_from_slice(one.code.as_bytes());
        out.push(b'"');
    }
    if !request.observed.is_empty() {
        out.push(b']');
    }
    for (nth, id) in request.rules.iter().enumerate() {
        out.extend_from_slice(if nth == 0 { b",\"rules\":[" } else { b"," });
        digits::number(out, *id);
    }
    if !request.rules.is_empty() {
        out.push(b']');
    }
    out.extend_from_slice(b"}\n");
}

/// A moment as text, of which only the milliseconds change within a second.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    /// `2026-01-01T00:00:00.`, of this second.
    of: Option<(i64, String)>,
}

impl Stamp {
    fn write(&mut self, out: &mut Vec<u8>, time: Timestamp) {
        let second = time.as_secs();
        let text = match &mut self.of {
            Some((known, text)) if *known == second => text,
            of => {
                let text = time.to_string();
                // `…:00.123Z`; a moment beyond the calendar is written otherwise.
                let Some(text) = text.strip_suffix('Z').and_then(|t| t.get(..t.len() - 3)) else {
                    return out.extend_from_slice(text.as_bytes());
                };
                &mut of.insert((second, text.to_owned())).1
            }
        };
        out.extend_from_slice(text.as_bytes());
        let ms = time.as_millis().rem_euclid(1000);
        for digit in [ms / 100, ms / 10 % 10, ms % 10] {
            out.push(b'0' + u8::try_from(digit).unwrap_or(0));
        }
        out.push(b'Z');
    }
}

fn cut(path: &str) -> &str {
    let end = path.floor_char_boundary(PATH_BYTES_MAX);
    path.get(..end).unwrap_or(path)
}

fn text(out: &mut Vec<u8>, name: &[u8], value: &str) {
    out.extend_from_slice(name);
    // Of nearly every text no byte needs escaping (RFC 8259 §7).
    let is_plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    if value.as_bytes().iter().all(is_plain) {
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
        return;
    }
    // A string always has a JSON form, and memory takes it.
    serde_json::to_writer(&mut *out, value).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_everywhere() {
        let mut stamp = Stamp::default();
        for ms in [0, 7, 999, 1000, 1_767_225_600_042, 1_767_225_600_420, -1] {
            let time = Timestamp::from_millis(ms);
            let mut out = Vec::new();
            stamp.write(&mut out, time);
            assert_eq!(String::from_utf8(out).unwrap(), time.to_string());
        }
    }
}
