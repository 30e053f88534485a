//! Request bodies are held whole before an upstream is chosen, so that nothing of a refused
//! request reaches one: in memory while small, then in an unlinked file, all under one budget.
//! Where the estate says so, they are passed on as they come instead.
//!
//! Never looks into a body; never trusts a declared length for more than refusing early.

mod budget;
mod carried;
mod held;
mod room;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame};
use tokio::time::Instant;

pub(crate) use budget::{Budget, Use};
pub(crate) use carried::{Carried, Streamed};
pub(crate) use held::Held;
pub(crate) use room::Room;

use held::Holder;

/// What one body may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of the body.
    pub(crate) max: u64,
    /// Bytes per second it must arrive at, after the grace; zero asks for nothing.
    pub(crate) bytes_per_s_min: u64,
    /// How long it may take before the rate counts.
    pub(crate) grace: Duration,
}

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Longer than the limit, declared or sent: 413.
    TooLarge,
    /// Slower than the smallest rate: 408.
    TooSlow,
    /// No room in memory or on disk for now: 503 with `Retry-After`.
    Budget,
    /// Its framing is wrong, or the client went away: 400.
    Broken,
}

impl Refused {
    /// What the client is answered; with `Retry-After` for 503.
    pub(crate) fn status(self) -> http::StatusCode {
        match self {
            Self::TooLarge => http::StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => http::StatusCode::REQUEST_TIMEOUT,
            Self::Budget => http::StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => http::StatusCode::BAD_REQUEST,
        }
    }

    /// A stable word for records and metrics.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "body.too_large",
            Self::TooSlow => "body.too_slow",
            Self::Budget => "body.no_room",
            Self::Broken => "body.broken",
        }
    }
}

/// Takes a body in, whole. A request without a body costs nothing here.
///
/// A declared length over the limit is refused before a byte is read (RFC 9110 §15.5.14).
pub(crate) async fn hold<B>(body: B, limits: &Limits, budget: &Arc<Budget>) -> Result<Held, Refused>
where
    B: Body<Data = Bytes>,
{
    if body.is_end_stream() {
        return Ok(Held::empty());
    }
    if body.size_hint().lower() > limits.max {
        return Err(Refused::TooLarge);
    }
    let mut body = pin!(body);
    let mut pace = Pace::new(limits);
    let mut holder = Holder::new(budget);
    let mut received: u64 = 0;
    while let Some(frame) = next(body.as_mut(), &pace).await? {
        // Trailers carry nothing the upstream is told: they end here (RFC 9110 §6.5.1).
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let length = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
        received = received.saturating_add(length);
        if received > limits.max {
            return Err(Refused::TooLarge);
        }
        pace.received(length);
        let last = body.is_end_stream();
        if last && received == length {
            return holder.whole(data);
        }
        holder.push(data).await?;
        if last {
            break;
        }
    }
    holder.finish().await
}

/// Holds bytes that take the place of a body.
pub(crate) async fn hold_bytes(bytes: Bytes, budget: &Arc<Budget>) -> Result<Held, Refused> {
    let mut holder = Holder::new(budget);
    if bytes.len() <= held::MEMORY_MAX {
        return holder.whole(bytes);
    }
    for at in (0..bytes.len()).step_by(held::MEMORY_MAX) {
        let end = bytes.len().min(at.saturating_add(held::MEMORY_MAX));
        holder.push(bytes.slice(at..end)).await?;
    }
    holder.finish().await
}

/// The next frame, or the refusal when it does not come in time.
async fn next<B>(mut body: Pin<&mut B>, pace: &Pace) -> Result<Option<Frame<Bytes>>, Refused>
where
    B: Body<Data = Bytes>,
{
    let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx));
    match pace.deadline() {
        None => frame.await,
        Some(at) => match tokio::time::timeout_at(at, frame).await {
            Ok(frame) => frame,
            Err(_) => return Err(Refused::TooSlow),
        },
    }
    .transpose()
    .map_err(|_| Refused::Broken)
}

/// When the next bytes must be here: the grace, and one second for each smallest rate received.
#[derive(Debug)]
struct Pace {
    start: Instant,
    rate: u64,
    grace: Duration,
    received: u64,
}

impl Pace {
    fn new(limits: &Limits) -> Self {
        Self {
            start: Instant::now(),
            rate: limits.bytes_per_s_min,
            grace: limits.grace,
            received: 0,
        }
    }

    fn received(&mut self, bytes: u64) {
        self.received = self.received.saturating_add(bytes);
    }

    fn deadline(&self) -> Option<Instant> {
        let earned_ms = self.received.saturating_mul(1000).checked_div(self.rate)?;
        self.start
            .checked_add(self.grace)?
            .checked_add(Duration::from_millis(earned_ms))
    }
}

#[cfg(test)]
mod tests;
