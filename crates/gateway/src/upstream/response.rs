//! The body of an upstream's response, on its way to the client: capped, timed, and the hand that
//! gives the connection back when it is read.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use super::Timeouts;
use super::conn::Lease;
use crate::exchange::BoxError;

/// See the module. Trailers end here: no hop passes them on.
pub(crate) struct ResponseBody {
    incoming: Incoming,
    lease: Option<Lease>,
    left: u64,
    stall: Duration,
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
    /// The connection broke, or the framing of the body is wrong.
    #[error("the upstream's response broke off")]
    Broken,
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl ResponseBody {
    pub(super) fn new(incoming: Incoming, lease: Lease, timeouts: &Timeouts) -> Self {
        let mut body = Self {
            incoming,
            lease: Some(lease),
            left: timeouts.response_max,
            stall: timeouts.response,
        };
        if let Some(deadline) = body.lease.as_mut().and_then(Lease::deadline) {
            deadline.clear();
        }
        if body.incoming.is_end_stream() {
            body.settle(&mut Context::from_waker(Waker::noop()));
        }
        body
    }

    /// See `http_body::Body::poll_frame`.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let frame = match self.poll_incoming(cx) {
                Poll::Pending => return self.poll_stalled(cx),
                Poll::Ready(None) => {
                    self.settle(cx);
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(why))) => return self.broken(why),
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            if let Some(deadline) = self.lease.as_mut().and_then(Lease::deadline) {
                deadline.clear();
            }
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let length = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
            match self.left.checked_sub(length) {
                Some(left) => self.left = left,
                None => return self.broken(Truncated::TooLarge),
            }
            if self.incoming.is_end_stream() {
                self.settle(cx);
            }
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }

    /// See `http_body::Body::is_end_stream`.
    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }

    fn poll_incoming(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Truncated>>> {
        let mut quiet = Context::from_waker(Waker::noop());
        let first = Pin::new(&mut self.incoming).poll_frame(&mut quiet);
        if first.is_ready() {
            return first.map_err(|_| Truncated::Broken);
        }
        let Some(lease) = &mut self.lease else {
            return Poll::Ready(None);
        };
        let closed = lease.drive(cx).is_ready();
        match Pin::new(&mut self.incoming).poll_frame(&mut quiet) {
            // A closed connection says no more. hyper reports it as the body's end or error; should
            // it not, the client is not left hanging, and half a response is not called whole.
            Poll::Pending if closed => Poll::Ready(Some(Err(Truncated::Broken))),
            second => second.map_err(|_| Truncated::Broken),
        }
    }

    fn poll_stalled<T>(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, BoxError>>> {
        let stall = self.stall;
        let Some(deadline) = self.lease.as_mut().and_then(Lease::deadline) else {
            return Poll::Pending;
        };
        deadline.start(stall);
        match deadline.poll_passed(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => self.broken(Truncated::Stalled),
        }
    }

    fn broken<T>(&mut self, why: Truncated) -> Poll<Option<Result<T, BoxError>>> {
        self.lease = None;
        Poll::Ready(Some(Err(why.into())))
    }

    fn settle(&mut self, cx: &mut Context<'_>) {
        if let Some(lease) = self.lease.take() {
            lease.settle(cx);
        }
    }
}
