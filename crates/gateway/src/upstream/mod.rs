//! Connections to the services behind the gateway: pooled per worker, last used first, checked
//! before use, timed, and never trusted for more than HTTP/1.1.
//!
//! A request is sent twice only when the first connection came from the pool and died before it
//! answered a byte, the method is idempotent, and the body is held (RFC 9110 §9.2.2).

mod conn;
mod pool;
mod response;
mod stream;
mod target;

use std::time::Duration;

use http::{Method, Request, Response, Version, header};

pub(crate) use pool::{PoolUse, Upstreams};
pub(crate) use response::ResponseBody;
pub(crate) use target::Target;

use crate::body::Held;
use crate::hop;
use conn::Lost;

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
    /// The response did not begin in time: 504.
    ResponseTimeout,
    /// Its certificate or its TLS is not acceptable: 502.
    Tls,
    /// The connection broke, or what came is not HTTP/1.1: 502.
    Broken,
    /// The response is declared longer than allowed: 502.
    TooLarge,
    /// This worker has as many connections there as it may: 503.
    TooMany,
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
        }
    }
}

impl Upstreams {
    /// Sends `request` (its target in origin form, its body held) and waits for the response's
    /// head. Hop-by-hop fields are removed both ways, and the framing is made anew.
    pub(crate) async fn send(
        &self,
        target: &Target,
        mut request: Request<Held>,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, Failed> {
        frame(&mut request);
        if let Some(lease) = self.reuse(target) {
            let spare = request.method().is_idempotent().then(|| copy(&request));
            match lease.exchange(request, timeouts).await {
                Ok(response) => return received(response, timeouts),
                Err(Lost::Unsent(unsent)) => request = *unsent,
                Err(Lost::Unanswered) => request = spare.ok_or(Failed::Broken)?,
                Err(Lost::Failed(failed)) => return Err(failed),
            }
        }
        // Boxed: rare, and many times as large as what is awaited for a pooled connection.
        let lease = Box::pin(self.connect(target, timeouts.connect)).await?;
        match lease.exchange(request, timeouts).await {
            Ok(response) => received(response, timeouts),
            Err(Lost::Unsent(_) | Lost::Unanswered) => Err(Failed::Broken),
            Err(Lost::Failed(failed)) => Err(failed),
        }
    }
}

/// Frames the request for this hop alone: whatever framing came from outside ends here.
fn frame(request: &mut Request<Held>) {
    *request.version_mut() = Version::HTTP_11;
    let length = request.body().len();
    let needs_length =
        length > 0 || [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    let headers = request.headers_mut();
    // What `Connection` named ended when the request came in; here it could only harm.
    hop::strip_known(headers);
    // The body is here already: there is nothing to wait for (RFC 9110 §10.1.1).
    headers.remove(header::EXPECT);
    if needs_length {
        headers.insert(header::CONTENT_LENGTH, header::HeaderValue::from(length));
    } else {
        headers.remove(header::CONTENT_LENGTH);
    }
}

fn copy(request: &Request<Held>) -> Request<Held> {
    let mut copy = Request::new(request.body().replay());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

fn received(
    mut response: Response<ResponseBody>,
    timeouts: &Timeouts,
) -> Result<Response<ResponseBody>, Failed> {
    // No request asked for another protocol (RFC 9110 §15.2.2).
    if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
        return Err(Failed::Broken);
    }
    if response.body().size_hint().lower() > timeouts.response_max {
        return Err(Failed::TooLarge);
    }
    hop::strip(response.headers_mut());
    Ok(response)
}

#[cfg(test)]
pub(crate) use tests::target as plain;

#[cfg(test)]
mod tests;
