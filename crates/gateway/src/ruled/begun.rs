//! The body of an answer of which a part was held: that part first, then the rest as it comes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::exchange::{BoxError, Outgoing};

/// See the module.
#[derive(Debug)]
pub(crate) struct Begun {
    first: Option<Bytes>,
    trailers: Option<HeaderMap>,
    rest: Outgoing,
}

impl Begun {
    /// `first`, then `rest`, then `trailers`.
    pub(crate) fn new(first: Bytes, rest: Outgoing, trailers: Option<HeaderMap>) -> Self {
        let first = Some(first).filter(|first| !first.is_empty());
        Self {
            first,
            trailers,
            rest,
        }
    }

    /// See `http_body::Body::poll_frame`.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        match Pin::new(&mut self.rest).poll_frame(cx) {
            Poll::Ready(None) => Poll::Ready(self.trailers.take().map(Frame::trailers).map(Ok)),
            polled => polled,
        }
    }

    /// See `http_body::Body::is_end_stream`.
    pub(crate) fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.trailers.is_none() && self.rest.is_end_stream()
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, Bytes::len);
        let first = u64::try_from(first).unwrap_or(u64::MAX);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(first));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(first));
        }
        hint
    }
}
