//! Connections to the services behind the gateway: pooled per worker, last used first, checked
//! before use, timed, and never trusted for more than the protocol the estate names.
//!
//! What workers share of a service stands in `group` and `member`; which address a request goes to
//! in `choose`; when it is sent again in `retry`; what happens while no request does in `keep`.

mod admit;
mod around;
mod breaker;
mod budget;
mod choose;
mod conn;
mod group;
mod health;
mod http2;
mod keep;
mod key;
mod member;
mod outbound;
mod patience;
mod pool;
mod report;
mod request;
mod resolve;
mod response;
mod retry;
mod room;
mod stats;
mod stream;
mod target;
mod ticks;
mod tls;

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

pub(crate) use around::Around;
pub(crate) use conn::Opened;
pub(crate) use keep::{first_look_up, start};
pub(crate) use key::Key;
pub(crate) use pool::{PoolUse, Upstreams};
pub(crate) use request::{ServiceHead, ServiceRequest};
pub(crate) use target::Target;

use crate::body;
use crate::exchange::BoxError;
use crate::reply::Reply;
use conn::Switched;
use http2::Http2Body;
use outbound::Outbound;
use response::Http1Body;
use retry::Origin;

/// How long an upstream may take, and how much it may answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// Connecting, the TLS handshake included.
    pub(crate) connect: Duration,
    /// Until the head of the response is here.
    pub(crate) response: Duration,
    /// Between two pieces of its body, where the service does not say it.
    pub(crate) idle: Duration,
    /// When everything must have ended, whatever moves; for calls that say so themselves.
    pub(crate) ends: Option<Instant>,
    /// Bytes of the response's body.
    pub(crate) response_max: u64,
}

/// Why there is no answer of the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// Nobody accepts connections there: 502.
    Refused,
    /// Connecting took too long: 504.
    ConnectTimeout,
    /// The TLS handshake took too long: 504.
    TlsTimeout,
    /// It read nothing of the request for too long: 504.
    SendTimeout,
    /// The response did not begin in time: 504.
    ResponseTimeout,
    /// The whole took too long before a response began: 504.
    AnswerTimeout,
    /// Its certificate or its TLS is not acceptable: 502.
    Tls,
    /// The connection broke, or what came is not what the protocol says: 502.
    Broken,
    /// The response is declared longer than allowed: 502.
    TooLarge,
    /// There are as many connections or requests there as there may be: 503.
    TooMany,
    /// None of its addresses is well, and then none is to be asked: 503.
    Unhealthy,
    /// Its name leads nowhere: 503.
    Unresolved,
    /// Too many requests to it failed: 503, and when to try again.
    BreakerOpen {
        /// After this time.
        again: Duration,
    },
    /// The request's body broke a rule while it was passed on.
    Body(body::Refused),
}

impl Failed {
    /// What the client is answered.
    pub(crate) fn status(self) -> http::StatusCode {
        match self {
            Self::ConnectTimeout
            | Self::TlsTimeout
            | Self::SendTimeout
            | Self::ResponseTimeout
            | Self::AnswerTimeout => http::StatusCode::GATEWAY_TIMEOUT,
            Self::Refused | Self::Tls | Self::Broken | Self::TooLarge => {
                http::StatusCode::BAD_GATEWAY
            }
            Self::TooMany | Self::Unhealthy | Self::Unresolved | Self::BreakerOpen { .. } => {
                http::StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Body(why) => why.status(),
        }
    }

    /// When it may work again, where that is known.
    pub(crate) fn retry_after(self) -> Option<Duration> {
        match self {
            Self::BreakerOpen { again } => Some(again),
            Self::TooMany => Some(Duration::from_secs(1)),
            // Soon, but nobody can say when.
            Self::Unhealthy | Self::Unresolved => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// A stable word for records and metrics.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Refused => "upstream.refused",
            Self::ConnectTimeout => "upstream.connect_timeout",
            Self::TlsTimeout => "upstream.tls_timeout",
            Self::SendTimeout => "upstream.send_timeout",
            Self::ResponseTimeout => "upstream.response_timeout",
            Self::AnswerTimeout => "upstream.answer_timeout",
            Self::Tls => "upstream.tls",
            Self::Broken => "upstream.broken",
            Self::TooLarge => "upstream.too_large",
            Self::TooMany => "upstream.too_many",
            Self::Unhealthy => "upstream.unhealthy",
            Self::Unresolved => "upstream.unresolved",
            Self::BreakerOpen { .. } => "upstream.breaker_open",
            Self::Body(why) => why.code(),
        }
    }
}

/// The body of a response, on its way to the client.
#[derive(Debug)]
pub(crate) enum ResponseBody {
    /// All of it, which came with its head.
    Whole(Bytes),
    /// Over HTTP/1.1.
    Http1(Box<Http1Body>),
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
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Http1(body) => body.poll_frame(cx),
            Self::Http2(body) => body.poll_frame(cx),
        }
    }

    /// See `http_body::Body::is_end_stream`.
    pub(crate) fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
            Self::Http1(body) => body.size_hint(),
            Self::Http2(body) => body.size_hint(),
        }
    }
}

impl Upstreams {
    /// Sends `request` and waits for the response's head. Hop-by-hop fields are removed both ways,
    /// and the framing is made anew.
    pub(crate) async fn send(
        &self,
        target: &Target,
        request: ServiceRequest,
        timeouts: &Timeouts,
    ) -> Result<Reply<ResponseBody>, Failed> {
        let key = request.key.map(Key::number);
        let pass = match target.group.is_guarded() {
            false => None,
            true => Box::pin(target.group.admit()).await?,
        };
        let mut turn = self.turn(target, key, pass)?;
        if target.http2 {
            // Boxed: a future is copied whole, with all it might await.
            let response = Box::pin(http2::send(turn, target, request, timeouts)).await?;
            return received(response, timeouts);
        }
        let mut outbound = Outbound::new(request, false).ok_or(Failed::Broken)?;
        if let Some(lease) = turn.reuse() {
            outbound = match lease.exchange(outbound, timeouts, &mut turn).await {
                Ok(response) => return received(response, timeouts),
                Err(lost) => turn.after(lost, Origin::Pool)?,
            };
        }
        // Boxed: rare, and many times as large as what is awaited for a pooled connection.
        Box::pin(retry::send(turn, target, outbound, timeouts)).await
    }
}

impl Upstreams {
    /// Asks for a WebSocket, on a connection of its own. The service may answer otherwise.
    pub(crate) async fn open(
        &self,
        target: &Target,
        request: ServiceRequest,
        timeouts: &Timeouts,
    ) -> Result<Result<Reply<Opened>, Reply<ResponseBody>>, Failed> {
        if target.http2 {
            // The estate leads no such route to it.
            return Err(Failed::Broken);
        }
        let key = request.key.map(Key::number);
        let outbound = Outbound::new(request, true).ok_or(Failed::Broken)?;
        let pass = match target.group.is_guarded() {
            false => None,
            true => target.group.admit().await?,
        };
        let mut turn = self.turn(target, key, pass)?;
        turn.fresh = true;
        let (lease, _) = turn.lease(target, timeouts).await?;
        match lease.switch(outbound, timeouts).await? {
            Switched::Yes(response) => Ok(Ok(response)),
            Switched::No(response) => received(response, timeouts).map(Err),
        }
    }
}

fn received(
    response: Reply<ResponseBody>,
    timeouts: &Timeouts,
) -> Result<Reply<ResponseBody>, Failed> {
    if response.body.size_hint().lower() > timeouts.response_max {
        return Err(Failed::TooLarge);
    }
    Ok(response)
}

#[cfg(test)]
pub(crate) use tests::target as plain;

#[cfg(test)]
mod failing;
#[cfg(test)]
mod tests;
