//! All workers together: started once, told about listeners, stopped in good order.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use estate::Listen;
use rustls::ServerConfig;
use tokio::sync::mpsc;

use super::Handler;
use super::caps::Caps;
use super::service::Purpose;
use super::worker::{self, Command, Settings, Worker};
use crate::Error;

/// LIMIT: commands a worker has not looked at yet.
const COMMANDS_MAX: usize = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Fleet {
    commands: Vec<mpsc::Sender<Command>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    listeners: Mutex<BTreeMap<(SocketAddr, Purpose), Listening>>,
    /// Sockets of the process before this one, until the first estate says which are wanted.
    inherited: Mutex<Inherited>,
    next_id: AtomicU64,
    settings: Arc<ArcSwap<Settings>>,
    caps: Arc<Caps>,
    drain: net::Drain,
}

/// Sockets by the address an estate gives them, which may ask for any port.
pub(crate) type Inherited = BTreeMap<SocketAddr, Vec<TcpListener>>;

/// An address that is accepted from.
#[derive(Debug)]
struct Listening {
    id: u64,
    /// The same sockets that the workers have, for whoever comes after this process.
    sockets: Vec<TcpListener>,
}

/// How a fleet ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nobody takes over.
    Stop,
    /// Another process has the same sockets and accepts from them.
    Leave,
}

/// LIMIT: how long connections that outlasted the drain may take to end in good order.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Sockets that are bound for an estate but not accepted from yet.
#[derive(Debug)]
pub(crate) struct Prepared {
    wanted: Vec<(SocketAddr, Purpose)>,
    bound: Vec<Bound>,
}

#[derive(Debug)]
struct Bound {
    address: SocketAddr,
    purpose: Purpose,
    sockets: Vec<TcpListener>,
    kept: Vec<TcpListener>,
}

impl Prepared {
    /// Where it will listen beyond where it does: with the port the kernel chose, for port 0.
    #[cfg(test)]
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (SocketAddr, Purpose)> {
        self.bound.iter().filter_map(|bound| {
            let socket = bound.sockets.first()?;
            Some((socket.local_addr().ok()?, bound.purpose))
        })
    }
}

impl Fleet {
    /// Starts a worker for each of `handlers`.
    pub(crate) fn start<H: Handler>(
        handlers: Vec<Arc<H>>,
        tls: &Arc<ServerConfig>,
        settings: Settings,
        caps: Arc<Caps>,
    ) -> Result<Self, Error> {
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let drain = net::Drain::new();
        let (mut commands, mut threads) = (Vec::new(), Vec::new());
        for (index, handler) in handlers.into_iter().enumerate() {
            let worker = Worker {
                handler,
                settings: Arc::clone(&settings),
                tls: Arc::clone(tls),
                caps: Arc::clone(&caps),
                drain: drain.clone(),
            };
            let (sender, receiver) = mpsc::channel(COMMANDS_MAX);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(Error::Worker)?;
            let thread = std::thread::Builder::new()
                .name(format!("gateway-{index}"))
                .spawn(move || runtime.block_on(worker::run(Arc::new(worker), receiver)))
                .map_err(Error::Worker)?;
            commands.push(sender);
            threads.push(thread);
        }
        Ok(Self {
            commands,
            threads: Mutex::new(threads),
            listeners: Mutex::new(BTreeMap::new()),
            inherited: Mutex::default(),
            next_id: AtomicU64::new(1),
            settings,
            caps,
            drain,
        })
    }

    /// Takes sockets of the process before this one, for the first estate that wants them.
    pub(crate) fn inherit(&self, sockets: Inherited) {
        *lock(&self.inherited) = sockets;
    }

    /// Every socket that is accepted from, for whoever comes after this process.
    pub(crate) fn sockets(&self) -> io::Result<Inherited> {
        let mut all = Inherited::new();
        for ((address, _), listening) in &*self.listeners() {
            all.insert(*address, clones(&listening.sockets)?);
        }
        Ok(all)
    }

    /// Binds what `listen` asks for and is not bound yet. Nothing is accepted before
    /// [`Fleet::commit`]; dropping the result unbinds. A fleet that ends listens nowhere new.
    pub(crate) fn prepare(&self, listen: &Listen) -> Result<Prepared, Error> {
        let mut bound = Vec::new();
        if self.drain.is_started() {
            return Ok(Prepared {
                wanted: Vec::new(),
                bound,
            });
        }
        let wanted = wanted(listen);
        let current = self.listeners();
        for (address, purpose) in &wanted {
            if current.contains_key(&(*address, *purpose)) {
                continue;
            }
            let fail = |source| Error::Socket {
                address: *address,
                source,
            };
            // Whoever waits in the queue of a socket there is must not be lost with it.
            let there = current.iter().find(|((at, _), _)| at == address);
            let sockets = match (lock(&self.inherited).get(address), there) {
                (Some(inherited), _) => clones(inherited).map_err(fail)?,
                (None, Some((_, listening))) => clones(&listening.sockets).map_err(fail)?,
                (None, None) => bind(*address, self.workers())?,
            };
            bound.push(Bound {
                address: *address,
                purpose: *purpose,
                kept: clones(&sockets).map_err(fail)?,
                sockets,
            });
        }
        drop(current);
        Ok(Prepared { wanted, bound })
    }

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.commands.len()).unwrap_or(NonZeroUsize::MIN)
    }

    /// Accepts from what was prepared, and no longer from what is not wanted any more. Open
    /// connections stay. A fleet that ends lets go of what was prepared before.
    pub(crate) async fn commit(&self, prepared: Prepared) {
        if self.drain.is_started() {
            return;
        }
        for bound in prepared.bound {
            let (address, purpose) = (bound.address, bound.purpose);
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            let listening = Listening {
                id,
                sockets: bound.kept,
            };
            self.listeners().insert((address, purpose), listening);
            // The process before may have had another number of workers: each socket gets one,
            // and each worker a socket.
            let count = bound.sockets.len().max(self.commands.len());
            let more = (bound.sockets.len()..count).filter_map(|_| more(&bound.sockets, address));
            let more: Vec<TcpListener> = more.collect();
            let sockets = bound.sockets.into_iter().chain(more);
            for (commands, listener) in self.commands.iter().cycle().zip(sockets) {
                tell(
                    commands,
                    Command::Listen {
                        id,
                        listener,
                        purpose,
                    },
                )
                .await;
            }
        }
        let gone: Vec<u64> = {
            let mut listeners = self.listeners();
            let gone = listeners.extract_if(.., |key, _| !prepared.wanted.contains(key));
            // Our own hold on the sockets ends here, before the workers': nobody may get into the
            // queue of a socket after its last accept.
            gone.map(|(_, listening)| listening.id).collect()
        };
        lock(&self.inherited).clear();
        for id in gone {
            for commands in &self.commands {
                tell(commands, Command::Close { id }).await;
            }
        }
    }

    /// Replaces how new connections may behave.
    pub(crate) fn set(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// The caps of all workers.
    pub(crate) fn caps(&self) -> &Arc<Caps> {
        &self.caps
    }

    /// Stops accepting, lets open requests finish for at most `limit`, then ends the workers.
    /// `false` when some connections were cut off. Where another process has taken over, idle
    /// connections and WebSockets have that long too.
    pub(crate) async fn stop(&self, ending: Ending, limit: Duration) -> bool {
        self.listeners().clear();
        match ending {
            Ending::Leave => self.drain.leave(),
            Ending::Stop => self.drain.start(),
        }
        let mut finished = self.drain.finished(limit).await;
        if !finished && ending == Ending::Leave {
            self.drain.start();
            finished = self.drain.finished(LAST_WORD).await;
        }
        for commands in &self.commands {
            tell(commands, Command::End).await;
        }
        let threads = std::mem::take(&mut *lock(&self.threads));
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().all(|thread| thread.join().is_ok())
        });
        finished && joined.await.unwrap_or(false)
    }

    /// Whether it ends.
    pub(crate) fn is_ending(&self) -> bool {
        self.drain.is_started()
    }

    /// What leaves at its own pace is to stop now.
    pub(crate) fn hurry(&self) {
        self.drain.start();
    }

    fn listeners(&self) -> MutexGuard<'_, BTreeMap<(SocketAddr, Purpose), Listening>> {
        lock(&self.listeners)
    }
}

/// A panic while one of these is held leaves lists that are still true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A worker that is gone has said why already.
async fn tell(commands: &mpsc::Sender<Command>, command: Command) {
    if commands.send(command).await.is_err() {
        tracing::error!("a worker is gone");
    }
}

fn wanted(listen: &Listen) -> Vec<(SocketAddr, Purpose)> {
    let port = listen.https.first().map_or(443, SocketAddr::port);
    let clear = if listen.plain {
        Purpose::Plain
    } else {
        Purpose::Redirect { port }
    };
    let https = listen
        .https
        .iter()
        .map(|address| (*address, Purpose::Https));
    https
        .chain(listen.http.iter().map(|address| (*address, clear)))
        .collect()
}

/// The same sockets again.
fn clones(sockets: &[TcpListener]) -> io::Result<Vec<TcpListener>> {
    sockets.iter().map(TcpListener::try_clone).collect()
}

/// One more socket beside those there are; without one, another worker accepts for this one too.
fn more(sockets: &[TcpListener], address: SocketAddr) -> Option<TcpListener> {
    let chosen = sockets.first()?.local_addr().unwrap_or(address);
    match net::bind_tcp(chosen) {
        Ok(socket) => Some(socket),
        Err(error) => {
            tracing::warn!(%error, "a worker has no socket of its own");
            sockets.first()?.try_clone().ok()
        }
    }
}

/// One socket for each worker; for port 0 the kernel chooses once.
fn bind(address: SocketAddr, count: NonZeroUsize) -> Result<Vec<TcpListener>, Error> {
    let fail = |source| Error::Listen { address, source };
    let first = net::bind_tcp(address).map_err(fail)?;
    let chosen = first.local_addr().unwrap_or(address);
    let mut sockets = vec![first];
    for _ in 1..count.get() {
        sockets.push(net::bind_tcp(chosen).map_err(fail)?);
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests;
