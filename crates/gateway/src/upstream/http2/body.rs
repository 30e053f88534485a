//! The body of a response over HTTP/2, on its way to the client: capped, timed, trailers last.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http_body::{Frame, SizeHint};

use super::call::Upload;
use super::link::Seat;
use crate::deadline::Deadline;
use crate::exchange::BoxError;
use crate::trailers::{self, CallEnd, Way};
use crate::upstream::Timeouts;
use crate::upstream::patience::{Until, Whose};
use crate::upstream::pool::Home;
use crate::upstream::response::Truncated;

type Next = Option<Result<Frame<Bytes>, BoxError>>;

/// See the module. Dropped before its end, the service is told to stop.
pub(crate) struct Http2Body {
    /// Nothing once it has ended.
    open: Option<Open>,
    /// The length it declared.
    exact: Option<u64>,
    left: u64,
    idle: Duration,
    quiet: Deadline,
    /// When the whole must be here.
    until: Until,
    ends: Deadline,
    takes_trailers: bool,
}

struct Open {
    stream: RecvStream,
    upload: Upload,
    seat: Seat,
    home: Home,
}

impl fmt::Debug for Http2Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Body")
            .field("exact", &self.exact)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Http2Body {
    pub(super) fn new(
        (seat, home): (Seat, Home),
        upload: Upload,
        stream: RecvStream,
        (exact, takes_trailers): (Option<u64>, bool),
        timeouts: &Timeouts,
        until: Until,
    ) -> Self {
        let mut ends = Deadline::unset();
        if let Some(at) = until.earliest() {
            ends.set(at.saturating_duration_since(tokio::time::Instant::now()));
        }
        let idle = home.timeouts().pause.unwrap_or(timeouts.idle);
        let mut body = Self {
            open: Some(Open {
                stream,
                upload,
                seat,
                home,
            }),
            exact,
            left: timeouts.response_max,
            idle,
            until,
            quiet: Deadline::unset(),
            ends,
            takes_trailers,
        };
        body.settle();
        body
    }

    /// See `http_body::Body::poll_frame`.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        loop {
            let Some(open) = &mut self.open else {
                return Poll::Ready(None);
            };
            match open.upload.poll_send(cx) {
                Ok(false) => {}
                // Where something moves, nobody is stuck.
                Ok(true) => self.quiet.clear(),
                Err(why) => {
                    tracing::debug!(
                        code = why.code(),
                        "a request broke off after its answer began"
                    );
                    return self.broken(Truncated::Request);
                }
            }
            if self.ends.poll_passed(cx).is_ready() {
                return self.out_of_time();
            }
            let data = match open.stream.poll_data(cx) {
                Poll::Pending => return self.poll_quiet(cx),
                Poll::Ready(None) => return self.poll_trailers(cx),
                Poll::Ready(Some(Err(error))) => return self.failed(&error),
                Poll::Ready(Some(Ok(data))) => data,
            };
            open.seat.heard();
            self.quiet.clear();
            // What is handed on makes room for more.
            let released = open.stream.flow_control().release_capacity(data.len());
            if released.is_err() {
                return self.broken(Truncated::Broken);
            }
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            let Some(left) = self.left.checked_sub(length) else {
                return self.broken(Truncated::TooLarge);
            };
            self.left = left;
            self.exact = self.exact.map(|exact| exact.saturating_sub(length));
            self.settle();
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }

    /// Lets go of the call when all of the answer is here.
    fn settle(&mut self) {
        let is_over = |open: &Open| open.stream.is_end_stream();
        if self.open.as_ref().is_some_and(is_over) {
            // A service that has answered whole needs no more of the request (RFC 9113 §8.1).
            self.open = None;
        }
    }

    fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        self.quiet.start(self.idle);
        if self.quiet.poll_passed(cx).is_pending() {
            return Poll::Pending;
        }
        self.broken(Truncated::Stalled)
    }

    fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let Some(open) = &mut self.open else {
            return Poll::Ready(None);
        };
        let fields = match open.stream.poll_trailers(cx) {
            Poll::Pending => return self.poll_quiet(cx),
            Poll::Ready(Err(error)) => return self.failed(&error),
            Poll::Ready(Ok(fields)) => fields,
        };
        open.seat.heard();
        self.open = None;
        let Some(fields) = fields.filter(|_| self.takes_trailers) else {
            return Poll::Ready(None);
        };
        match trailers::pass(fields, Way::Out) {
            Ok(fields) if fields.is_empty() => Poll::Ready(None),
            Ok(fields) => Poll::Ready(Some(Ok(Frame::trailers(fields)))),
            Err(error) => Poll::Ready(Some(Err(error.into()))),
        }
    }

    fn failed(&mut self, error: &h2::Error) -> Poll<Next> {
        // After a whole answer, a service says with this that it needs no more of the request
        // (RFC 9113 §8.1). An end that came before it is not forgotten: without one, only an answer
        // that has reached its length is whole.
        let is_done = error.is_reset() && error.reason() == Some(Reason::NO_ERROR);
        if is_done && self.exact == Some(0) {
            self.open = None;
            return Poll::Ready(None);
        }
        tracing::debug!(%error, "an answer over HTTP/2 broke off");
        self.broken(Truncated::Broken)
    }

    /// The time of the whole is over.
    fn out_of_time(&mut self) -> Poll<Next> {
        let whose = self.until.over().unwrap_or(Whose::Service);
        if whose == Whose::Service || !self.takes_trailers {
            return self.broken(whose.into());
        }
        self.open = None;
        let fields = CallEnd::DeadlineExceeded.fields();
        Poll::Ready(Some(Ok(Frame::trailers(fields))))
    }

    fn broken(&mut self, why: Truncated) -> Poll<Next> {
        if let Some(open) = self.open.take() {
            let upload = &open.upload;
            if let Some(failure) = why.failure(upload.is_streaming(), upload.awaits_client()) {
                open.home.failed(failure);
            }
        }
        Poll::Ready(Some(Err(why.into())))
    }

    /// See `http_body::Body::is_end_stream`.
    pub(crate) fn is_end_stream(&self) -> bool {
        self.open.is_none()
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        if self.open.is_none() {
            return SizeHint::with_exact(0);
        }
        self.exact.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
