//! Connections to the services behind the gateway: pooled per worker, last used first, checked
//! before use, timed, and never trusted for more than the protocol the estate names.
//!
//! A request is sent twice only when the first connection came from the pool and died before it
//! answered a byte, the method is idempotent, and nothing of a streamed body was passed on
//! (RFC 9110 §9.2.2).

mod conn;
mod http2;
mod outbound;
mod pool;
mod response;
mod stream;
mod target;

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

pub(crate) use conn::Opened;
pub(crate) use pool::{PoolUse, Upstreams};
pub(crate) use target::Target;

use crate::body::{self, Carried};
use crate::exchange::BoxError;
use conn::{Lost, Switched};
use http2::Http2Body;
use outbound::Outbound;
use response::Http1Body;

/// How long an upstream may take, and how much it may answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// Connecting, the TLS handshake included.
    pub(crate) connect: Duration,
    /// Until the head of the response is here.
    pub(crate) response: Duration,
    /// Between two pieces of its body.
    pub(crate) idle: Duration,
    /// When everything must have ended, whatever moves; for calls that say so themselves.
    pub(crate) ends: Option<Instant>,
    /// Bytes of the response's body.
    pub(crate) response_max: u64,
}

impl Timeouts {
    /// Whether the call's own time is over.
    fn are_over(&self) -> bool {
        self.ends.is_some_and(|ends| Instant::now() >= ends)
    }
}

/// Why there is no answer of the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// Nobody accepts connections there: 502.
    Refused,
    /// Connecting took too long: 504.
    ConnectTimeout,
    /// The response did not begin in time: 504.
    ResponseTimeout,
    /// Its certificate or its TLS is not acceptable: 502.
    Tls,
    /// The connection broke, or what came is not what the protocol says: 502.
    Broken,
    /// The response is declared longer than allowed: 502.
    TooLarge,
    /// This worker has as many connections there as it may: 503.
    TooMany,
    /// The request's body broke a rule while it was passed on.
    Body(body::Refused),
}

impl Failed {
    /// What the client is answered.
    pub(crate) fn status(self) -> http::StatusCode {
        match self {
            Self::ConnectTimeout | Self::ResponseTimeout => http::StatusCode::GATEWAY_TIMEOUT,
            Self::Refused | Self::Tls | Self::Broken | Self::TooLarge => {
                http::StatusCode::BAD_GATEWAY
            }
            Self::TooMany => http::StatusCode::SERVICE_UNAVAILABLE,
            Self::Body(why) => why.status(),
        }
    }

    /// A stable word for records and metrics.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Refused => "upstream.refused",
            Self::ConnectTimeout => "upstream.connect_timeout",
            Self::ResponseTimeout => "upstream.response_timeout",
            Self::Tls => "upstream.tls",
            Self::Broken => "upstream.broken",
            Self::TooLarge => "upstream.too_large",
            Self::TooMany => "upstream.too_many",
            Self::Body(why) => why.code(),
        }
    }
}

/// The body of a response, on its way to the client.
#[derive(Debug)]
pub(crate) enum ResponseBody {
    /// Over HTTP/1.1.
    Http1(Http1Body),
    /// Over HTTP/2.
    Http2(Box<Http2Body>),
}

impl ResponseBody {
    /// See `http_body::Body::poll_frame`.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self {
            Self::Http1(body) => body.poll_frame(cx),
            Self::Http2(body) => body.poll_frame(cx),
        }
    }

    /// See `http_body::Body::is_end_stream`.
    pub(crate) fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => body.size_hint(),
            Self::Http2(body) => body.size_hint(),
        }
    }
}

impl Upstreams {
    /// Sends `request` (its target in origin form) and waits for the response's
    /// head. Hop-by-hop fields are removed both ways, and the framing is made anew.
    pub(crate) async fn send(
        &self,
        target: &Target,
        request: Request<Carried>,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, Failed> {
        if target.http2 {
            // Boxed: a future is copied whole, with all it might await.
            let response = Box::pin(http2::send(self, target, request, timeouts)).await?;
            return received(response, timeouts);
        }
        let mut outbound = Outbound::new(request, false);
        let mut turn = self.turn(target);
        if let Some(lease) = turn.reuse() {
            outbound = match lease.exchange(outbound, timeouts).await {
                Ok(response) => return received(response, timeouts),
                Err(Lost::Unsent(again)) => *again,
                Err(Lost::Unanswered(again)) if again.method().is_idempotent() => {
                    turn.pass_over();
                    *again
                }
                Err(Lost::Unanswered(_)) => return Err(Failed::Broken),
                Err(Lost::Failed(failed)) => return Err(failed),
            };
        }
        // Boxed: rare, and many times as large as what is awaited for a pooled connection.
        let lease = Box::pin(turn.connect(target, timeouts.connect)).await?;
        match lease.exchange(outbound, timeouts).await {
            Ok(response) => received(response, timeouts),
            Err(Lost::Unsent(_) | Lost::Unanswered(_)) => Err(Failed::Broken),
            Err(Lost::Failed(failed)) => Err(failed),
        }
    }
}

impl Upstreams {
    /// Asks for a WebSocket, on a connection of its own. The service may answer otherwise.
    pub(crate) async fn open(
        &self,
        target: &Target,
        request: Request<Carried>,
        timeouts: &Timeouts,
    ) -> Result<Result<Response<Opened>, Response<ResponseBody>>, Failed> {
        if target.http2 {
            // The estate leads no such route to it.
            return Err(Failed::Broken);
        }
        let outbound = Outbound::new(request, true);
        let lease = self.turn(target).connect(target, timeouts.connect).await?;
        match lease.switch(outbound, timeouts).await? {
            Switched::Yes(response) => Ok(Ok(response)),
            Switched::No(response) => received(response, timeouts).map(Err),
        }
    }
}

fn received(
    response: Response<ResponseBody>,
    timeouts: &Timeouts,
) -> Result<Response<ResponseBody>, Failed> {
    if response.body().size_hint().lower() > timeouts.response_max {
        return Err(Failed::TooLarge);
    }
    Ok(response)
}

#[cfg(test)]
pub(crate) use tests::target as plain;

#[cfg(test)]
mod tests;
