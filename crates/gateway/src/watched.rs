//! An answer that may go on for long: event streams, long polling, calls that stream. By the clock
//! it is asked whether its client might still ask for it, as a WebSocket is.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use crate::deadline::Deadline;
use crate::exchange::{BoxError, Outgoing, StillAllowed};
use crate::trailers::CallEnd;

/// How often it is asked.
const TICK: Duration = Duration::from_secs(2);

/// See the module.
pub(crate) struct Watched {
    /// Nothing once it was cut off.
    body: Option<Outgoing>,
    allowed: StillAllowed,
    /// Whether it is a call, whose client looks for its end in trailers.
    is_call: bool,
    /// When it is asked next, and what wakes for it.
    due: Instant,
    tick: Deadline,
}

/// Whoever asked for it may no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its client may no longer ask for it")]
pub(crate) struct CutOff;

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl Watched {
    /// `allowed` is asked every two seconds from now on.
    pub(crate) fn new(body: Outgoing, allowed: StillAllowed, is_call: bool) -> Self {
        let mut tick = Deadline::unset();
        tick.set(TICK);
        Self {
            body: Some(body),
            allowed,
            is_call,
            due: Instant::now() + TICK,
            tick,
        }
    }

    /// See `http_body::Body::poll_frame`.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let Some(body) = &mut self.body else {
                return Poll::Ready(None);
            };
            // SECURITY: by the clock. The timer of a stream that always has something to say is
            // never looked at, and who never pauses must be asked about too.
            let now = Instant::now();
            if now >= self.due {
                if !(self.allowed)(false) {
                    self.body = None;
                    let end = Frame::trailers(CallEnd::PermissionDenied.fields());
                    let end = if self.is_call {
                        Ok(end)
                    } else {
                        Err(CutOff.into())
                    };
                    return Poll::Ready(Some(end));
                }
                self.due = now + TICK;
                self.tick.set(TICK);
            }
            if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
                return Poll::Ready(frame);
            }
            ready!(self.tick.poll_passed(cx));
        }
    }

    /// See `http_body::Body::is_end_stream`.
    pub(crate) fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Outgoing::is_end_stream)
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Outgoing::size_hint)
    }
}

#[cfg(test)]
mod tests;
