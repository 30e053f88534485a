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
use crate::hop;

/// Bytes of a usual head: more makes the buffer grow, once.
const HEAD_BYTES: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Outbound {
    method: Method,
    head: Bytes,
    body: Held,
}

impl Outbound {
    /// Frames the request for this hop alone: whatever framing came from outside ends here.
    pub(super) fn new(request: Request<Held>) -> Self {
        let (mut parts, body) = request.into_parts();
        let headers = &mut parts.headers;
        // What `Connection` named ended when the request came in; here it could only harm.
        hop::strip_known(headers);
        // The body is here already: there is nothing to wait for (RFC 9110 §10.1.1).
        headers.remove(header::EXPECT);
        headers.remove(header::CONTENT_LENGTH);
        let has_length =
            !body.is_empty() || [Method::POST, Method::PUT, Method::PATCH].contains(&parts.method);
        let length = has_length.then(|| body.len());
        Self {
            head: head(&parts.method, &parts.uri, headers, length),
            method: parts.method,
            body,
        }
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// To be sent from its beginning.
    pub(super) fn sending(&self) -> Sending {
        Sending {
            written: 0,
            head: self.head.clone(),
            piece: Bytes::new(),
            body: (!self.body.is_empty()).then(|| self.body.replay()),
            flushed: false,
        }
    }
}

/// SECURITY: nothing in these types holds a line end (`http` refuses them), so that a head is
/// always one head.
fn head(method: &Method, uri: &Uri, headers: &HeaderMap, length: Option<u64>) -> Bytes {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.extend_from_slice(method.as_str().as_bytes());
    head.push(b' ');
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    head.extend_from_slice(target.as_bytes());
    head.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    if let Some(length) = length {
        head.extend_from_slice(b"content-length: ");
        head.extend_from_slice(length.to_string().as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    Bytes::from(head)
}

/// What of a request is not written yet.
#[derive(Debug, Default)]
pub(super) struct Sending {
    /// Bytes written so far.
    written: u64,
    head: Bytes,
    piece: Bytes,
    body: Option<Held>,
    flushed: bool,
}

impl Sending {
    /// Whether not a byte is written.
    pub(super) const fn is_untouched(&self) -> bool {
        self.written == 0
    }

    /// Whether everything is written.
    pub(super) const fn is_done(&self) -> bool {
        self.flushed
    }

    /// Writes on; ready when everything is written.
    pub(super) fn poll(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.flushed {
                return Poll::Ready(Ok(()));
            }
            if self.piece.is_empty()
                && let Some(body) = &mut self.body
            {
                match ready!(Pin::new(body).poll_frame(cx)) {
                    Some(frame) => {
                        let frame = frame.map_err(io::Error::other)?;
                        self.piece = frame.into_data().unwrap_or_default();
                        continue;
                    }
                    None => self.body = None,
                }
            }
            if self.head.is_empty() && self.piece.is_empty() {
                ready!(Pin::new(&mut *stream).poll_flush(cx))?;
                self.flushed = true;
                continue;
            }
            let wrote = ready!(self.write(stream, cx))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written = self
                .written
                .saturating_add(u64::try_from(wrote).unwrap_or(u64::MAX));
            let of_head = wrote.min(self.head.len());
            self.head.advance(of_head);
            self.piece.advance(wrote.saturating_sub(of_head));
        }
    }

    fn write(&self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        if self.piece.is_empty() {
            return stream.poll_write(cx, &self.head);
        }
        if self.head.is_empty() {
            return stream.poll_write(cx, &self.piece);
        }
        stream.poll_write_vectored(cx, &[IoSlice::new(&self.head), IoSlice::new(&self.piece)])
    }
}
