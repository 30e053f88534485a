//! An answer as it is written: its head framed for this connection alone, then its body as it
//! comes.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, UNIX_EPOCH};

use bytes::{Buf as _, Bytes};
use http::{Method, StatusCode, Version};
use http_body::Body as _;
use model::Timestamp;

use super::Asked;
use crate::exchange::{BoxError, Outgoing};
use crate::reply::{Known, KnownSet, Reply};

/// Bytes of a usual head, with a small body behind it.
const HEAD_BYTES: usize = 1024;
/// Content up to so long is copied behind what goes before it, to be written as one.
const COPIED_MAX: usize = 4096;
/// Bytes gathered before they are written.
const GATHERED_MAX: usize = 16 * 1024;
/// What this connection alone decides.
const OWN: KnownSet = OWN_BUT_LENGTH.with(Known::ContentLength);
const OWN_BUT_LENGTH: KnownSet = KnownSet::NONE
    .with(Known::Connection)
    .with(Known::TransferEncoding);

/// How the end of the body is told (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// There is none.
    Empty,
    /// By its length, of which so much is still to come.
    Length(u64),
    /// By an empty chunk.
    Chunked,
    /// By the end of the connection, for HTTP/1.0.
    Close,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Answer {
    /// What is to be written first, from `from` on.
    before: Vec<u8>,
    from: usize,
    content: Bytes,
    after: &'static [u8],
    body: Outgoing,
    ends: Ends,
    /// Everything of the body is in what is to be written.
    done: bool,
    keeps: bool,
}

impl Answer {
    /// `keeps` says whether this side would take another request afterwards.
    pub(super) fn new(
        asked: &Asked,
        keeps: bool,
        reply: Reply,
        now: impl FnOnce() -> Timestamp,
    ) -> Self {
        let Reply {
            status,
            fields,
            body,
        } = reply;
        let length = body.size_hint().exact();
        let bodyless = asked.method == Method::HEAD
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED
            || status.is_informational();
        let ends = match length {
            _ if bodyless => Ends::Empty,
            Some(length) => Ends::Length(length),
            None if asked.version == Version::HTTP_10 => Ends::Close,
            None => Ends::Chunked,
        };
        let keeps = keeps && ends != Ends::Close;
        let mut before = Vec::with_capacity(HEAD_BYTES);
        line(&mut before, status);
        // What a `GET` would be answered (RFC 9110 §8.6).
        let is_kept = bodyless && status != StatusCode::NO_CONTENT;
        fields.write(&mut before, if is_kept { OWN_BUT_LENGTH } else { OWN });
        match ends {
            Ends::Length(length) => {
                let mut digits = itoa::Buffer::new();
                let length = digits.format(length);
                field(&mut before, "content-length", length.as_bytes());
            }
            Ends::Chunked => field(&mut before, "transfer-encoding", b"chunked"),
            // The same, where it is known otherwise.
            Ends::Empty if asked.method == Method::HEAD => {
                let given = fields.has(Known::ContentLength);
                if let Some(length) = length.filter(|length| *length > 0 && !given) {
                    field(&mut before, "content-length", length.to_string().as_bytes());
                }
            }
            Ends::Empty | Ends::Close => {}
        }
        if status == StatusCode::SWITCHING_PROTOCOLS {
            // The only protocol that is ever asked for.
            field(&mut before, "connection", b"upgrade");
            field(&mut before, "upgrade", b"websocket");
        } else if !keeps {
            field(&mut before, "connection", b"close");
        } else if asked.version == Version::HTTP_10 {
            field(&mut before, "connection", b"keep-alive");
        }
        if !fields.has(Known::Date) {
            date(&mut before, now());
        }
        before.extend_from_slice(b"\r\n");
        Self {
            before,
            from: 0,
            content: Bytes::new(),
            after: &[],
            done: matches!(ends, Ends::Empty | Ends::Length(0)),
            body,
            ends,
            keeps,
        }
    }

    /// Whether another request may follow once it is written.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    /// What is to be written, in this order.
    pub(super) fn parts(&self) -> (&[u8], &[u8], &[u8]) {
        let before = self.before.get(self.from..).unwrap_or_default();
        (before, &self.content, self.after)
    }

    /// So many bytes of it are written.
    pub(super) fn wrote(&mut self, count: usize) {
        let before = count.min(self.before.len().saturating_sub(self.from));
        self.from = self.from.saturating_add(before);
        let count = count.saturating_sub(before);
        let content = count.min(self.content.len());
        self.content.advance(content);
        let after = count.saturating_sub(content);
        self.after = self.after.get(after..).unwrap_or_default();
    }

    /// Whether nothing is to be written now.
    pub(super) fn is_written(&self) -> bool {
        self.from >= self.before.len() && self.content.is_empty() && self.after.is_empty()
    }

    /// Takes more of the body in, when there is room; ready when there is something to write or
    /// nothing will follow.
    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        while !self.done && self.has_room() {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
                return Poll::Ready(self.finish());
            };
            // Trailers end here: no hop passes them on.
            if let Ok(data) = frame?.into_data() {
                self.take(data)?;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn has_room(&self) -> bool {
        self.content.is_empty()
            && self.after.is_empty()
            && self.before.len().saturating_sub(self.from) < GATHERED_MAX
    }

    fn take(&mut self, data: Bytes) -> Result<(), BoxError> {
        if data.is_empty() {
            return Ok(());
        }
        if self.from >= self.before.len() {
            self.before.clear();
            self.from = 0;
        }
        match &mut self.ends {
            Ends::Length(left) => {
                let length = u64::try_from(data.len())?;
                *left = left.checked_sub(length).ok_or("more than was declared")?;
                self.done = *left == 0;
            }
            Ends::Chunked => {
                self.before
                    .extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
                self.done = self.body.is_end_stream();
                self.after = if self.done { b"\r\n0\r\n\r\n" } else { b"\r\n" };
            }
            Ends::Close => {}
            Ends::Empty => return Ok(()),
        }
        if data.len() > COPIED_MAX {
            self.content = data;
            return Ok(());
        }
        self.before.extend_from_slice(&data);
        self.before.extend_from_slice(self.after);
        self.after = &[];
        Ok(())
    }

    /// The body ended by itself.
    fn finish(&mut self) -> Result<(), BoxError> {
        self.done = true;
        match self.ends {
            Ends::Length(left) if left > 0 => Err("less than was declared".into()),
            Ends::Chunked => {
                self.after = b"0\r\n\r\n";
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn line(out: &mut Vec<u8>, status: StatusCode) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// SECURITY: nothing in `http`'s names and values is a line end, so that a head is always one.
fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The last second that can be written: that of the year 9999.
const DATE_MAX_S: u64 = 253_402_300_799;

/// `Date` (RFC 9110 §6.6.1), written anew once a second.
fn date(out: &mut Vec<u8>, now: Timestamp) {
    thread_local! {
        static LAST: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    LAST.with_borrow_mut(|(second, text)| {
        if *second != now.as_secs() {
            *second = now.as_secs();
            let since = u64::try_from(now.as_secs()).unwrap_or(0).min(DATE_MAX_S);
            *text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(since));
        }
        field(out, "date", text.as_bytes());
    });
}

#[cfg(test)]
mod tests;
