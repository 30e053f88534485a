//! What a request carries to its service: a body that is held whole, or one that is passed on as
//! it comes.
//!
//! A body that is passed on keeps the same limits as one that is held. Where it breaks one, it has
//! no end: whoever sends it on must break its request off, so that the service never sees a whole.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tokio::time::Instant;

use super::{Held, Limits, Refused};
use crate::deadline::Deadline;
use crate::exchange::Incoming;
use crate::trailers::{self, Way};

/// See the module.
#[derive(Debug)]
pub(crate) enum Carried {
    /// All of it is here.
    Held(Held),
    /// It comes as it is asked for.
    Streamed(Box<Streamed>),
}

/// A body that is passed on as it comes.
#[derive(Debug)]
pub(crate) struct Streamed {
    incoming: Incoming,
    /// Its length, where that was declared.
    length: Option<u64>,
    limits: Limits,
    received: u64,
    /// For how long its client let it be waited for, in all; without the present time.
    waited: Duration,
    waits_since: Option<Instant>,
    deadline: Deadline,
    /// Whether the smallest rate still holds.
    is_paced: bool,
    is_touched: bool,
    ended: bool,
}

impl Default for Carried {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Held> for Carried {
    fn from(held: Held) -> Self {
        Self::Held(held)
    }
}

impl Carried {
    /// No body.
    pub(crate) const fn empty() -> Self {
        Self::Held(Held::empty())
    }

    /// Its whole length, when that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Held(held) => Some(held.len()),
            Self::Streamed(body) => body.length,
        }
    }

    /// Whether it comes while it is sent.
    pub(crate) const fn is_streamed(&self) -> bool {
        matches!(self, Self::Streamed(_))
    }

    /// Whether nothing of it is left.
    pub(crate) fn is_end_stream(&self) -> bool {
        match self {
            Self::Held(held) => held.is_end_stream(),
            Self::Streamed(body) => body.ended || body.incoming.is_end_stream(),
        }
    }

    /// Whether [`Carried::again`] gives it.
    pub(crate) const fn is_repeatable(&self) -> bool {
        match self {
            Self::Held(_) => true,
            Self::Streamed(body) => !body.is_touched,
        }
    }

    /// The same, to be sent from its beginning; nothing once a byte of it was passed on.
    pub(crate) fn again(self) -> Option<Self> {
        match self {
            Self::Held(held) => Some(Self::Held(held.replay())),
            Self::Streamed(body) if body.is_touched => None,
            Self::Streamed(body) => Some(Self::Streamed(body)),
        }
    }

    /// The service has begun to answer. From here on both sides may wait for each other, so that
    /// the smallest rate counts no more; for how long nothing may move is the answer's to say.
    pub(crate) fn answered(&mut self) {
        if let Self::Streamed(body) = self {
            body.is_paced = false;
        }
    }

    /// What comes next of it.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Refused>>> {
        match self {
            Self::Held(held) => Pin::new(held).poll_frame(cx).map_err(|error| {
                tracing::warn!(%error, "cannot read a held request body");
                Refused::Budget
            }),
            Self::Streamed(body) => body.poll_frame(cx),
        }
    }
}

impl Streamed {
    /// Nothing is read yet. A declared length over the limit is refused at once.
    pub(crate) fn new(incoming: Incoming, limits: &Limits) -> Result<Self, Refused> {
        let hint = incoming.size_hint();
        if hint.lower() > limits.max {
            return Err(Refused::TooLarge);
        }
        Ok(Self {
            incoming,
            length: hint.exact(),
            limits: *limits,
            received: 0,
            waited: Duration::ZERO,
            waits_since: None,
            deadline: Deadline::unset(),
            is_paced: limits.bytes_per_s_min > 0,
            is_touched: false,
            ended: false,
        })
    }

    /// Its length, where that was declared.
    pub(crate) const fn length(&self) -> Option<u64> {
        self.length
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refused>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) else {
            if self.poll_late(cx).is_ready() {
                self.ended = true;
                return Poll::Ready(Some(Err(Refused::TooSlow)));
            }
            return Poll::Pending;
        };
        if let Some(since) = self.waits_since.take() {
            self.waited = self.waited.saturating_add(since.elapsed());
        }
        let passed = frame.map(|frame| match frame {
            Ok(frame) => self.pass(frame),
            Err(error) => {
                tracing::debug!(%error, "a streamed request body broke off");
                Err(Refused::Broken)
            }
        });
        self.ended = !matches!(passed, Some(Ok(_)));
        Poll::Ready(passed)
    }

    fn pass(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Refused> {
        self.is_touched = true;
        match frame.into_data() {
            Ok(data) => {
                let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
                self.received = self.received.saturating_add(length);
                if self.received > self.limits.max {
                    return Err(Refused::TooLarge);
                }
                Ok(Frame::data(data))
            }
            Err(frame) => {
                let fields = frame.into_trailers().unwrap_or_default();
                let fields = trailers::pass(fields, Way::In).map_err(|_| Refused::Broken)?;
                Ok(Frame::trailers(fields))
            }
        }
    }

    /// Ready when its client let it be waited for too long. Only that time counts: a service that
    /// takes nothing is not the client's fault.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let earned_ms = self
            .received
            .saturating_mul(1000)
            .checked_div(self.limits.bytes_per_s_min);
        let Some(earned_ms) = earned_ms.filter(|_| self.is_paced) else {
            return Poll::Pending;
        };
        if self.waits_since.is_none() {
            self.waits_since = Some(Instant::now());
            let allowed = self
                .limits
                .grace
                .saturating_add(Duration::from_millis(earned_ms));
            self.deadline.set(allowed.saturating_sub(self.waited));
        }
        self.deadline.poll_passed(cx)
    }
}

#[cfg(test)]
mod tests;
