//! A worker: one thread, one runtime, its own listeners. Workers share nothing that a request
//! would wait for.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ahash::AHashMap;
use arc_swap::ArcSwap;
use rustix::io::Errno;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Handler;
use super::caps::Caps;
use super::connection::{self, Accepted};
use super::http2::StreamLimits;
use super::service::Purpose;
use super::wire::WireLimits;

/// How connections may behave; replaced with each estate, read once per connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Of every connection.
    pub(crate) wire: WireLimits,
    /// Of HTTP/2.
    pub(crate) streams: StreamLimits,
}

/// What the connections of one worker share.
pub(super) struct Worker<H> {
    pub(super) handler: Arc<H>,
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) tls: Arc<ServerConfig>,
    pub(super) caps: Arc<Caps>,
    pub(super) drain: net::Drain,
}

/// What a worker is told.
#[derive(Debug)]
pub(super) enum Command {
    /// Accept from one more socket.
    Listen {
        id: u64,
        listener: std::net::TcpListener,
        purpose: Purpose,
    },
    /// Stop accepting from one.
    Close { id: u64 },
    /// End: what is still open is cut off.
    End,
}

/// How often the handler gets to look after its things.
const TICK: Duration = Duration::from_secs(5);
/// How long to wait when the process has no descriptors left: closing connections free some.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Runs a worker until nobody commands it any more.
pub(super) async fn run<H: Handler>(worker: Arc<Worker<H>>, mut commands: mpsc::Receiver<Command>) {
    let mut listeners: AHashMap<u64, CancellationToken> = AHashMap::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let command = tokio::select! {
            command = commands.recv() => command,
            _ = tick.tick() => {
                worker.handler.tick();
                continue;
            }
        };
        match command {
            None | Some(Command::End) => break,
            Some(Command::Close { id }) => {
                if let Some(token) = listeners.remove(&id) {
                    token.cancel();
                }
            }
            Some(Command::Listen {
                id,
                listener,
                purpose,
            }) => match TcpListener::from_std(listener) {
                Ok(listener) => {
                    let closed = CancellationToken::new();
                    listeners.insert(id, closed.clone());
                    tokio::spawn(accept(Arc::clone(&worker), listener, purpose, closed));
                }
                Err(error) => tracing::error!(%error, "a worker cannot listen"),
            },
        }
    }
}

/// Accepts until the listener is closed or the process stops; no error ends it.
async fn accept<H: Handler>(
    worker: Arc<Worker<H>>,
    listener: TcpListener,
    purpose: Purpose,
    closed: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = worker.drain.started() => break,
            () = closed.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => admit(&worker, stream, peer, purpose),
            Err(error) if is_exhausted(&error) => {
                tracing::warn!(%error, "cannot accept connections for now");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
            // The client was gone before it was accepted.
            Err(error) => tracing::debug!(%error, "a connection ended before it began"),
        }
    }
    // Who is in the kernel's queue already was told that somebody listens.
    while let Some(Ok((stream, peer))) = now(listener.accept()).await {
        admit(&worker, stream, peer, purpose);
    }
}

/// What `future` says at once, if it does.
async fn now<F: Future>(future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = std::future::ready(()) => None,
    }
}

fn admit<H: Handler>(
    worker: &Arc<Worker<H>>,
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    purpose: Purpose,
) {
    match worker.caps.admit(peer.ip()) {
        Ok(permit) => {
            worker.handler.accepted();
            let drain = worker.drain.guard();
            let accepted = Accepted {
                stream,
                peer,
                purpose,
                _permit: permit,
                drain,
            };
            tokio::spawn(connection::serve(Arc::clone(worker), accepted));
        }
        // No answer: writing one to each of a flood would be work for the flooder's sake.
        Err(full) => worker.handler.refused(peer, full.code(), 0),
    }
}

/// No descriptors or no memory for another connection.
fn is_exhausted(error: &io::Error) -> bool {
    let codes = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error
        .raw_os_error()
        .is_some_and(|raw| codes.iter().any(|code| code.raw_os_error() == raw))
}
