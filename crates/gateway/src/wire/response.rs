//! The head of a response, read strictly: an upstream that could be misread is not passed on.

use bytes::BytesMut;
use http::{HeaderName, Method, StatusCode};
use memchr::memchr;
use smallvec::SmallVec;

use super::framing::Framing;
use super::head::{content_length, field};
use super::refusal::Refusal;
use crate::hop;
use crate::reply::{Known, Line, ReplyFields};

/// LIMIT: bytes of a head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
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
    pub(crate) fields: ReplyFields,
    /// How its body ends.
    pub(crate) framing: Framing,
    /// Whether another request may follow on the connection.
    pub(crate) keeps: bool,
}

impl ResponseHead {
    /// Takes the head of an answer to `method` off the front of `bytes`; `None` while it is not
    /// whole. `search` keeps what was looked at in between.
    pub(crate) fn take(
        bytes: &mut BytesMut,
        search: &mut Search,
        method: &Method,
    ) -> Result<Option<Self>, Unreadable> {
        if !search.is_whole(bytes)? {
            return Ok(None);
        }
        let search = std::mem::take(search);
        let head = bytes.split_to(search.searched).freeze();
        let mut lines = search.lines(&head);
        let (_, line) = lines.next().ok_or(Unreadable)?;
        let (status, is_http10) = status_line(line)?;
        let mut facts = Facts::default();
        let mut fields = ReplyFields::of(head.clone(), search.ends.len());
        for (at, line) in lines {
            let field = field(line)?;
            let known = Known::of(field.name);
            facts.field(known, field.value)?;
            if known.is_hop_by_hop() {
                continue;
            }
            let taken = fields.take(&Line {
                at,
                length: line.len(),
                name: field.name,
                value: field.value,
                value_at: field.value_at,
                known,
            });
            taken.ok_or(Unreadable)?;
        }
        for name in &facts.named {
            fields.remove(name);
        }
        let framing = facts.framing(status, is_http10, method)?;
        let keeps = framing != Framing::Close && !facts.closes && (!is_http10 || facts.keeps);
        Ok(Some(Self {
            status,
            fields,
            framing,
            keeps,
        }))
    }
}

/// How far a head is looked at.
#[derive(Debug, Default)]
pub(crate) struct Search {
    searched: usize,
    /// Where each line ends, before its CR LF; without the empty one at the end.
    ends: SmallVec<[usize; 16]>,
}

impl Search {
    /// Looks on; whether the head is whole. Then it is looked at up to its end, the empty line
    /// included.
    fn is_whole(&mut self, bytes: &[u8]) -> Result<bool, Unreadable> {
        // Another protocol is told by its first bytes; its end of a head might never come.
        let first = bytes
            .get(..VERSION.len().min(bytes.len()))
            .unwrap_or_default();
        if !VERSION.starts_with(first) {
            return Err(Unreadable);
        }
        while let Some(offset) = memchr(b'\n', bytes.get(self.searched..).unwrap_or_default()) {
            let at = self.searched.saturating_add(offset);
            // A bare LF would end a line for some readers and not for others.
            let end = at.checked_sub(1).ok_or(Unreadable)?;
            if bytes.get(end) != Some(&b'\r') || at >= HEAD_BYTES_MAX {
                return Err(Unreadable);
            }
            let line = self.line_start();
            self.searched = at.saturating_add(1);
            if end == line {
                return Ok(true);
            }
            // The status line is none of the fields.
            if self.ends.len() > FIELDS_MAX {
                return Err(Unreadable);
            }
            self.ends.push(end);
        }
        if bytes.len() >= HEAD_BYTES_MAX {
            return Err(Unreadable);
        }
        self.searched = bytes.len();
        Ok(false)
    }

    /// Where the line that is not whole yet begins.
    fn line_start(&self) -> usize {
        self.ends.last().map_or(0, |end| end.saturating_add(2))
    }

    /// The lines of a whole head, each with where it begins.
    fn lines<'a>(&self, head: &'a [u8]) -> impl Iterator<Item = (usize, &'a [u8])> {
        let mut at = 0;
        self.ends.iter().map(move |end| {
            let line = head.get(at..*end).unwrap_or_default();
            (std::mem::replace(&mut at, end.saturating_add(2)), line)
        })
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
    /// Fields of this response that `Connection` names.
    named: Vec<HeaderName>,
}

impl Facts {
    fn field(&mut self, known: Known, value: &[u8]) -> Result<(), Unreadable> {
        match known {
            Known::ContentLength if self.length.is_some() => return Err(Unreadable),
            Known::ContentLength => self.length = Some(content_length(value)?),
            Known::TransferEncoding => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Unreadable);
                }
                self.chunked = true;
            }
            Known::Connection => self.connection(value),
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',') {
            let option = option.trim_ascii();
            if option.eq_ignore_ascii_case(b"close") {
                self.closes = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keeps = true;
            } else if self.named.len() < hop::NAMED_MAX {
                self.named.extend(hop::may_name(option));
            }
        }
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
