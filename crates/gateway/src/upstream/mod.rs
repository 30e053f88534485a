//! Connections to the services behind the gateway: pooled per worker, last used first, checked
//! before use, timed, and never trusted for more than HTTP/1.1.
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
mod keep;
mod key;
mod member;
mod outbound;
mod pool;
mod report;
mod resolve;
mod response;
mod retry;
mod room;
mod stats;
mod stream;
mod target;
mod ticks;
mod tls;

use std::time::Duration;

use http::{Request, Response};

pub(crate) use around::Around;
pub(crate) use conn::Opened;
pub(crate) use keep::{first_look_up, start};
pub(crate) use key::Key;
pub(crate) use pool::{PoolUse, Upstreams};
pub(crate) use response::ResponseBody;
pub(crate) use target::Target;

use crate::body::Held;
use conn::Switched;
use outbound::Outbound;
use retry::Origin;

/// How long an upstream may take, and how much it may answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// Connecting, the TLS handshake included.
    pub(crate) connect: Duration,
    /// Until the head of the response is here; also between two pieces of its body.
    pub(crate) response: Duration,
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
    /// The connection broke, or what came is not HTTP/1.1: 502.
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
        }
    }
}

impl Upstreams {
    /// Sends `request` (its target in origin form, its body held) and waits for the response's
    /// head. Hop-by-hop fields are removed both ways, and the framing is made anew.
    pub(crate) async fn send(
        &self,
        target: &Target,
        request: Request<Held>,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, Failed> {
        let key = Key::of(&request);
        let pass = match target.group.is_guarded() {
            false => None,
            true => Box::pin(target.group.admit()).await?,
        };
        let mut turn = self.turn(target, key, pass)?;
        let mut outbound = Outbound::new(request, false);
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
        request: Request<Held>,
        timeouts: &Timeouts,
    ) -> Result<Result<Response<Opened>, Response<ResponseBody>>, Failed> {
        let key = Key::of(&request);
        let outbound = Outbound::new(request, true);
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
mod failing;
#[cfg(test)]
mod tests;
