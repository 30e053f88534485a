//! All workers together: started once, told about listeners, stopped in good order.

use std::collections::BTreeMap;
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
    listeners: Mutex<BTreeMap<(SocketAddr, Purpose), u64>>,
    next_id: AtomicU64,
    settings: Arc<ArcSwap<Settings>>,
    caps: Arc<Caps>,
    drain: net::Drain,
}

/// Sockets that are bound for an estate but not accepted from yet.
#[derive(Debug)]
pub(crate) struct Prepared {
    wanted: Vec<(SocketAddr, Purpose)>,
    bound: Vec<(SocketAddr, Purpose, Vec<TcpListener>)>,
}

impl Prepared {
    /// Where it will listen beyond where it does: with the port the kernel chose, for port 0.
    #[cfg(test)]
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (SocketAddr, Purpose)> {
        self.bound.iter().filter_map(|(_, purpose, sockets)| {
            Some((sockets.first()?.local_addr().ok()?, *purpose))
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
            next_id: AtomicU64::new(1),
            settings,
            caps,
            drain,
        })
    }

    /// Binds what `listen` asks for and is not bound yet. Nothing is accepted before
    /// [`Fleet::commit`]; dropping the result unbinds.
    pub(crate) fn prepare(&self, listen: &Listen) -> Result<Prepared, Error> {
        let wanted = wanted(listen);
        let current = self.listeners();
        let mut bound = Vec::new();
        for (address, purpose) in &wanted {
            if !current.contains_key(&(*address, *purpose)) {
                let count = NonZeroUsize::new(self.commands.len()).unwrap_or(NonZeroUsize::MIN);
                bound.push((*address, *purpose, bind(*address, count)?));
            }
        }
        drop(current);
        Ok(Prepared { wanted, bound })
    }

    /// Accepts from what was prepared, and no longer from what is not wanted any more. Open
    /// connections stay.
    pub(crate) async fn commit(&self, prepared: Prepared) {
        for (address, purpose, sockets) in prepared.bound {
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            self.listeners().insert((address, purpose), id);
            for (commands, listener) in self.commands.iter().zip(sockets) {
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
            gone.map(|(_, id)| id).collect()
        };
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
    /// `false` when some connections were cut off.
    pub(crate) async fn stop(&self, limit: Duration) -> bool {
        self.drain.start();
        let finished = self.drain.finished(limit).await;
        for commands in &self.commands {
            tell(commands, Command::End).await;
        }
        let threads = std::mem::take(&mut *lock(&self.threads));
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().all(|thread| thread.join().is_ok())
        });
        finished && joined.await.unwrap_or(false)
    }

    fn listeners(&self) -> MutexGuard<'_, BTreeMap<(SocketAddr, Purpose), u64>> {
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
