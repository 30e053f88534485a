//! A request on its way to an upstream: framed for this hop, written once, and sent from its
//! beginning as often as a connection has to be replaced.

use std::io::{self, IoSlice, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::Method;
use tokio::io::AsyncWrite;

use super::request::{ServiceHead, ServiceRequest};
use super::stream::Stream;
use crate::body::{self, Carried};
use crate::digits;

/// The last chunk; trailers of requests end here (RFC 9112 §7.1.2 lets them).
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    method: Method,
    /// Written from `at` on: the head, later the line before each chunk.
    head: Vec<u8>,
    at: usize,
    body: Carried,
    /// Its length is not known before it ends (RFC 9112 §7.1).
    is_chunked: bool,
    /// What of the body is read and not written, and the framing behind it.
    piece: Bytes,
    after: &'static [u8],
    /// The body's end is in what is to be written.
    is_closed: bool,
    /// Bytes written, since it began or began again.
    written: u64,
    /// Some was written since it was last asked.
    moved: bool,
    /// Nothing can be written before the client sends more of a streamed body.
    awaits_client: bool,
    unflushed: bool,
    flushed: bool,
    /// It will not be sent again.
    answered: bool,
}

/// Why a request is not written on.
#[derive(Debug)]
pub(super) enum Unwritten {
    /// The upstream takes no more.
    Stream(io::Error),
    /// Its body has no end.
    Body(body::Refused),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::Stream(error)
    }
}

impl Outbound {
    /// Frames the request for this hop alone; nothing where its head is none of HTTP/1.1.
    ///
    /// A WebSocket is asked for when `websocket` says so (RFC 6455 §4.1).
    pub(super) fn new(request: ServiceRequest, websocket: bool) -> Option<Self> {
        let length = request.body.length();
        let has_length = length != Some(0)
            || [Method::POST, Method::PUT, Method::PATCH].contains(&request.method);
        let ServiceHead::Lines(mut head) = request.head else {
            return None;
        };
        match length {
            Some(length) if has_length => {
                head.extend_from_slice(b"content-length: ");
                digits::number(&mut head, length);
                head.extend_from_slice(b"\r\n");
            }
            Some(_) => {}
            None => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        }
        if websocket {
            head.extend_from_slice(b"connection: upgrade\r\nupgrade: websocket\r\n");
        }
        head.extend_from_slice(b"\r\n");
        Some(Self {
            head,
            method: request.method,
            body: request.body,
            is_chunked: length.is_none(),
            ..Self::default()
        })
    }

    /// The same, to be sent from its beginning; nothing where that cannot be.
    pub(super) fn again(self) -> Option<Self> {
        // INVARIANT: the head is only written over once some of a streamed body was read.
        Some(Self {
            body: self.body.again()?,
            method: self.method,
            head: self.head,
            is_chunked: self.is_chunked,
            ..Self::default()
        })
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// An answer has begun: it will not be sent again, and what is written need not be kept.
    pub(super) fn answered(&mut self) {
        self.answered = true;
        self.body.answered();
        if self.flushed {
            self.body = Carried::empty();
        }
    }

    /// Whether it can be sent from its beginning.
    pub(super) fn is_repeatable(&self) -> bool {
        self.body.is_repeatable()
    }

    /// Whether not a byte is written.
    pub(super) const fn is_untouched(&self) -> bool {
        self.written == 0
    }

    /// What differs whenever something more is written.
    pub(super) const fn progress(&self) -> u64 {
        self.written
    }

    /// Whether some of a streamed body is still to come or to be written.
    pub(super) const fn is_streaming(&self) -> bool {
        self.body.is_streamed() && !self.flushed
    }

    /// Whether it is the client that is waited for.
    pub(super) const fn awaits_client(&self) -> bool {
        self.awaits_client
    }

    /// Whether everything is written.
    pub(super) const fn is_done(&self) -> bool {
        self.flushed
    }

    /// Whether some of a streamed body was written since this was last asked.
    pub(super) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved) && self.body.is_streamed()
    }

    /// Writes on; ready when everything is written.
    pub(super) fn poll_write(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Unwritten>> {
        loop {
            if self.flushed {
                return Poll::Ready(Ok(()));
            }
            self.awaits_client = self.wants_more() && self.poll_more(cx)?.is_pending();
            if self.awaits_client {
                // What was written is sent before anything is waited for.
                if self.unflushed {
                    ready!(Pin::new(&mut *stream).poll_flush(cx))?;
                    self.unflushed = false;
                }
                return Poll::Pending;
            }
            if self.is_written() {
                if !self.is_closed {
                    continue;
                }
                ready!(Pin::new(&mut *stream).poll_flush(cx))?;
                self.flushed = true;
                if self.answered {
                    self.body = Carried::empty();
                }
                continue;
            }
            let wrote = ready!(self.poll_some(stream, cx))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::WriteZero).into()));
            }
            self.wrote(wrote);
        }
    }

    /// Whether more of the body can be taken up now. The head of a request whose body is streamed
    /// is written first: the body may be long in coming.
    fn wants_more(&self) -> bool {
        let head_is_written = self.at >= self.head.len();
        !self.is_closed
            && self.piece.is_empty()
            && self.after.is_empty()
            && (head_is_written || !self.body.is_streamed())
    }

    /// Takes the next piece of the body up, or its end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unwritten>> {
        while !self.body.is_end_stream() {
            let frame = ready!(self.body.poll_frame(cx)).transpose();
            let Some(frame) = frame.map_err(Unwritten::Body)? else {
                break;
            };
            match frame.into_data() {
                Ok(data) if !data.is_empty() => {
                    self.chunk(data);
                    return Poll::Ready(Ok(()));
                }
                _ => {}
            }
        }
        self.is_closed = true;
        if self.is_chunked {
            self.after = LAST_CHUNK;
        }
        Poll::Ready(Ok(()))
    }

    fn chunk(&mut self, data: Bytes) {
        if self.is_chunked {
            self.head.clear();
            self.at = 0;
            // Writing to memory does not fail.
            let line = write!(self.head, "{:x}\r\n", data.len());
            debug_assert!(line.is_ok(), "memory takes everything");
            self.after = b"\r\n";
        }
        self.piece = data;
    }

    fn is_written(&self) -> bool {
        self.at >= self.head.len() && self.piece.is_empty() && self.after.is_empty()
    }

    fn poll_some(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, io::Error>> {
        let head = self.head.get(self.at..).unwrap_or_default();
        let target = Pin::new(stream);
        match (head, &*self.piece, self.after) {
            (one, [], []) | ([], one, []) | ([], [], one) => target.poll_write(cx, one),
            (a, b, c) => {
                let all = [IoSlice::new(a), IoSlice::new(b), IoSlice::new(c)];
                target.poll_write_vectored(cx, &all)
            }
        }
    }

    fn wrote(&mut self, count: usize) {
        let written = u64::try_from(count).unwrap_or(u64::MAX);
        self.written = self.written.saturating_add(written);
        self.moved = true;
        self.unflushed = true;
        let of_head = count.min(self.head.len().saturating_sub(self.at));
        self.at = self.at.saturating_add(of_head);
        let count = count.saturating_sub(of_head);
        let of_piece = count.min(self.piece.len());
        self.piece.advance(of_piece);
        let count = count.saturating_sub(of_piece);
        self.after = self.after.get(count..).unwrap_or_default();
    }
}
