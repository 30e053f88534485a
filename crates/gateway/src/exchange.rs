//! The seam between the front (listeners, connections, bodies, upstreams) and the pipeline (what
//! is decided about one request). Plain types; nothing here decides anything.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::compare::Compared;
use crate::gates::Admitted;
use crate::limiter::{Held, Permits};
use crate::ruled::Begun;
use crate::upstream::{Opened, ResponseBody};
use crate::watched::Watched;

/// An error of a body; hyper wants it boxed, and it is only ever made when something fails.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One accepted connection, the same for every request on it.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Who connected.
    pub(crate) peer: SocketAddr,
    /// Its address as text: every request says it at least twice.
    pub(crate) address: Arc<str>,
    /// Whether TLS protects it.
    pub(crate) secure: bool,
    /// The name asked for in the TLS handshake, lower case.
    pub(crate) sni: Option<Arc<str>>,
    /// Whether it speaks HTTP/2.
    pub(crate) http2: bool,
    /// What it showed, where clients are asked for certificates.
    pub(crate) admitted: Option<Arc<Admitted>>,
}

impl Connection {
    /// Of `peer`, in clear, over HTTP/1.
    pub(crate) fn of(peer: SocketAddr) -> Self {
        Self {
            peer,
            address: peer.ip().to_canonical().to_string().into(),
            secure: false,
            sni: None,
            http2: false,
            admitted: None,
        }
    }
}

/// Where the body of a request comes from.
pub(crate) trait Source: Send + Sync {
    /// What comes next of it; `None` after the last.
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>;

    /// Bytes of content still to come, when that is known.
    fn left(&self) -> Option<u64>;

    /// Whether nothing comes any more.
    fn is_ended(&self) -> bool {
        self.left() == Some(0)
    }
}

/// The body of a request. Trailers over HTTP/1 are no part of it: they end here.
#[derive(Default)]
pub(crate) enum Incoming {
    /// Nothing.
    #[default]
    Empty,
    /// What its connection reads.
    Stream(Arc<dyn Source>),
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Stream(source) => source.poll_next(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream(source) => source.is_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream(source) => source
                .left()
                .map_or_else(SizeHint::new, SizeHint::with_exact),
        }
    }
}

/// In the extensions of a request that asks for a WebSocket (RFC 6455 §4.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct WebSocket;

/// Whether a WebSocket, or an answer that goes on for long, may go on. It is told whether its client sent something since the last time.
pub(crate) type StillAllowed = Box<dyn Fn(bool) -> bool + Send + Sync>;

/// A WebSocket that the service agreed to.
pub(crate) struct Tunnel {
    /// The connection to the service.
    pub(crate) upstream: Opened,
    /// Bytes of one message.
    pub(crate) message_max: u64,
    /// Asked every few seconds.
    pub(crate) allowed: Option<StillAllowed>,
    /// Its places among the requests under way.
    pub(crate) permits: Option<Box<Permits>>,
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}

/// The body of an answer.
#[derive(Debug, Default)]
pub(crate) enum Outgoing {
    /// Nothing.
    #[default]
    Empty,
    /// All of it at once.
    Full(Bytes),
    /// What an upstream sends, as it comes.
    Upstream(ResponseBody),
    /// The same, looked at as it passes.
    Compared(Box<Compared>),
    /// The same, of which a part was held.
    Begun(Box<Begun>),
    /// The same, as long as its client may still ask for it.
    Watched(Box<Watched>),
    /// Any of these, counted among the requests under way.
    Held(Box<Held>),
    /// Frames, both ways, once the answer's head is written.
    Tunnel(Box<Tunnel>),
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Empty | Self::Tunnel(_) => Poll::Ready(None),
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Upstream(body) => body.poll_frame(cx),
            Self::Compared(body) => body.poll_frame(cx),
            Self::Begun(body) => body.poll_frame(cx),
            Self::Watched(body) => body.poll_frame(cx),
            Self::Held(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty | Self::Tunnel(_) => true,
            Self::Full(bytes) => bytes.is_empty(),
            Self::Upstream(body) => body.is_end_stream(),
            Self::Compared(body) => body.is_end_stream(),
            Self::Begun(body) => body.is_end_stream(),
            Self::Watched(body) => body.is_end_stream(),
            Self::Held(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty | Self::Tunnel(_) => SizeHint::with_exact(0),
            Self::Full(bytes) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
            Self::Upstream(body) => body.size_hint(),
            Self::Compared(body) => body.size_hint(),
            Self::Begun(body) => body.size_hint(),
            Self::Watched(body) => body.size_hint(),
            Self::Held(body) => body.size_hint(),
        }
    }
}

/// Where the gateway finds control.
#[derive(Clone, Debug)]
pub enum LinkAddress {
    /// A socket on this machine.
    Unix(PathBuf),
}
