//! The body of an HTTP/1 upstream's response, on its way to the client: capped, timed, and the hand
//! that gives the connection back when it is read.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use estate::Failure;
use http_body::{Frame, SizeHint};

use super::ResponseBody;
use super::conn::Lease;
use super::patience::{Until, Whose};
use crate::exchange::BoxError;
use crate::wire::{Framing, Refusal};

/// See the module. Trailers end here: no hop passes them on.
pub(crate) struct Http1Body {
    framing: Framing,
    ended: bool,
    /// A trailer line that is not whole yet.
    line: Vec<u8>,
    lease: Option<Lease>,
    left: u64,
    stall: Duration,
    /// When the whole must be here.
    until: Until,
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
    /// The call gave itself no more time.
    #[error("the time that the call gave itself is over")]
    CallOver,
    /// The connection broke, or the framing of the body is wrong.
    #[error("the upstream's response broke off")]
    Broken,
    /// The body of its request did, which the upstream was still taking in.
    #[error("the request's body broke off")]
    Request,
}

impl Truncated {
    /// What it says about the address, when its request is still `streaming` and when that
    /// `awaits_client`.
    ///
    /// SECURITY: what a client does, or leaves undone, must not make an address look bad.
    pub(super) const fn failure(self, streaming: bool, awaits_client: bool) -> Option<Failure> {
        match self {
            // The first is the route's limit, the others are the client's doing.
            Self::TooLarge | Self::CallOver | Self::Request => None,
            Self::Stalled if streaming => None,
            Self::Broken if awaits_client => None,
            Self::Stalled | Self::Late => Some(Failure::Timeout),
            Self::Broken => Some(Failure::Reset),
        }
    }
}

impl From<Whose> for Truncated {
    fn from(whose: Whose) -> Self {
        match whose {
            Whose::Call => Self::CallOver,
            Whose::Service => Self::Late,
        }
    }
}

impl fmt::Debug for Http1Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1Body")
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

impl Http1Body {
    /// At most `left` bytes; a pause may take so long, and the whole may take until then.
    ///
    /// A body that came with its head is taken at once, so that its connection is free again before
    /// the client has read it.
    pub(super) fn take(
        framing: Framing,
        mut lease: Lease,
        left: u64,
        (stall, until): (Duration, Until),
    ) -> ResponseBody {
        if framing == Framing::None {
            lease.settle();
            return ResponseBody::Whole(Bytes::new());
        }
        let length = framing.exact().filter(|length| *length <= left);
        if let Some(length) = length.and_then(|length| usize::try_from(length).ok()) {
            let input = lease.conn().input();
            if length <= input.len() {
                let whole = input.split_to(length).freeze();
                lease.settle();
                return ResponseBody::Whole(whole);
            }
        }
        ResponseBody::Http1(Box::new(Self {
            framing,
            ended: false,
            line: Vec::new(),
            lease: Some(lease),
            left,
            stall,
            until,
        }))
    }

    /// See `http_body::Body::poll_frame`.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let Some(lease) = &mut self.lease else {
                return Poll::Ready(None);
            };
            let conn = lease.conn();
            match conn.poll_send(cx) {
                Ok(false) => {}
                // Where something moves, nobody is stuck.
                Ok(true) => conn.deadline().clear(),
                Err(why) => {
                    let code = why.code();
                    tracing::debug!(code, "a request broke off after its answer began");
                    return self.broken(Truncated::Request);
                }
            }
            if let Some(whose) = self.until.over() {
                return self.broken(whose.into());
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
                    if let Some(until) = self.until.earliest() {
                        conn.deadline().at_most(until);
                    }
                    if conn.deadline().poll_passed(cx).is_pending() {
                        return Poll::Pending;
                    }
                    let whose = self.until.over();
                    return self.broken(whose.map_or(Truncated::Stalled, Truncated::from));
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
    pub(crate) const fn is_end_stream(&self) -> bool {
        self.ended
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        if self.ended {
            return SizeHint::with_exact(0);
        }
        self.framing
            .exact()
            .map_or_else(SizeHint::new, SizeHint::with_exact)
    }

    fn broken<T>(&mut self, why: Truncated) -> Poll<Option<Result<T, BoxError>>> {
        if let Some(mut lease) = self.lease.take() {
            let conn = lease.conn();
            if let Some(failure) = why.failure(conn.is_streaming(), conn.awaits_client()) {
                lease.failed(failure);
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
