//! An answer on its way to the client: its head, its content as it comes and as there is room for
//! it, and what stands behind.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Method, StatusCode, header};
use http_body::Body as _;
use model::Timestamp;

use crate::exchange::{BoxError, Outgoing};
use crate::reply::{Known, Reply, ReplyFields};
use crate::wire::http2::{End, Session};

/// See the module.
#[derive(Debug)]
pub(super) struct Answer {
    /// Until it is sent.
    head: Option<(StatusCode, ReplyFields)>,
    length: Option<u64>,
    /// It is its head alone.
    is_bare: bool,
    body: Outgoing,
    /// What came of the body and is not sent.
    content: Bytes,
    trailers: Option<HeaderMap>,
    /// Content still to come, where its length is told.
    left: Option<u64>,
    /// Everything of the body has come.
    is_whole: bool,
    /// Something of it was sent since it was last asked.
    moved: bool,
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is sent to its end.
    Sent,
    /// More comes of it; its waker tells when.
    Waits,
    /// The client has no room for it.
    Blocked,
    /// It is another's turn, or too much waits to be written.
    Yields,
    /// It broke off.
    Broken,
}

impl Answer {
    pub(super) fn new(is_head: bool, reply: Reply) -> Self {
        let Reply {
            status,
            fields,
            body,
        } = reply;
        let is_bare =
            is_head || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
        let is_none = is_bare || body.is_end_stream();
        let exact = body.size_hint().exact();
        let length = if is_none {
            // What a `GET` would be answered, where that is known (RFC 9110 §8.6).
            let given = fields.get(&header::CONTENT_LENGTH);
            let given = given.and_then(|given| std::str::from_utf8(given).ok()?.parse().ok());
            given.or_else(|| exact.filter(|exact| *exact > 0 && is_head))
        } else {
            exact
        };
        let left = length.filter(|_| !is_none);
        Self {
            length: length.filter(|_| status != StatusCode::NO_CONTENT),
            head: Some((status, fields)),
            is_bare: is_none,
            body: if is_none { Outgoing::Empty } else { body },
            content: Bytes::new(),
            trailers: None,
            left,
            is_whole: false,
            moved: false,
        }
    }

    /// Sends what there is, as long as less than `out_max` waits to be written; with `shares`, one
    /// frame of content at a time.
    pub(super) fn send(
        &mut self,
        (session, place): (&mut Session, usize),
        (out_max, shares): (usize, bool),
        now: impl Fn() -> Timestamp,
        cx: &mut Context<'_>,
    ) -> Next {
        let mut frames = 0_usize;
        loop {
            if session.out().len() >= out_max || (shares && frames > 0 && !self.content.is_empty())
            {
                return Next::Yields;
            }
            if let Some((status, fields)) = self.head.take() {
                self.moved = true;
                let end = if self.is_bare { End::Last } else { End::Open };
                self.head((&mut *session, place), (status, &fields), end, &now);
                if self.is_bare {
                    return Next::Sent;
                }
                continue;
            }
            if !self.content.is_empty() {
                let room = session.room(place).min(self.content.len());
                if room == 0 {
                    return Next::Blocked;
                }
                self.moved = true;
                frames = frames.saturating_add(1);
                let is_last =
                    self.is_whole && self.trailers.is_none() && room == self.content.len();
                let end = if is_last { End::Last } else { End::Open };
                session.content(place, self.content.get(..room).unwrap_or_default(), end);
                self.content.advance(room);
                if is_last {
                    return Next::Sent;
                }
                continue;
            }
            if self.is_whole {
                match self.trailers.take() {
                    Some(fields) => session.trailers(place, &fields),
                    None => session.content(place, &[], End::Last),
                }
                return Next::Sent;
            }
            match self.poll_more(cx) {
                Poll::Pending => return Next::Waits,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "an answer was not sent to its end");
                    return Next::Broken;
                }
            }
        }
    }

    fn head(
        &self,
        (session, place): (&mut Session, usize),
        head: (StatusCode, &ReplyFields),
        end: End,
        now: impl Fn() -> Timestamp,
    ) {
        if head.1.has(Known::Date) {
            session.answer(place, head, self.length, None, end);
        } else {
            with_date(now(), |date| {
                session.answer(place, head, self.length, Some(date), end);
            });
        }
    }

    /// Takes more of the body in.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => {
                self.is_whole = true;
                return Poll::Ready(self.is_as_long());
            }
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
            Poll::Ready(Some(Ok(frame))) => frame,
        };
        match frame.into_data() {
            Ok(content) => {
                let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
                if let Some(left) = &mut self.left {
                    let Some(rest) = left.checked_sub(length) else {
                        return Poll::Ready(Err("more than was declared".into()));
                    };
                    *left = rest;
                }
                self.content = content;
                self.is_whole = self.body.is_end_stream();
            }
            Err(frame) => {
                self.trailers = frame.into_trailers().ok();
                self.is_whole = true;
            }
        }
        if self.is_whole {
            return Poll::Ready(self.is_as_long());
        }
        Poll::Ready(Ok(()))
    }

    fn is_as_long(&self) -> Result<(), BoxError> {
        match self.left {
            Some(left) if left > 0 => Err("less than was declared".into()),
            _ => Ok(()),
        }
    }

    /// Whether it waits for the client, and nothing of it went out since this was asked last.
    pub(super) fn is_stuck(&mut self) -> bool {
        !std::mem::take(&mut self.moved) && !self.content.is_empty()
    }
}

/// Whether a request is answered by a head alone.
pub(super) fn is_head(method: &Method) -> bool {
    *method == Method::HEAD
}

/// The last second that can be written: that of the year 9999.
const DATE_MAX_S: u64 = 253_402_300_799;

/// `Date` (RFC 9110 §6.6.1), made anew once a second.
fn with_date(now: Timestamp, then: impl FnOnce(&[u8])) {
    thread_local! {
        static LAST: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    LAST.with_borrow_mut(|(second, text)| {
        if *second != now.as_secs() {
            *second = now.as_secs();
            let since = u64::try_from(now.as_secs()).unwrap_or(0).min(DATE_MAX_S);
            *text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(since));
        }
        then(text.as_bytes());
    });
}
