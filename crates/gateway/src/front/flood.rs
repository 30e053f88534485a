//! What an HTTP/2 client may make the gateway do for nothing: frames that ask for work and carry
//! none are paid for by frames that do, by what is sent to the client, and by time.
//!
//! The HTTP library bounds what a client makes it remember; this bounds what it makes it do
//! (RFC 9113 §10.5): floods of PING, SETTINGS, RST_STREAM, PRIORITY, empty DATA, WINDOW_UPDATE of
//! a few bytes, CONTINUATION, and of frames nobody knows.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// LIMIT: what a connection may owe at once.
const CREDIT_MAX: i64 = 2000;
/// So much comes back in a second.
const PER_SECOND: u64 = 50;
/// So many bytes of content, in either direction, earn one.
const BYTES: usize = 256;
/// A window opened by less than this is not worth a frame.
const WINDOW_BYTES: u32 = 1024;
/// Bytes of the connection's preface (RFC 9113 §3.4).
const PREFACE: usize = 24;
/// Bytes of a frame's head (RFC 9113 §4.1).
const HEAD: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
/// Of DATA: the last; of SETTINGS and PING: an answer.
const FLAG: u8 = 1;

/// A stream whose frames are counted on their way in. Once too many asked for nothing, reading
/// fails.
#[derive(Debug)]
pub(super) struct Metered<S> {
    stream: S,
    frames: Frames,
    credit: i64,
    /// Up to when time has given credit.
    given: Instant,
    /// Whether it ended because of this.
    flooded: Arc<AtomicBool>,
}

/// Where in the bytes of a connection.
#[derive(Debug)]
struct Frames {
    preface: usize,
    head: [u8; HEAD],
    head_bytes: usize,
    payload: usize,
    /// The first bytes of a WINDOW_UPDATE, and how many are still to come.
    window: u32,
    window_bytes: usize,
}

impl<S> Metered<S> {
    /// `flooded` tells afterwards whether the connection ended because of a flood.
    pub(super) fn new(stream: S, flooded: Arc<AtomicBool>) -> Self {
        Self {
            stream,
            frames: Frames::new(),
            credit: CREDIT_MAX / 2,
            given: Instant::now(),
            flooded,
        }
    }

    fn earn(&mut self, credit: i64) {
        self.credit = self.credit.saturating_add(credit).min(CREDIT_MAX);
    }

    /// Whether the connection is not in debt, time included. The clock is only asked when it is.
    fn is_solvent(&mut self) -> bool {
        if self.credit >= 0 {
            return true;
        }
        let now = Instant::now();
        let since = now.duration_since(self.given).min(Duration::from_secs(60));
        let earned = u64::try_from(since.as_millis()).unwrap_or(0) * PER_SECOND / 1000;
        if earned > 0 {
            self.given = now;
            self.earn(i64::try_from(earned).unwrap_or(CREDIT_MAX));
        }
        self.credit >= 0
    }
}

impl Frames {
    const fn new() -> Self {
        Self {
            preface: PREFACE,
            head: [0; HEAD],
            head_bytes: 0,
            payload: 0,
            window: 0,
            window_bytes: 0,
        }
    }

    /// What `bytes`, which come next on the connection, earn and cost.
    fn follow(&mut self, mut bytes: &[u8]) -> i64 {
        let mut credit = 0_i64;
        while let Some((&first, rest)) = bytes.split_first() {
            if self.preface > 0 {
                let skipped = self.preface.min(bytes.len());
                self.preface = self.preface.saturating_sub(skipped);
                bytes = bytes.get(skipped..).unwrap_or_default();
            } else if self.window_bytes > 0 {
                self.window = (self.window << 8) | u32::from(first);
                self.window_bytes = self.window_bytes.saturating_sub(1);
                self.payload = self.payload.saturating_sub(1);
                bytes = rest;
                if self.window_bytes == 0 {
                    credit -= if self.window < WINDOW_BYTES { 3 } else { 1 };
                }
            } else if self.payload > 0 {
                let skipped = self.payload.min(bytes.len());
                self.payload = self.payload.saturating_sub(skipped);
                bytes = bytes.get(skipped..).unwrap_or_default();
            } else {
                if let Some(place) = self.head.get_mut(self.head_bytes) {
                    *place = first;
                }
                self.head_bytes = self.head_bytes.saturating_add(1);
                bytes = rest;
                if self.head_bytes == HEAD {
                    self.head_bytes = 0;
                    credit = credit.saturating_add(self.begin());
                }
            }
        }
        credit
    }

    /// The head of a frame is here: what it earns or costs.
    fn begin(&mut self) -> i64 {
        let [a, b, c, kind, flags, ..] = self.head;
        let length = u32::from_be_bytes([0, a, b, c]);
        self.payload = usize::try_from(length).unwrap_or(usize::MAX);
        let flag = flags & FLAG != 0;
        match kind {
            DATA if self.payload == 0 && !flag => -1,
            DATA => i64::try_from(self.payload / BYTES).unwrap_or(CREDIT_MAX),
            HEADERS => 4,
            RST_STREAM => -8,
            SETTINGS if !flag => -4,
            PING if !flag => -2,
            CONTINUATION => -2,
            WINDOW_UPDATE if self.payload == 4 => {
                (self.window, self.window_bytes) = (0, 4);
                0
            }
            _ => -1,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        let fresh = buf.filled().get(before..).unwrap_or_default();
        let credit = this.frames.follow(fresh);
        this.earn(credit);
        if this.is_solvent() {
            return Poll::Ready(Ok(()));
        }
        this.flooded.store(true, Ordering::Relaxed);
        let why = "too many frames that ask for nothing";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)))
    }
}

impl<S: AsyncWrite + Unpin> Metered<S> {
    fn wrote(&mut self, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = &wrote {
            let earned = i64::try_from(count / BYTES).unwrap_or(CREDIT_MAX);
            self.earn(earned.saturating_add(1));
        }
        wrote
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.stream).poll_write(cx, data);
        this.wrote(wrote)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.stream).poll_write_vectored(cx, data);
        this.wrote(wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
