//! A request on its way to an upstream: framed for this hop, written once, and sent from its
//! beginning as often as a connection has to be replaced.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Method, Request, Uri, header};
use http_body::Body as _;
use tokio::io::AsyncWrite;

use super::stream::Stream;
use crate::body::Held;
use crate::digits;
use crate::hop;

/// Bytes of a usual head: more makes the buffer grow, once.
const HEAD_BYTES: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    method: Method,
    /// Written from `at` on.
    head: Vec<u8>,
    at: usize,
    body: Held,
    /// What of the body is read and not written.
    piece: Bytes,
    flushed: bool,
    /// Bytes written, since it began or began again.
    written: u64,
    /// It will not be sent again.
    answered: bool,
}

impl Outbound {
    /// Frames the request for this hop alone: whatever framing came from outside ends here.
    ///
    /// A WebSocket is asked for when `websocket` says so (RFC 6455 §4.1).
    pub(super) fn new(request: Request<Held>, websocket: bool) -> Self {
        let (parts, body) = request.into_parts();
        let has_length =
            !body.is_empty() || [Method::POST, Method::PUT, Method::PATCH].contains(&parts.method);
        let mut head = head(&parts.method, &parts.uri, &parts.headers);
        if has_length {
            head.extend_from_slice(b"content-length: ");
            digits::number(&mut head, body.len());
            head.extend_from_slice(b"\r\n");
        }
        if websocket {
            head.extend_from_slice(b"connection: upgrade\r\nupgrade: websocket\r\n");
        }
        head.extend_from_slice(b"\r\n");
        Self {
            head,
            at: 0,
            method: parts.method,
            body,
            piece: Bytes::new(),
            flushed: false,
            written: 0,
            answered: false,
        }
    }

    /// The same, to be sent from its beginning.
    pub(super) fn again(mut self) -> Self {
        self.at = 0;
        self.body = self.body.replay();
        self.piece = Bytes::new();
        self.flushed = false;
        self
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// An answer has begun: it will not be sent again, and what is written need not be kept.
    pub(super) fn answered(&mut self) {
        self.answered = true;
        if self.flushed {
            self.body = Held::empty();
        }
    }

    /// Whether not a byte is written.
    pub(super) const fn is_untouched(&self) -> bool {
        self.at == 0
    }

    /// What differs whenever something more is written.
    pub(super) const fn progress(&self) -> u64 {
        self.written
    }

    /// Whether everything is written.
    pub(super) const fn is_done(&self) -> bool {
        self.flushed
    }

    /// Writes on; ready when everything is written.
    pub(super) fn poll_write(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.flushed {
                return Poll::Ready(Ok(()));
            }
            if self.piece.is_empty() && !self.body.is_end_stream() {
                let frame = ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose();
                let frame = frame.map_err(io::Error::other)?;
                self.piece = frame
                    .and_then(|frame| frame.into_data().ok())
                    .unwrap_or_default();
            }
            let head = self.head.get(self.at..).unwrap_or_default();
            if head.is_empty() && self.piece.is_empty() {
                ready!(Pin::new(&mut *stream).poll_flush(cx))?;
                self.flushed = true;
                if self.answered {
                    self.body = Held::empty();
                }
                continue;
            }
            let target = Pin::new(&mut *stream);
            let wrote = ready!(if self.piece.is_empty() {
                target.poll_write(cx, head)
            } else if head.is_empty() {
                target.poll_write(cx, &self.piece)
            } else {
                let both = [IoSlice::new(head), IoSlice::new(&self.piece)];
                target.poll_write_vectored(cx, &both)
            })?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let count = u64::try_from(wrote).unwrap_or(u64::MAX);
            self.written = self.written.saturating_add(count);
            let of_head = wrote.min(head.len());
            self.at = self.at.saturating_add(of_head);
            self.piece.advance(wrote.saturating_sub(of_head));
        }
    }
}

/// Request line and fields, without the empty line at the end.
///
/// SECURITY: nothing in these types holds a line end (`http` refuses them), so that a head is
/// always one head.
fn head(method: &Method, uri: &Uri, headers: &HeaderMap) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.extend_from_slice(method.as_str().as_bytes());
    head.push(b' ');
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    head.extend_from_slice(target.as_bytes());
    head.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        // What `Connection` named ended when the request came in; here it could only harm. The
        // body is here already: there is nothing to wait for (RFC 9110 §10.1.1).
        if hop::is_hop_by_hop(name) || *name == header::CONTENT_LENGTH || *name == header::EXPECT {
            continue;
        }
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head
}
