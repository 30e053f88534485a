//! The body of an upstream's response, on its way to the client: capped, timed, and the hand that
//! gives the connection back when it is read.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use estate::Failure;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use super::conn::Lease;
use crate::exchange::BoxError;
use crate::wire::{Framing, Refusal};

/// See the module. Trailers end here: no hop passes them on.
pub(crate) struct ResponseBody {
    framing: Framing,
    ended: bool,
    /// Content that is here and not handed on.
    ready: Bytes,
    /// A trailer line that is not whole yet.
    line: Vec<u8>,
    lease: Option<Lease>,
    left: u64,
    stall: Duration,
    /// When the whole must be here.
    until: Option<Instant>,
}

/// Why a response broke off. The client sees its connection end, never a whole response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Truncated {
    /// More bytes than the route allows.
    #[error("the response is longer than allowed")]
    TooLarge,
    /// Nothing came for too long.
    #[error("the upstream stopped sending")]
    Stalled,
    /// The whole took too long.
    #[error("the upstream's response took too long")]
    Late,
    /// The connection broke, or the framing of the body is wrong.
    #[error("the upstream's response broke off")]
    Broken,
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("framing", &self.framing)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl From<Refusal> for Truncated {
    fn from(_: Refusal) -> Self {
        Self::Broken
    }
}

impl ResponseBody {
    /// At most `left` bytes; a pause may take so long, and the whole may take until then.
    pub(super) fn new(
        framing: Framing,
        lease: Lease,
        left: u64,
        (stall, until): (Duration, Option<Instant>),
    ) -> Self {
        let mut body = Self {
            framing,
            ended: framing == Framing::None,
            ready: Bytes::new(),
            line: Vec::new(),
            lease: Some(lease),
            left,
            stall,
            until,
        };
        if body.ended {
            body.settle();
        } else if let Some(length) = framing.exact() {
            body.take_whole(length);
        }
        body
    }

    /// A body that came with its head is taken at once, so that its connection is free again
    /// before the client has read it.
    fn take_whole(&mut self, length: u64) {
        let Some(lease) = &mut self.lease else { return };
        let input = lease.conn().input();
        match usize::try_from(length) {
            Ok(here) if here <= input.len() && length <= self.left => {
                self.ready = input.split_to(here).freeze();
            }
            _ => return,
        }
        self.ended = true;
        self.settle();
    }

    /// See `http_body::Body::poll_frame`.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if !self.ready.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.ready)))));
        }
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let Some(lease) = &mut self.lease else {
                return Poll::Ready(None);
            };
            let conn = lease.conn();
            conn.poll_send(cx);
            if self.until.is_some_and(|until| Instant::now() >= until) {
                return self.broken(Truncated::Late);
            }
            if !conn.input().is_empty() {
                match self.piece() {
                    Ok(content) if content.is_empty() => continue,
                    Ok(content) => return Poll::Ready(Some(Ok(Frame::data(content)))),
                    Err(why) => return self.broken(why),
                }
            }
            match conn.poll_read(cx) {
                Poll::Pending => {
                    let stall = self.stall;
                    conn.deadline().start(stall);
                    if let Some(until) = self.until {
                        conn.deadline().at_most(until);
                    }
                    if conn.deadline().poll_passed(cx).is_pending() {
                        return Poll::Pending;
                    }
                    if self.until.is_some_and(|until| Instant::now() >= until) {
                        return self.broken(Truncated::Late);
                    }
                    return self.broken(Truncated::Stalled);
                }
                Poll::Ready(Ok(read)) if read > 0 => conn.deadline().clear(),
                Poll::Ready(Ok(_)) if self.framing == Framing::Close => {
                    self.ended = true;
                    self.settle();
                }
                Poll::Ready(_) => return self.broken(Truncated::Broken),
            }
        }
    }

    /// The content that stands next in the input; empty when that was framing alone.
    fn piece(&mut self) -> Result<Bytes, Truncated> {
        let Some(lease) = &mut self.lease else {
            return Ok(Bytes::new());
        };
        let input = lease.conn().input();
        let piece = self.framing.advance(input, &mut self.line)?;
        input.advance(piece.framing);
        let content = input.split_to(piece.content).freeze();
        self.ended = piece.ended;
        let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or(Truncated::TooLarge)?;
        if !self.ended && !content.is_empty() {
            // Where the end is here too, it is known with the last content: no empty last frame.
            let (mut framing, mut line) = (self.framing, self.line.clone());
            let rest = framing.advance(input, &mut line);
            if let Ok(rest) = rest
                && rest.ended
                && rest.content == 0
            {
                input.advance(rest.framing);
                self.ended = true;
            }
        }
        if self.ended {
            self.settle();
        }
        Ok(content)
    }

    /// See `http_body::Body::is_end_stream`.
    pub(crate) fn is_end_stream(&self) -> bool {
        self.ended && self.ready.is_empty()
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        let ready = u64::try_from(self.ready.len()).unwrap_or(u64::MAX);
        if self.ended {
            return SizeHint::with_exact(ready);
        }
        self.framing
            .exact()
            .map_or_else(SizeHint::new, SizeHint::with_exact)
    }

    fn broken<T>(&mut self, why: Truncated) -> Poll<Option<Result<T, BoxError>>> {
        if let Some(lease) = self.lease.take() {
            match why {
                // The route's limit, not the service's fault.
                Truncated::TooLarge => {}
                Truncated::Stalled | Truncated::Late => lease.failed(Failure::Timeout),
                Truncated::Broken => lease.failed(Failure::Reset),
            }
        }
        self.ended = true;
        Poll::Ready(Some(Err(why.into())))
    }

    fn settle(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.settle();
        }
    }
}
