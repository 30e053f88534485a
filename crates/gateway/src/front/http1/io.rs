//! The bytes of one HTTP/1 connection, both ways: what was read and not used, how the present
//! message is framed, and every deadline.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use http::{Request, Version, header};
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::Answer;
use crate::deadline::Deadline;
use crate::exchange::BoxError;
use crate::front::WireLimits;
use crate::front::connection::Word;
use crate::scratch;
use crate::wire::{Framing, Head, Refusal};

/// LIMIT: bytes read and thrown away after the last answer, so that the client gets to read it.
const LINGER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// LIMIT: how long that may take.
const LINGER_FOR: Duration = Duration::from_secs(2);
/// LIMIT: how long a connection that was just accepted may still send its first request when the
/// process stops.
const LAST_CALL: Duration = Duration::from_millis(500);
/// RFC 9110 §15.2.1.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// See the module.
#[derive(Debug)]
pub(super) struct Io<S> {
    stream: S,
    limits: WireLimits,
    /// Read, and not used yet.
    input: BytesMut,
    /// The head under way.
    head: Head,
    /// What is left of the body of the present request.
    framing: Framing,
    ended: bool,
    /// Why its framing is broken: it has no end that could be found.
    broken: Option<Refusal>,
    /// A trailer line that is not whole yet.
    line: Vec<u8>,
    /// What of the word to go on is not written, which the client may be waiting for.
    go_on: &'static [u8],
    served: bool,
    leaving: Option<Word>,
    reading: Deadline,
    writing: Deadline,
    closing: Closing,
}

/// What comes next on a connection.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once for each request and taken apart at once"
)]
pub(super) enum Next {
    Request(Request<()>),
    Refused(Refusal),
    /// Nothing: it is idle for too long, or its client is gone.
    End,
}

/// How much of an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Some; there may be more.
    Some,
    /// All of it.
    Whole,
}

#[derive(Debug)]
enum Closing {
    Open,
    Shutdown,
    Linger { left: usize },
    Cut,
}

impl<S> Io<S> {
    pub(super) fn new(stream: S, limits: WireLimits) -> Self {
        Self {
            stream,
            limits,
            input: BytesMut::new(),
            head: Head::new(limits.head),
            framing: Framing::None,
            ended: true,
            broken: None,
            line: Vec::new(),
            go_on: &[],
            served: false,
            leaving: None,
            reading: Deadline::unset(),
            writing: Deadline::unset(),
            closing: Closing::Open,
        }
    }

    /// No request is taken after the one under way; with [`Word::Leave`] one that is idle still
    /// gets to ask, because its client may be asking already.
    pub(super) fn leave(&mut self, word: Word) {
        if self.leaving < Some(word) {
            self.leaving = Some(word);
            if word == Word::Stop && self.input.is_empty() {
                // What it may wait for is less now.
                self.reading.clear();
            }
        }
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.leaving == Some(Word::Stop)
    }

    /// What was sent must not look whole: the connection ends without a goodbye.
    pub(super) fn break_off(&mut self) {
        self.closing = Closing::Cut;
    }

    /// Whether the body of the present request is read to its end.
    pub(super) fn body_is_read(&self) -> bool {
        self.ended
    }

    /// Bytes of content still to be read, when that is known.
    pub(super) fn content_left(&self) -> Option<u64> {
        if self.ended {
            Some(0)
        } else {
            self.framing.exact()
        }
    }

    /// Passes over what is left of a body nobody wants, as far as it is here; whether that was all.
    pub(super) fn skip_body(&mut self) -> bool {
        while !self.ended && !self.input.is_empty() {
            if self.content().is_err() {
                return false;
            }
        }
        self.ended
    }

    /// The content that stands next in the input; empty when that was framing alone.
    fn content(&mut self) -> Result<Bytes, Refusal> {
        if let Some(refusal) = self.broken {
            return Err(refusal);
        }
        match self.framing.advance(&self.input, &mut self.line) {
            Ok(piece) => {
                self.input.advance(piece.framing);
                self.ended = piece.ended;
                Ok(self.input.split_to(piece.content).freeze())
            }
            Err(refusal) => {
                self.broken = Some(refusal);
                Err(refusal)
            }
        }
    }

    /// Makes a request of the head that stands first in the input, when it is whole.
    fn request(&mut self) -> Result<Option<Request<()>>, Refusal> {
        if self.input.is_empty() {
            return Ok(None);
        }
        let Some(accepted) = self.head.scan(&self.input)? else {
            return Ok(None);
        };
        let bytes = self.input.split_to(accepted.length).freeze();
        let request = self.head.request(&bytes)?;
        self.head.clear();
        self.framing = accepted.framing;
        self.ended = accepted.framing == Framing::None;
        self.line.clear();
        let waits = !self.ended
            && request.version() == Version::HTTP_11
            && request
                .headers()
                .get(header::EXPECT)
                .is_some_and(is_continue);
        self.go_on = if waits { CONTINUE } else { &[] };
        self.served = true;
        self.reading.clear();
        Ok(Some(request))
    }
}

fn is_continue(value: &header::HeaderValue) -> bool {
    value.as_bytes().eq_ignore_ascii_case(b"100-continue")
}

impl<S: AsyncRead + AsyncWrite + Unpin> Io<S> {
    /// What was read and not used.
    pub(super) fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// How long the client may take nothing.
    pub(super) fn stall_timeout(&self) -> Duration {
        self.limits.stall_timeout
    }

    /// Writes some of `bytes`.
    pub(super) fn poll_put(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    /// Sends what waits to be sent.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Reads more; how many bytes.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        scratch::poll_fill(&mut self.stream, cx, &mut self.input)
    }

    /// Waits for the next head.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        loop {
            match self.request() {
                Ok(Some(request)) => return Poll::Ready(Next::Request(request)),
                Ok(None) => {}
                Err(refusal) => return Poll::Ready(Next::Refused(refusal)),
            }
            let waited = self.input.is_empty();
            let Poll::Ready(read) = self.poll_fill(cx) else {
                // Only now: a request that is here already is answered.
                if waited && self.served && self.is_stopping() {
                    return Poll::Ready(Next::End);
                }
                return self.poll_waiting(cx);
            };
            match read {
                Ok(read) if read > 0 => {}
                _ => return Poll::Ready(Next::End),
            }
            if waited {
                // With its first byte the deadline of the head begins.
                self.reading.clear();
            }
        }
    }

    /// Nothing came: is it time to stop waiting?
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let is_idle = self.input.is_empty();
        let limit = match (is_idle, self.served) {
            (true, true) => self.limits.idle_timeout,
            (true, false) if self.is_stopping() => LAST_CALL,
            _ => self.limits.head_timeout,
        };
        self.reading.start(limit);
        self.reading.poll_passed(cx).map(|()| {
            if is_idle {
                // A head that never began needs no answer: the connection was just idle.
                Next::End
            } else {
                Next::Refused(Refusal::HeadTimeout)
            }
        })
    }

    /// The next content of the body of the present request.
    pub(super) fn poll_content(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            if !self.input.is_empty() {
                // It did not wait: there is nothing to tell it.
                self.skip_go_on();
                match self.content() {
                    Ok(content) if content.is_empty() => continue,
                    Ok(content) => return Poll::Ready(Some(Ok(content))),
                    Err(refusal) => {
                        let error = io::Error::new(ErrorKind::InvalidData, refusal.text());
                        return Poll::Ready(Some(Err(error.into())));
                    }
                }
            }
            ready!(self.poll_go_on(cx))?;
            if ready!(self.poll_fill(cx))? == 0 {
                return Poll::Ready(Some(Err(io::Error::from(ErrorKind::UnexpectedEof).into())));
            }
        }
    }

    /// Tells a client that waits for it to send its body.
    fn poll_go_on(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.go_on.is_empty() {
            let wrote = ready!(Pin::new(&mut self.stream).poll_write(cx, self.go_on))?;
            if wrote == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.go_on = self.go_on.get(wrote..).unwrap_or_default();
            if self.go_on.is_empty() {
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the client has gone away; told only while nothing it sent is waiting to be read.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.ended || !self.input.is_empty() {
            return Poll::Pending;
        }
        match ready!(self.poll_fill(cx)) {
            Ok(read) if read > 0 => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }

    /// A word to go on that was not begun is not needed any more.
    pub(super) fn skip_go_on(&mut self) {
        if self.go_on.len() == CONTINUE.len() {
            self.go_on = &[];
        }
    }

    /// Writes what there is of an answer, of which `waits` says whether more will come; ready when
    /// it may have more, or all of it is sent.
    pub(super) fn poll_send(
        &mut self,
        answer: &mut Answer,
        waits: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Sent, BoxError>> {
        // Half a word to go on is finished.
        ready!(self.poll_go_on(cx))?;
        if !answer.is_written() {
            ready!(self.poll_write(answer, cx))?;
            return Poll::Ready(Ok(Sent::Some));
        }
        // What waits in a TLS stream is sent before anything is waited for.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if !waits {
            return Poll::Ready(Ok(Sent::Whole));
        }
        match self.poll_gone(cx) {
            Poll::Ready(()) => Poll::Ready(Err("the client went away".into())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Writes once; a write that goes nowhere for too long ends the connection.
    fn poll_write(&mut self, answer: &mut Answer, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = Pin::new(&mut self.stream);
        let wrote = match answer.parts() {
            (part, [], []) => stream.poll_write(cx, part),
            ([], part, []) => stream.poll_write(cx, part),
            (a, b, c) => {
                let parts = [IoSlice::new(a), IoSlice::new(b), IoSlice::new(c)];
                stream.poll_write_vectored(cx, &parts)
            }
        };
        match wrote {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(wrote)) => {
                self.writing.clear();
                answer.wrote(wrote);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.writing.start(self.limits.stall_timeout);
                let passed = self.writing.poll_passed(cx);
                passed.map(|()| Err(ErrorKind::TimedOut.into()))
            }
        }
    }

    /// Ends our half, then reads what still comes, bounded: closing a socket with unread bytes
    /// resets it, and a client that still sends would never read its answer (RFC 9112 §9.6).
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.closing {
                Closing::Cut => return Poll::Ready(()),
                Closing::Open => {
                    self.reading.set(LINGER_FOR);
                    self.closing = Closing::Shutdown;
                }
                Closing::Shutdown => {
                    match Pin::new(&mut self.stream).poll_shutdown(cx) {
                        Poll::Pending => return self.reading.poll_passed(cx),
                        Poll::Ready(Err(_)) => return Poll::Ready(()),
                        Poll::Ready(Ok(())) => {}
                    }
                    self.closing = Closing::Linger {
                        left: LINGER_BYTES_MAX,
                    };
                }
                Closing::Linger { left } => {
                    let some = *left;
                    self.input.clear();
                    match self.poll_fill(cx) {
                        Poll::Pending => return self.reading.poll_passed(cx),
                        Poll::Ready(Ok(read)) if read > 0 && read < some => {
                            let left = some.saturating_sub(read);
                            self.closing = Closing::Linger { left };
                        }
                        Poll::Ready(_) => return Poll::Ready(()),
                    }
                }
            }
        }
    }
}
