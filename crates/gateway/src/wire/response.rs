//! The head of a response, read strictly: an upstream that could be misread is not passed on.

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use memchr::memchr;

use super::framing::Framing;
use super::head::{Field, FieldKind, content_length, field};
use super::refusal::Refusal;
use crate::hop;

/// LIMIT: bytes of a head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Room for the fields of a usual head, and those that are added to it.
const FIELDS: usize = 20;
/// What every head begins with.
const VERSION: &[u8] = b"HTTP/1.";
/// LIMIT: fields of a head.
const FIELDS_MAX: usize = 100;

/// What came is no response that only one thing can be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl From<Refusal> for Unreadable {
    fn from(_: Refusal) -> Self {
        Self
    }
}

/// The head of a response, without the fields that only were of its connection.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// How its body ends.
    pub(crate) framing: Framing,
    /// Whether another request may follow on the connection.
    pub(crate) keeps: bool,
}

impl ResponseHead {
    /// Takes the head of an answer to `method` off the front of `bytes`; `None` while it is not
    /// whole. `searched` says up to where it was looked for the end, and begins at 0.
    pub(crate) fn take(
        bytes: &mut BytesMut,
        searched: &mut usize,
        method: &Method,
    ) -> Result<Option<Self>, Unreadable> {
        let Some(length) = end(bytes, searched)? else {
            return Ok(None);
        };
        *searched = 0;
        let head = bytes.split_to(length).freeze();
        let mut lines = Lines {
            bytes: &head,
            at: 0,
        };
        let (_, line) = lines.next().ok_or(Unreadable)?;
        let (status, is_http10) = status_line(line)?;
        let mut facts = Facts::default();
        let mut headers = HeaderMap::with_capacity(FIELDS);
        let mut fields = 0_usize;
        for (at, line) in lines {
            let field = field(line)?;
            facts.field(&field)?;
            if fields >= FIELDS_MAX {
                return Err(Unreadable);
            }
            let name = HeaderName::from_bytes(field.name).map_err(|_| Unreadable)?;
            fields = fields.saturating_add(1);
            if hop::is_hop_by_hop(&name) && !(name == header::CONNECTION && facts.names) {
                continue;
            }
            let from = at.saturating_add(field.value_at);
            let value = head.slice(from..from.saturating_add(field.value.len()));
            let value = HeaderValue::from_maybe_shared(value).map_err(|_| Unreadable)?;
            headers.try_append(name, value).map_err(|_| Unreadable)?;
        }
        if facts.names {
            hop::strip(&mut headers);
        }
        let framing = facts.framing(status, is_http10, method)?;
        let keeps = framing != Framing::Close && !facts.closes && (!is_http10 || facts.keeps);
        Ok(Some(Self {
            status,
            headers,
            framing,
            keeps,
        }))
    }
}

/// Where the head ends, its empty line included.
fn end(bytes: &[u8], searched: &mut usize) -> Result<Option<usize>, Unreadable> {
    // Another protocol is told by its first bytes; its end of a head might never come.
    let first = bytes
        .get(..VERSION.len().min(bytes.len()))
        .unwrap_or_default();
    if !VERSION.starts_with(first) {
        return Err(Unreadable);
    }
    while let Some(offset) = memchr(b'\n', bytes.get(*searched..).unwrap_or_default()) {
        let at = searched.saturating_add(offset);
        let before = bytes.get(..at).unwrap_or_default();
        // A bare LF would end a line for some readers and not for others.
        if !before.ends_with(b"\r") || at >= HEAD_BYTES_MAX {
            return Err(Unreadable);
        }
        *searched = at.saturating_add(1);
        if before.ends_with(b"\r\n\r") {
            return Ok(Some(*searched));
        }
    }
    if bytes.len() >= HEAD_BYTES_MAX {
        return Err(Unreadable);
    }
    *searched = bytes.len();
    Ok(None)
}

/// The lines of a whole head without their CR LF, each with where it begins; the empty one at the
/// end is left out.
struct Lines<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..)?;
        let length = memchr(b'\n', rest)?;
        let line = rest.get(..length)?.strip_suffix(b"\r")?;
        let at = self.at;
        self.at = at.saturating_add(length).saturating_add(1);
        (!line.is_empty()).then_some((at, line))
    }
}

/// The status, and whether the answer is HTTP/1.0 (RFC 9112 §4). The reason may be left out, with
/// the space before it, as some servers do; it means nothing.
fn status_line(line: &[u8]) -> Result<(StatusCode, bool), Unreadable> {
    let (version, rest) = line.split_at_checked(9).ok_or(Unreadable)?;
    let is_http10 = match version {
        b"HTTP/1.1 " => false,
        b"HTTP/1.0 " => true,
        _ => return Err(Unreadable),
    };
    let (code, reason) = rest.split_at_checked(3).ok_or(Unreadable)?;
    let visible = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7E | 0x80..);
    if !matches!(reason.first(), None | Some(b' ')) || !reason.iter().all(visible) {
        return Err(Unreadable);
    }
    let status = StatusCode::from_bytes(code).map_err(|_| Unreadable)?;
    if status.as_u16() >= 600 {
        return Err(Unreadable);
    }
    Ok((status, is_http10))
}

/// What the fields say about framing and the connection.
#[derive(Debug, Default)]
struct Facts {
    length: Option<u64>,
    chunked: bool,
    closes: bool,
    keeps: bool,
    /// `Connection` names fields of this response.
    names: bool,
}

impl Facts {
    fn field(&mut self, field: &Field<'_>) -> Result<(), Unreadable> {
        match field.kind {
            FieldKind::ContentLength if self.length.is_some() => return Err(Unreadable),
            FieldKind::ContentLength => self.length = Some(content_length(field.value)?),
            FieldKind::TransferEncoding => {
                if self.chunked || !field.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Unreadable);
                }
                self.chunked = true;
            }
            FieldKind::Other if field.name.eq_ignore_ascii_case(b"connection") => {
                for option in field.value.split(|byte| *byte == b',') {
                    let option = option.trim_ascii();
                    let closes = option.eq_ignore_ascii_case(b"close");
                    let keeps = option.eq_ignore_ascii_case(b"keep-alive");
                    self.closes |= closes;
                    self.keeps |= keeps;
                    self.names |= !closes && !keeps;
                }
            }
            FieldKind::Host | FieldKind::Upgrade | FieldKind::Other => {}
        }
        Ok(())
    }

    /// RFC 9112 §6.3, without its leniencies.
    fn framing(
        &self,
        status: StatusCode,
        is_http10: bool,
        method: &Method,
    ) -> Result<Framing, Unreadable> {
        if self.chunked && (is_http10 || self.length.is_some()) {
            return Err(Unreadable);
        }
        let bodyless = status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED
            || *method == Method::HEAD;
        Ok(match self.length {
            _ if bodyless => Framing::None,
            _ if self.chunked => Framing::chunked_response(),
            Some(0) => Framing::None,
            Some(length) => Framing::Length(length),
            None => Framing::Close,
        })
    }
}

#[cfg(test)]
mod tests;
