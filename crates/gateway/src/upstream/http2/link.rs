//! One HTTP/2 connection to a service: driven by a task of its own, since many requests use it,
//! and asked whether it lives when nothing is heard of it for long.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use h2::{Ping, PingPong};
use tokio::time::Instant;

use super::lock;
use crate::deadline::Deadline;
use crate::upstream::Failed;
use crate::upstream::pool::Open;
use crate::upstream::retry::Origin;
use crate::upstream::stream::Stream;

/// LIMIT: requests on one connection at once; a service may allow fewer.
pub(super) const STREAMS_MAX: usize = 100;
/// LIMIT: bytes of one response that wait for its client.
const STREAM_WINDOW: u32 = 128 * 1024;
/// LIMIT: of all of a connection: as much as all its requests may, so that a client that reads
/// slowly never holds up the others.
const CONNECTION_WINDOW: u32 = 100 * STREAM_WINDOW;
/// LIMIT: bytes of a response's head, and of its trailers.
pub(super) const HEAD_BYTES_MAX: u32 = 64 * 1024;
/// LIMIT: bytes of one request that wait for the service.
const SEND_BUFFER: usize = 64 * 1024;
/// How often a connection is looked at.
const TICK: Duration = Duration::from_secs(5);
/// Nothing came for so long while something is waited for: is it there?
const PING_AFTER: Duration = Duration::from_secs(20);
/// It must answer within.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// In one silence it is asked no more often than this: services take it ill, and some close a
/// connection that asks twice in five minutes.
const PING_AGAIN: Duration = Duration::from_secs(330);

/// See the module. Dropped, it takes no more requests, and ends with its last.
#[derive(Debug)]
pub(super) struct Link {
    sender: SendRequest<Bytes>,
    state: Arc<State>,
}

/// What the connection's task and its requests both know.
#[derive(Debug)]
struct State {
    streams: AtomicUsize,
    /// Requests it ever carried.
    carried: AtomicU64,
    /// Counts up with everything that comes.
    heard: AtomicU64,
    /// No request may follow.
    ended: AtomicBool,
    idle_since: Mutex<Instant>,
}

/// Room for one request on a connection; dropping it makes room.
#[derive(Debug)]
pub(in crate::upstream) struct Seat {
    pub(super) sender: SendRequest<Bytes>,
    state: Arc<State>,
    /// The connection carried no request before.
    is_first: bool,
}

impl Link {
    /// Says hello, and starts the connection's task; it is `open` until that ends.
    pub(super) async fn open(stream: Stream, open: Open) -> Result<Self, Failed> {
        let mut builder = h2::client::Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(STREAMS_MAX)
            .max_header_list_size(HEAD_BYTES_MAX)
            .max_send_buffer_size(SEND_BUFFER);
        let (sender, mut connection) =
            builder
                .handshake(stream)
                .await
                .map_err(|error: h2::Error| {
                    tracing::debug!(%error, "an HTTP/2 connection to an upstream did not begin");
                    Failed::Broken
                })?;
        let state = Arc::new(State {
            streams: AtomicUsize::new(0),
            carried: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            idle_since: Mutex::new(Instant::now()),
        });
        let pulse = connection
            .ping_pong()
            .map(|ping| Pulse::new(ping, Arc::clone(&state)));
        let driven = Arc::clone(&state);
        tokio::spawn(async move {
            drive(connection, pulse).await;
            driven.ended.store(true, Ordering::Relaxed);
            drop(open);
        });
        Ok(Self { sender, state })
    }

    /// Room for one more request, if there is some.
    pub(super) fn seat(&self) -> Option<Seat> {
        let max = STREAMS_MAX.min(self.sender.current_max_send_streams());
        let streams = self.state.streams.fetch_add(1, Ordering::Relaxed);
        if streams >= max {
            self.state.streams.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let carried = self.state.carried.fetch_add(1, Ordering::Relaxed);
        Some(Seat {
            sender: self.sender.clone(),
            state: Arc::clone(&self.state),
            is_first: carried == 0,
        })
    }

    /// Whether no request may follow.
    pub(super) fn is_ended(&self) -> bool {
        self.state.ended.load(Ordering::Relaxed)
    }

    /// Whether it carries none.
    pub(super) fn is_idle(&self) -> bool {
        self.state.streams.load(Ordering::Relaxed) == 0
    }

    /// For how long it carries none.
    pub(super) fn idle_for(&self, now: Instant) -> Duration {
        if self.is_idle() {
            now.duration_since(*lock(&self.state.idle_since))
        } else {
            Duration::ZERO
        }
    }
}

impl Seat {
    /// Where its connection comes from.
    pub(super) const fn origin(&self) -> Origin {
        match self.is_first {
            true => Origin::New,
            false => Origin::Pool,
        }
    }

    /// Something came.
    pub(super) fn heard(&self) {
        self.state.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// The connection takes no more requests.
    pub(super) fn end_link(&self) {
        self.state.ended.store(true, Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.state.streams.fetch_sub(1, Ordering::Relaxed) == 1 {
            *lock(&self.state.idle_since) = Instant::now();
        }
    }
}

/// Moves a connection on until it ends, or is found dead.
async fn drive(mut connection: Connection<Stream, Bytes>, mut pulse: Option<Pulse>) {
    let ended = std::future::poll_fn(|cx| {
        if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
            return Poll::Ready(ended);
        }
        match &mut pulse {
            Some(pulse) => pulse.poll_dead(cx).map(|()| Ok(())),
            None => Poll::Pending,
        }
    });
    if let Err(error) = ended.await {
        tracing::debug!(%error, "an HTTP/2 connection to an upstream ended");
    }
}

/// Finds out whether a silent connection still lives.
struct Pulse {
    ping: PingPong,
    state: Arc<State>,
    tick: Deadline,
    heard: u64,
    silent_since: Instant,
    asked_at: Option<Instant>,
    waits: bool,
}

impl Pulse {
    fn new(ping: PingPong, state: Arc<State>) -> Self {
        let mut tick = Deadline::unset();
        tick.set(TICK);
        Self {
            ping,
            state,
            tick,
            heard: 0,
            silent_since: Instant::now(),
            asked_at: None,
            waits: false,
        }
    }

    /// Ready when it is dead.
    fn poll_dead(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.waits {
                match self.ping.poll_pong(cx) {
                    Poll::Ready(Ok(_)) => self.waits = false,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            }
            if self.tick.poll_passed(cx).is_pending() {
                return Poll::Pending;
            }
            if self.look(Instant::now()) {
                tracing::debug!("an HTTP/2 connection to an upstream does not answer");
                return Poll::Ready(());
            }
            self.tick.set(TICK);
        }
    }

    /// Whether it is dead; asks when nothing was heard for too long.
    fn look(&mut self, now: Instant) -> bool {
        if self.waits {
            let asked_at = self.asked_at.unwrap_or(now);
            return now.duration_since(asked_at) >= PING_TIMEOUT;
        }
        let heard = self.state.heard.load(Ordering::Relaxed);
        let is_idle = self.state.streams.load(Ordering::Relaxed) == 0;
        if heard != self.heard || is_idle {
            self.heard = heard;
            self.silent_since = now;
            self.asked_at = None;
            return false;
        }
        let asked_lately = self
            .asked_at
            .is_some_and(|at| now.duration_since(at) < PING_AGAIN);
        if now.duration_since(self.silent_since) >= PING_AFTER && !asked_lately {
            self.waits = self.ping.send_ping(Ping::opaque()).is_ok();
            self.asked_at = Some(now);
        }
        false
    }
}
