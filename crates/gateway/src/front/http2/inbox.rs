//! The body of a request, between the connection that reads it and whoever takes it.
//!
//! LIMIT: it holds what its stream's window lets its client send ahead; that opens again as content
//! is taken, so that who takes nothing holds the client back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame;

use crate::exchange::{BoxError, Source};

/// See the module.
#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<State>,
    /// Wakes the connection for this request.
    bell: Waker,
}

#[derive(Debug)]
struct State {
    /// The first content, as it was read, and what came behind it.
    first: Bytes,
    more: BytesMut,
    trailers: Option<HeaderMap>,
    end: End,
    /// Content still to be taken, where its length was declared.
    left: Option<u64>,
    /// Content that was taken, and that the connection does not know of.
    taken: usize,
    word: Word,
    taker: Option<Waker>,
    /// The connection asks afterwards whether anything was taken.
    is_watched: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// More comes.
    Open,
    /// All of it is here.
    Whole,
    /// No more comes, and it is not whole.
    Broken,
}

/// The word to go on, which a client may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    None,
    Waited,
    Due,
}

/// What the connection has to do for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// Content that was taken since the last time.
    pub(super) taken: usize,
    /// The client is to be told to go on.
    pub(super) go_on: bool,
}

impl Inbox {
    /// Nothing has come; with `waits`, the client waits for a word before it sends something.
    pub(super) fn new(bell: Waker, left: Option<u64>, waits: bool) -> Self {
        Self {
            state: Mutex::new(State {
                first: Bytes::new(),
                more: BytesMut::new(),
                trailers: None,
                end: End::Open,
                left,
                taken: 0,
                word: if waits { Word::Waited } else { Word::None },
                taker: None,
                is_watched: false,
            }),
            bell,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// More content came; with `ends`, the last.
    pub(super) fn put(&self, content: Bytes, ends: bool) {
        let mut state = self.state();
        // It did not wait: there is nothing to tell it.
        state.word = Word::None;
        if state.first.is_empty() && state.more.is_empty() {
            state.first = content;
        } else {
            state.more.extend_from_slice(&content);
        }
        if ends {
            state.end = End::Whole;
        }
        state.wake();
    }

    /// Trailers came: that was all.
    pub(super) fn trailers(&self, fields: HeaderMap) {
        let mut state = self.state();
        state.trailers = Some(fields);
        state.end = End::Whole;
        state.wake();
    }

    /// Its stream is no more; how much content lies here untaken, or unknown to be taken.
    pub(super) fn close(&self) -> usize {
        let mut state = self.state();
        let untaken = state.first.len().saturating_add(state.more.len());
        if state.end == End::Open {
            state.end = End::Broken;
        }
        (state.first, state.more) = (Bytes::new(), BytesMut::new());
        state.wake();
        untaken.saturating_add(std::mem::take(&mut state.taken))
    }

    /// The connection will ask what is due, so that it need not be woken for it.
    pub(super) fn watch(&self) {
        self.state().is_watched = true;
    }

    /// What is due, once.
    pub(super) fn due(&self) -> Due {
        let mut state = self.state();
        state.is_watched = false;
        let go_on = state.word == Word::Due;
        if go_on {
            state.word = Word::None;
        }
        Due {
            taken: std::mem::take(&mut state.taken),
            go_on,
        }
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(taker) = self.taker.take() {
            taker.wake();
        }
    }

    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.more.is_empty()
    }

    fn take(&mut self) -> Bytes {
        let content = if self.first.is_empty() {
            self.more.split().freeze()
        } else {
            std::mem::take(&mut self.first)
        };
        self.taken = self.taken.saturating_add(content.len());
        let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.left = self.left.map(|left| left.saturating_sub(length));
        content
    }
}

impl Source for Inbox {
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = self.state();
        if state.end == End::Broken {
            return Poll::Ready(Some(Err("the request broke off".into())));
        }
        if !state.is_empty() {
            let content = state.take();
            if !state.is_watched {
                self.bell.wake_by_ref();
            }
            return Poll::Ready(Some(Ok(Frame::data(content))));
        }
        if let Some(fields) = state.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(fields))));
        }
        if state.end == End::Whole {
            return Poll::Ready(None);
        }
        if state.word == Word::Waited {
            state.word = Word::Due;
            if !state.is_watched {
                self.bell.wake_by_ref();
            }
        }
        state.taker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn left(&self) -> Option<u64> {
        self.state().left
    }

    fn is_ended(&self) -> bool {
        let state = self.state();
        state.end == End::Whole && state.is_empty() && state.trailers.is_none()
    }
}
