//! A WebSocket after its handshake: frames pass both ways as long as they break no rule, both
//! sides are there, and the client may still ask.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::io::Io;
use super::{Shared, lock};
use crate::deadline::Deadline;
use crate::exchange::Tunnel;
use crate::front::connection::Stop;
use crate::wire::websocket::{Broken, Frames, Sender, close};

/// How often it is asked whether the client may still go on.
const TICK: Duration = Duration::from_secs(2);
/// How long nothing may pass at all. Applications that mean to stay ask more often (RFC 6455
/// §5.5.2).
const IDLE: Duration = Duration::from_secs(10 * 60);
/// How long one side may take to answer the other's closing frame.
const CLOSING: Duration = Duration::from_secs(5);
/// The service or the gateway goes away (RFC 6455 §7.4.1).
const AWAY: u16 = 1001;
/// Who asked may no longer.
const POLICY: u16 = 1008;

/// One direction: what of the bytes read may be passed on.
#[derive(Debug)]
struct Way {
    frames: Frames,
    clear: usize,
    broken: Option<Broken>,
    unflushed: bool,
}

#[derive(Debug)]
struct Relay {
    tunnel: Box<Tunnel>,
    to_server: Way,
    to_client: Way,
    /// When it is asked next, and what wakes for it.
    due: Instant,
    tick: Deadline,
    moved_at: Instant,
    closing_at: Option<Instant>,
    /// The client sent something since the last tick.
    active: bool,
}

/// Why it ended, as the closing frame says it; nothing when both sides have closed it, or one is
/// gone.
type End = Option<u16>;

/// Relays until one side ends it, or it must end.
pub(super) async fn run<S>(io: &Shared<S>, tunnel: Box<Tunnel>, stop: &mut Stop)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut relay = Relay::new(tunnel);
    std::future::poll_fn(|cx| {
        let mut io = lock(io);
        if let Some(word) = stop.poll(cx) {
            io.leave(word);
        }
        let end = ready!(relay.poll(&mut io, cx));
        if let Some(status) = end {
            relay.say(&mut io, status, cx);
        }
        Poll::Ready(())
    })
    .await;
}

impl Way {
    fn new(sender: Sender, message_max: u64) -> Self {
        Self {
            frames: Frames::new(sender, message_max),
            clear: 0,
            broken: None,
            unflushed: false,
        }
    }

    /// Looks at what came in behind what is clear.
    fn look(&mut self, input: &BytesMut) {
        if self.broken.is_some() {
            return;
        }
        let fresh = input.get(self.clear..).unwrap_or_default();
        let (clear, broken) = match self.frames.follow(fresh) {
            Ok(clear) => (clear, None),
            Err((clear, broken)) => (clear, Some(broken)),
        };
        self.clear = self.clear.saturating_add(clear);
        self.broken = broken;
    }

    /// So many bytes were written.
    fn wrote(&mut self, input: &mut BytesMut, count: usize) {
        input.advance(count);
        self.clear = self.clear.saturating_sub(count);
        self.unflushed = true;
    }

    /// Whether a frame of our own may follow what was written.
    fn is_between(&self) -> bool {
        self.clear == 0 && self.frames.is_between() && !self.frames.is_closed()
    }
}

impl Relay {
    fn new(tunnel: Box<Tunnel>) -> Self {
        let max = tunnel.message_max;
        let now = Instant::now();
        let mut tick = Deadline::unset();
        tick.set(TICK);
        Self {
            tunnel,
            to_server: Way::new(Sender::Client, max),
            to_client: Way::new(Sender::Server, max),
            due: now + TICK,
            tick,
            moved_at: now,
            closing_at: None,
            active: false,
        }
    }

    fn poll<S>(&mut self, io: &mut Io<S>, cx: &mut Context<'_>) -> Poll<End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if io.is_stopping() {
            return Poll::Ready(Some(AWAY));
        }
        loop {
            // SECURITY: by the clock. Timers of a task that is never out of work do not fire, and
            // who never pauses must be asked about too.
            let now = Instant::now();
            if now >= self.due {
                if let Some(end) = self.look(now, io.stall_timeout()) {
                    return Poll::Ready(end);
                }
                self.due = now + TICK;
                self.tick.set(TICK);
            }
            let up = self.poll_up(io, cx);
            let down = self.poll_down(io, cx);
            // A side that is gone says nothing more to the other.
            if matches!(up, Poll::Ready(Err(_))) || matches!(down, Poll::Ready(Err(_))) {
                return Poll::Ready(None);
            }
            let broken = [&self.to_server, &self.to_client];
            let mut broken = broken.iter().filter(|way| way.clear == 0);
            if let Some(broken) = broken.find_map(|way| way.broken) {
                tracing::debug!(%broken, "a WebSocket broke its rules");
                return Poll::Ready(Some(broken.status()));
            }
            if up.is_ready() || down.is_ready() {
                self.moved_at = now;
                continue;
            }
            if self.is_over() {
                return Poll::Ready(None);
            }
            ready!(self.tick.poll_passed(cx));
        }
    }

    /// Both sides have closed it, and know.
    fn is_over(&self) -> bool {
        let over = |way: &Way| way.frames.is_closed() && way.clear == 0 && !way.unflushed;
        over(&self.to_server) && over(&self.to_client)
    }

    /// What the tick finds: is it time to end?
    fn look(&mut self, now: Instant, stall: Duration) -> Option<End> {
        let active = std::mem::take(&mut self.active);
        let may = |allowed: &crate::exchange::StillAllowed| allowed(active);
        if !self.tunnel.allowed.as_ref().is_some_and(may) {
            return Some(Some(POLICY));
        }
        if self.to_server.frames.is_closed() || self.to_client.frames.is_closed() {
            let since = *self.closing_at.get_or_insert(now);
            if now.duration_since(since) >= CLOSING {
                return Some(None);
            }
        }
        let quiet = now.duration_since(self.moved_at);
        let stuck = self.to_server.clear > 0 || self.to_client.clear > 0;
        (quiet >= IDLE || (stuck && quiet >= stall)).then_some(Some(AWAY))
    }

    /// Moves the client's frames on; ready when something moved.
    fn poll_up<S>(&mut self, io: &mut Io<S>, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (way, upstream) = (&mut self.to_server, &mut self.tunnel.upstream);
        way.look(io.input());
        if way.clear > 0 {
            let some = io.input().get(..way.clear).unwrap_or_default();
            let wrote = ready!(upstream.poll_write(cx, some))?;
            way.wrote(io.input(), wrote);
            return Poll::Ready(moved(wrote));
        }
        if way.unflushed {
            ready!(upstream.poll_flush(cx))?;
            way.unflushed = false;
        }
        if way.broken.is_some() {
            return Poll::Pending;
        }
        let read = ready!(io.poll_fill(cx))?;
        self.active = true;
        Poll::Ready(moved(read))
    }

    /// Moves the service's frames on; ready when something moved.
    fn poll_down<S>(&mut self, io: &mut Io<S>, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (way, upstream) = (&mut self.to_client, &mut self.tunnel.upstream);
        way.look(upstream.input());
        if way.clear > 0 {
            let some = upstream.input().get(..way.clear).unwrap_or_default();
            let wrote = ready!(io.poll_put(cx, some))?;
            way.wrote(upstream.input(), wrote);
            return Poll::Ready(moved(wrote));
        }
        if way.unflushed {
            ready!(io.poll_flush(cx))?;
            way.unflushed = false;
        }
        if way.broken.is_some() {
            return Poll::Pending;
        }
        let read = ready!(upstream.poll_read(cx))?;
        Poll::Ready(moved(read))
    }

    /// Tells both sides why it ends, where a frame of ours can stand; what cannot be written at
    /// once is left out.
    fn say<S>(&mut self, io: &mut Io<S>, status: u16, cx: &mut Context<'_>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.to_client.is_between() {
            let said = io.poll_put(cx, &close(Sender::Server, status));
            let said = said.is_ready() && io.poll_flush(cx).is_ready();
            tracing::trace!(said, status, "a client is told that its WebSocket ends");
        }
        if self.to_server.is_between() {
            let upstream = &mut self.tunnel.upstream;
            let said = upstream.poll_write(cx, &close(Sender::Client, status));
            let said = said.is_ready() && upstream.poll_flush(cx).is_ready();
            tracing::trace!(said, status, "a service is told that a WebSocket ends");
        }
    }
}

/// Nothing written or read is the end of that side.
fn moved(count: usize) -> io::Result<()> {
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
