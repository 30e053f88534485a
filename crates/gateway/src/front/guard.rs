//! Stands between the socket and hyper on an HTTP/1 connection, and shows hyper only heads that
//! broke no rule and bodies framed as their head said.
//!
//! A head that arrives in one piece is checked where hyper will read it, without a copy; one that
//! is split is kept back until it is whole. What is refused never reaches hyper: in its place the
//! guard shows a plain request of its own, and the service answers that with the refusal, so that
//! answers to pipelined requests before it keep their order.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::framing::Framing;
use super::head::Head;
use super::refusal::Refusal;
use super::wire::{Wire, WireLimits};
use crate::deadline::Deadline;

/// What hyper is shown in place of a refused request. `close` makes it the last.
const SUBSTITUTE: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

/// LIMIT: bytes read and thrown away after the last answer, so that the client gets to read it.
const LINGER_BYTES_MAX: usize = 512 * 1024;
/// LIMIT: how long that may take.
const LINGER_FOR: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    stream: S,
    wire: Arc<Wire>,
    limits: WireLimits,
    phase: Phase,
    /// Bytes hyper has not seen: `..cleared` may be shown, the rest is the start of a head.
    kept: Vec<u8>,
    cleared: usize,
    shown: usize,
    trailer: Vec<u8>,
    reading: Deadline,
    writing: Deadline,
    closing: Closing,
}

#[derive(Debug)]
enum Phase {
    /// The next byte belongs to a head.
    Head(Head),
    /// The next byte belongs to a body.
    Body(Framing),
    /// Nothing that comes is looked at any more: the refusal is answered.
    Refused,
    /// The same, after a body that breaks its framing: its reader gets an error.
    Broken(Refusal),
}

#[derive(Debug)]
enum Closing {
    Open,
    Shutdown,
    Linger { left: usize },
}

impl<S> Guarded<S> {
    pub(crate) fn new(stream: S, limits: WireLimits, wire: Arc<Wire>) -> Self {
        Self {
            stream,
            wire,
            limits,
            phase: Phase::Head(Head::new(limits.head)),
            kept: Vec::new(),
            cleared: 0,
            shown: 0,
            trailer: Vec::new(),
            reading: Deadline::unset(),
            writing: Deadline::unset(),
            closing: Closing::Open,
        }
    }

    /// Follows `bytes`, which come next. How many of them hyper may see; the rest is the start of a
    /// head that is not whole.
    fn follow(&mut self, bytes: &[u8]) -> Result<usize, (usize, Refusal)> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(at);
            }
            match &mut self.phase {
                Phase::Refused | Phase::Broken(_) => return Ok(at),
                Phase::Head(head) => match head.scan(rest).map_err(|refusal| (at, refusal))? {
                    None => return Ok(at),
                    Some(accepted) => {
                        at = at.saturating_add(accepted.length);
                        self.wire.accept();
                        self.reading.clear();
                        self.phase = self.next_phase(accepted.framing);
                    }
                },
                Phase::Body(framing) => {
                    let progress = framing
                        .advance(rest, &mut self.trailer)
                        .map_err(|refusal| (at, refusal))?;
                    at = at.saturating_add(progress.taken);
                    if progress.ended {
                        self.phase = self.next_phase(Framing::None);
                    }
                }
            }
        }
    }

    fn next_phase(&self, framing: Framing) -> Phase {
        match framing {
            Framing::None => Phase::Head(Head::new(self.limits.head)),
            body => Phase::Body(body),
        }
    }

    /// Shows hyper what was cleared and kept; `false` when there is nothing.
    fn show(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let ready = self.kept.get(self.shown..self.cleared).unwrap_or_default();
        if ready.is_empty() {
            return false;
        }
        let some = ready
            .get(..ready.len().min(buf.remaining()))
            .unwrap_or_default();
        buf.put_slice(some);
        self.shown = self.shown.saturating_add(some.len());
        if self.shown == self.cleared {
            self.kept.drain(..self.cleared);
            self.shown = 0;
            self.cleared = 0;
        }
        true
    }

    /// Takes new bytes in, which lie in `buf` behind `before`, and leaves there what hyper may see
    /// at once.
    fn admit(&mut self, buf: &mut ReadBuf<'_>, before: usize) {
        if self.kept.is_empty() {
            let fresh = buf.filled().get(before..).unwrap_or_default();
            let verdict = self.follow(fresh);
            let clear = match verdict {
                Ok(clear) | Err((clear, _)) => clear,
            };
            self.kept
                .extend_from_slice(fresh.get(clear..).unwrap_or_default());
            buf.set_filled(before.saturating_add(clear));
            self.settle(0, verdict);
            return;
        }
        let fresh = buf.filled().get(before..).unwrap_or_default();
        self.kept.extend_from_slice(fresh);
        buf.set_filled(before);
        let kept = std::mem::take(&mut self.kept);
        let verdict = self.follow(&kept);
        self.kept = kept;
        let clear = match verdict {
            Ok(clear) | Err((clear, _)) => clear,
        };
        self.settle(clear, verdict);
    }

    /// What follows from the verdict on what is kept, of which `clear` bytes may be shown.
    fn settle(&mut self, clear: usize, verdict: Result<usize, (usize, Refusal)>) {
        self.cleared = clear;
        match verdict {
            Err((_, refusal)) => self.refuse(refusal),
            Ok(_) if self.kept.len() > self.cleared => {
                self.reading.start(self.limits.head_timeout);
            }
            Ok(_) => {}
        }
    }

    /// A broken body ends the request it belongs to with an error; a broken head is answered.
    fn refuse(&mut self, refusal: Refusal) {
        self.reading.clear();
        self.kept.truncate(self.cleared);
        if matches!(self.phase, Phase::Body(_)) {
            self.phase = Phase::Broken(refusal);
            return;
        }
        self.phase = Phase::Refused;
        self.wire.refuse(refusal);
        self.kept.extend_from_slice(SUBSTITUTE);
        self.cleared = self.kept.len();
    }

    /// Nothing came: is it time to stop waiting? Ready with `true` when there is something to show.
    ///
    /// While a request is answered the timer runs too: hyper does not read again when the answer
    /// ends, so this is the only place to set it.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let Phase::Head(_) = self.phase else {
            return Poll::Pending;
        };
        if !self.kept.is_empty() {
            ready!(self.reading.poll_passed(cx));
            self.refuse(Refusal::HeadTimeout);
            return Poll::Ready(true);
        }
        let first = self.wire.accepted() == 0;
        let limit = if first {
            self.limits.head_timeout
        } else {
            self.limits.idle_timeout
        };
        self.reading.start(limit);
        loop {
            ready!(self.reading.poll_passed(cx));
            let now = Instant::now();
            let since = if self.wire.is_busy() {
                now
            } else {
                self.wire.idle_since()
            };
            if now.duration_since(since) >= limit {
                // A head that never began needs no answer: the connection was just idle.
                return Poll::Ready(false);
            }
            self.reading.set_at(since + limit);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        // LIMIT: each turn reads something or returns, so a flood of small pieces of one head ends
        // at the limit of a head.
        loop {
            if this.show(buf) {
                return Poll::Ready(Ok(()));
            }
            // After a refusal the only thing left to do is to write the answer.
            match &this.phase {
                Phase::Refused => return Poll::Pending,
                Phase::Broken(refusal) => {
                    let error = io::Error::new(io::ErrorKind::InvalidData, refusal.text());
                    return Poll::Ready(Err(error));
                }
                Phase::Head(_) | Phase::Body(_) => {}
            }
            match Pin::new(&mut this.stream).poll_read(cx, buf) {
                Poll::Pending => {
                    if ready!(this.poll_waiting(cx)) {
                        continue;
                    }
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if buf.filled().len() == before => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => {}
            }
            if matches!(this.phase, Phase::Head(_)) && this.kept.is_empty() {
                // An idle deadline ends with the first byte; the head's begins.
                this.reading.clear();
            }
            this.admit(buf, before);
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Guarded<S> {
    /// A write that goes nowhere for too long ends the connection.
    fn poll_stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.writing.clear();
            return wrote;
        }
        self.writing.start(self.limits.stall_timeout);
        self.writing
            .poll_passed(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.stream).poll_write(cx, data);
        this.poll_stalled(cx, wrote)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.stream).poll_write_vectored(cx, data);
        this.poll_stalled(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.poll_stalled(cx, flushed)
    }

    /// Ends our half, then reads what still comes, bounded: closing a socket with unread bytes
    /// resets it, and a client that still sends would never read its answer (RFC 9112 §9.6).
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match this.closing {
                Closing::Open => {
                    this.reading.set(LINGER_FOR);
                    this.closing = Closing::Shutdown;
                }
                Closing::Shutdown => {
                    match Pin::new(&mut this.stream).poll_shutdown(cx) {
                        Poll::Pending => return this.reading.poll_passed(cx).map(Ok),
                        Poll::Ready(result) => result?,
                    }
                    this.closing = Closing::Linger {
                        left: LINGER_BYTES_MAX,
                    };
                }
                Closing::Linger { ref mut left } => {
                    let mut scratch = [0; 4096];
                    let mut thrown = ReadBuf::new(&mut scratch);
                    match Pin::new(&mut this.stream).poll_read(cx, &mut thrown) {
                        Poll::Pending => return this.reading.poll_passed(cx).map(Ok),
                        Poll::Ready(Ok(())) if !thrown.filled().is_empty() && *left > 0 => {
                            *left = left.saturating_sub(thrown.filled().len());
                        }
                        Poll::Ready(_) => return Poll::Ready(Ok(())),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
