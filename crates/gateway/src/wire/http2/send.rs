//! What goes out: heads, content and trailers of answers, and the ends of streams.

use http::{HeaderMap, StatusCode};
use smallvec::SmallVec;

use super::Code;
use super::frame::{self, BYTES_MAX, HEAD_BYTES, flag, kind};
use super::session::{Session, narrow};
use crate::reply::{Known, ReplyFields};

/// Bytes of a usual name.
const NAME_BYTES: usize = 64;

/// Whether a message ends with what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It goes on.
    Open,
    /// It ends, and its stream with it.
    Last,
}

impl End {
    const fn flag(self) -> u8 {
        match self {
            Self::Open => flag::NONE,
            Self::Last => flag::END_STREAM,
        }
    }
}

impl Session {
    /// The head of an answer; `date` where it has none of its own.
    pub(crate) fn answer(
        &mut self,
        place: usize,
        (status, fields): (StatusCode, &ReplyFields),
        length: Option<u64>,
        date: Option<&[u8]>,
        end: End,
    ) {
        let Some((at, id)) = self.block_begins(place) else {
            return;
        };
        self.encoder.status(&mut self.out, status);
        let mut lower = SmallVec::<[u8; NAME_BYTES]>::new();
        for field in fields.each() {
            // What speaks about one HTTP/1 connection (RFC 9113 §8.2.2), and what is told here.
            if field.known.is_hop_by_hop() || field.known == Known::ContentLength {
                continue;
            }
            // RFC 9113 §8.2.1: names are in lower case.
            let mut name = field.name;
            if name.iter().any(u8::is_ascii_uppercase) {
                lower.clear();
                lower.extend_from_slice(name);
                lower.make_ascii_lowercase();
                name = &lower;
            }
            // SECURITY: what compression tells of a secret by its length it must not tell (RFC 7541
            // §7.1.3); hops behind keep to it as well.
            if field.is_secret {
                self.encoder.secret(&mut self.out, name, field.value);
            } else {
                self.encoder.text(&mut self.out, name, field.value);
            }
        }
        if let Some(length) = length {
            let mut digits = itoa::Buffer::new();
            let text = digits.format(length).as_bytes();
            self.encoder.text(&mut self.out, b"content-length", text);
        }
        if let Some(date) = date {
            self.encoder.text(&mut self.out, b"date", date);
        }
        self.block_ends(at, id, end);
        self.sent(place, end);
    }

    /// A word before the answer: the client may send its content (RFC 9110 §15.2.1).
    pub(crate) fn go_on(&mut self, place: usize) {
        let Some((at, id)) = self.block_begins(place) else {
            return;
        };
        self.encoder.status(&mut self.out, StatusCode::CONTINUE);
        self.block_ends(at, id, End::Open);
    }

    /// What stands behind the content of an answer, which ends with it.
    pub(crate) fn trailers(&mut self, place: usize, fields: &HeaderMap) {
        let Some((at, id)) = self.block_begins(place) else {
            return;
        };
        self.encoder.begin(&mut self.out);
        self.encoder.fields(&mut self.out, fields);
        self.block_ends(at, id, End::Last);
        self.sent(place, End::Last);
    }

    /// Leaves room for the head of a frame. A block that is begun is sent, or the client's table
    /// would differ.
    fn block_begins(&mut self, place: usize) -> Option<(usize, u32)> {
        let id = self.streams.at(place)?.id;
        let at = self.out.len();
        self.out.extend_from_slice(&[0; HEAD_BYTES]);
        Some((at, id))
    }

    /// Puts the head of its frame before a block, in more frames than one where it is long.
    fn block_ends(&mut self, at: usize, id: u32, end: End) {
        let begins = at.saturating_add(HEAD_BYTES);
        let length = self.out.len().saturating_sub(begins);
        if length <= BYTES_MAX {
            let flags = flag::END_HEADERS | end.flag();
            frame::head_at(&mut self.out, at, length, kind::HEADERS, flags, id);
        } else {
            let block = self.out.split_off(begins);
            self.out.truncate(at);
            let mut parts = block.chunks(BYTES_MAX).peekable();
            let (mut kind, mut flags) = (kind::HEADERS, end.flag());
            while let Some(part) = parts.next() {
                if parts.peek().is_none() {
                    flags |= flag::END_HEADERS;
                }
                frame::head(&mut self.out, part.len(), kind, flags, id);
                self.out.extend_from_slice(part);
                (kind, flags) = (kind::CONTINUATION, flag::NONE);
            }
        }
    }

    /// Content of an answer, for which there must be [`Session::room`].
    pub(crate) fn content(&mut self, place: usize, content: &[u8], end: End) {
        let Some(stream) = self.streams.at_mut(place) else {
            return;
        };
        let length = i64::from(narrow(content.len()));
        stream.send = stream.send.saturating_sub(length);
        self.send = self.send.saturating_sub(length);
        let id = stream.id;
        frame::head(&mut self.out, content.len(), kind::DATA, end.flag(), id);
        self.out.extend_from_slice(content);
        self.sent(place, end);
    }

    /// Where all of an answer is sent, its stream ends; what still comes is wanted by nobody
    /// (RFC 9113 §8.1).
    fn sent(&mut self, place: usize, end: End) {
        if end == End::Last
            && let Some(stream) = self.streams.close(place)
            && !stream.is_received
        {
            self.streams.ended_early(stream.id);
            frame::reset(&mut self.out, stream.id, Code::NoError);
        }
    }

    /// Ends a stream: its answer broke off, or nobody takes it.
    pub(crate) fn reset(&mut self, place: usize, code: Code) {
        if let Some(stream) = self.streams.close(place) {
            self.streams.ended_early(stream.id);
            frame::reset(&mut self.out, stream.id, code);
        }
    }
}
