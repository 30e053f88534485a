//! A worker: one thread, one runtime, its own listeners. Workers share nothing that a request
//! would wait for.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ahash::AHashMap;
use arc_swap::ArcSwap;
use model::Network;
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
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Of every connection.
    pub(crate) wire: WireLimits,
    /// Of HTTP/2.
    pub(crate) streams: StreamLimits,
    /// Proxies that say for whom they connect, before anything else (the PROXY protocol).
    pub(crate) proxies: Arc<[Network]>,
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
/// LIMIT: pauses while the queue of a closed listener is emptied: five seconds.
const EMPTYING_PAUSES_MAX: u32 = 100;

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

/// Accepts until the listener is closed or the process goes; no error ends it.
async fn accept<H: Handler>(
    worker: Arc<Worker<H>>,
    listener: TcpListener,
    purpose: Purpose,
    closed: CancellationToken,
) {
    let mut exhausted = Exhausted::default();
    loop {
        let accepted = tokio::select! {
            biased;
            () = worker.drain.started() => break,
            () = closed.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                exhausted.is_over();
                admit(&worker, stream, peer, purpose);
            }
            Err(error) if is_exhausted(&error) => exhausted.pause(&worker, &error).await,
            // The client was gone before it was accepted.
            Err(error) => tracing::debug!(%error, "a connection ended before it began"),
        }
    }
    empty(&worker, listener, purpose).await;
}

/// Takes who is in the kernel's queue already: they were told that somebody listens, and closing
/// the socket would reset them.
async fn empty<H: Handler>(worker: &Arc<Worker<H>>, listener: TcpListener, purpose: Purpose) {
    // Without the runtime, whose budget could end this before the queue does.
    let listener = match listener.into_std() {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "who waits at a closed listener cannot be served");
            return;
        }
    };
    let mut exhausted = Exhausted::default();
    let (mut taken, mut pauses) = (0_usize, 0_u32);
    // LIMIT: as many as were in the queue; where others listen on too, more keep coming.
    while taken < net::BACKLOG && pauses < EMPTYING_PAUSES_MAX {
        match listener.accept() {
            Ok((stream, peer)) => {
                taken = taken.saturating_add(1);
                let stream = stream
                    .set_nonblocking(true)
                    .and_then(|()| tokio::net::TcpStream::from_std(stream));
                match stream {
                    Ok(stream) => admit(worker, stream, peer, purpose),
                    Err(error) => tracing::debug!(%error, "a connection ended before it began"),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) if is_exhausted(&error) => {
                pauses = pauses.saturating_add(1);
                exhausted.pause(worker, &error).await;
            }
            Err(error) => {
                taken = taken.saturating_add(1);
                tracing::debug!(%error, "a connection ended before it began");
            }
        }
    }
}

/// Nothing left to accept with: said once at the beginning and once at the end, counted each time.
#[derive(Debug, Default)]
struct Exhausted {
    is_said: bool,
}

impl Exhausted {
    /// The listener stays readable all the while: only waiting keeps this from spinning.
    async fn pause<H: Handler>(&mut self, worker: &Worker<H>, error: &io::Error) {
        worker.handler.exhausted();
        if !std::mem::replace(&mut self.is_said, true) {
            tracing::error!(
                %error,
                "no connection can be accepted for now; hint: raise the limit of open files \
                 (`LimitNOFILE=`), or lower `connections_max`"
            );
        }
        tokio::time::sleep(EXHAUSTED_PAUSE).await;
    }

    fn is_over(&mut self) {
        if std::mem::take(&mut self.is_said) {
            tracing::info!("connections are accepted again");
        }
    }
}

fn admit<H: Handler>(
    worker: &Arc<Worker<H>>,
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    purpose: Purpose,
) {
    let settings = worker.settings.load();
    // Whose own address says nothing counts for the client it names, once it has.
    let is_proxy = settings
        .proxies
        .iter()
        .any(|network| network.contains(peer.ip().to_canonical()));
    let admitted = if is_proxy {
        worker.caps.admit_proxy()
    } else {
        worker.caps.admit(peer.ip())
    };
    match admitted {
        Ok(permit) => {
            worker.handler.accepted();
            let drain = worker.drain.guard();
            let accepted = Accepted {
                stream,
                peer,
                purpose,
                permit,
                drain,
            };
            let (worker, settings) = (Arc::clone(worker), Arc::clone(&settings));
            if is_proxy {
                tokio::spawn(connection::serve_proxied(worker, settings, accepted));
            } else {
                tokio::spawn(connection::serve(worker, settings, accepted));
            }
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
