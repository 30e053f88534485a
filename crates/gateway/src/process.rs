//! The process around the pipeline: its workers, its sockets, its budgets, its counters; brought
//! up once, changed with every estate, stopped in good order.
//!
//! Never knows what is decided: the handlers do.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use estate::Estate;
use model::ByteSize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::Error;
use crate::body::Budget;
use crate::front::{
    self, Caps, Ending, Fleet, Handler, HeadLimits, Inherited, StreamLimits, WireLimits,
};
use crate::metrics::{Gauges, Registry};
use crate::scrape::Scrape;
use crate::upstream::PoolUse;

/// LIMIT: how long a client may take nothing of its answer.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What exists before the first estate is known, and is shared by all workers.
#[derive(Debug)]
pub(crate) struct Ground {
    /// The budget of held bodies; nothing may be held before the first estate.
    pub(crate) budget: Arc<Budget>,
    /// Counters of all workers.
    pub(crate) registry: Arc<Registry>,
    /// What TLS handshakes are answered with.
    pub(crate) certificates: Arc<net::tls::Certificates>,
    /// How many connections there may be, and are.
    pub(crate) caps: Arc<Caps>,
}

impl Ground {
    /// Makes the folder for bodies (`<data>/gateway/spool`) and everything else that workers
    /// share.
    pub(crate) fn prepare(data: &Path, workers: usize) -> Result<Self, Error> {
        let spool = data.join("gateway").join("spool");
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&spool)
            .map_err(|source| Error::Folder {
                path: spool.clone(),
                source,
            })?;
        Ok(Self {
            budget: Arc::new(Budget::new(spool, ByteSize(0), ByteSize(0))),
            registry: Arc::new(Registry::new(workers)),
            certificates: Arc::new(net::tls::Certificates::new()),
            caps: Arc::new(Caps::new()),
        })
    }
}

/// The running workers.
#[derive(Debug)]
pub(crate) struct Process<H> {
    ground: Ground,
    fleet: Fleet,
    handlers: Vec<Arc<H>>,
    scrape: Mutex<Option<Scrape>>,
    inherited_scrape: Mutex<Option<(SocketAddr, TcpListener)>>,
}

/// Sockets that listen, by the address the estate gives them.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    /// For requests.
    pub(crate) listeners: Inherited,
    /// For scrapes.
    pub(crate) scrape: Option<(SocketAddr, TcpListener)>,
}

/// What an estate needs that can fail, done: what is left cannot.
#[derive(Debug)]
pub(crate) struct Prepared {
    listeners: front::Prepared,
    scrape: Option<Scrape>,
}

impl<H: Handler> Process<H> {
    /// Starts a worker for each handler. Nothing listens before the first
    /// [`Process::commit`].
    pub(crate) fn start(ground: Ground, handlers: Vec<Arc<H>>) -> Result<Self, Error> {
        let certificates = Arc::clone(&ground.certificates);
        let offer = net::tls::Offer::Http2AndHttp1;
        let tls = net::tls::server_config(certificates, offer).map_err(Error::Tls)?;
        let caps = Arc::clone(&ground.caps);
        let fleet = Fleet::start(handlers.clone(), &tls, settings(None), caps)?;
        Ok(Self {
            ground,
            fleet,
            handlers,
            scrape: Mutex::new(None),
            inherited_scrape: Mutex::new(None),
        })
    }

    /// Binds what `estate` asks for beyond what is bound. Changes nothing that anybody sees;
    /// dropping the result undoes it.
    pub(crate) fn prepare(&self, estate: &Estate) -> Result<Prepared, Error> {
        let listeners = self.fleet.prepare(&estate.listen)?;
        let bound = self.scrape().as_ref().map(|scrape| scrape.address);
        let scrape = match estate.listen.metrics {
            Some(address) if !self.fleet.is_ending() && bound != Some(address) => {
                let inherited = self.inherited_scrape().take_if(|(at, _)| *at == address);
                Some(match inherited {
                    Some((_, socket)) => Scrape::on(address, socket),
                    None => Scrape::bind(address)?,
                })
            }
            _ => None,
        };
        Ok(Prepared { listeners, scrape })
    }

    /// From now on, `estate` holds: for new connections at once, for open ones with their next
    /// request where the handler decides. No connection is dropped.
    pub(crate) async fn commit(self: &Arc<Self>, prepared: Prepared, estate: &Estate) {
        let gateway = &estate.gateway;
        self.ground
            .budget
            .resize(gateway.held_bodies_memory, gateway.held_bodies_disk);
        self.fleet.caps().set(
            gateway.connections_max,
            gateway.connections_per_address_max,
            &gateway.trusted_proxies,
        );
        warn_of_few_descriptors(gateway.connections_max, net::descriptors_max());
        self.ground
            .certificates
            .set_unnamed(match estate.listen.strict_sni {
                true => net::tls::Unnamed::Refused,
                false => net::tls::Unnamed::First,
            });
        self.fleet.set(settings(Some(estate)));
        self.fleet.commit(prepared.listeners).await;
        self.scrape_at(prepared.scrape, estate.listen.metrics);
    }

    /// Stops accepting and lets open requests finish, at most `limit`. `false` when some were cut
    /// off.
    pub(crate) async fn stop(self: Arc<Self>, ending: Ending, limit: Duration) -> bool {
        self.scrape().take();
        self.fleet.stop(ending, limit).await
    }

    /// What leaves at its own pace is to stop now.
    pub(crate) fn hurry(&self) {
        self.fleet.hurry();
    }

    /// Takes the sockets of the process before this one.
    pub(crate) fn inherit(&self, sockets: Sockets) {
        self.fleet.inherit(sockets.listeners);
        *self.inherited_scrape() = sockets.scrape;
    }

    /// Every socket that listens, for whoever comes after this process.
    pub(crate) fn sockets(&self) -> io::Result<Sockets> {
        let scrape = self.scrape().as_ref().map(Scrape::socket).transpose()?;
        Ok(Sockets {
            listeners: self.fleet.sockets()?,
            scrape: scrape.flatten(),
        })
    }

    /// What TLS handshakes are answered with.
    pub(crate) fn certificates(&self) -> &net::tls::Certificates {
        &self.ground.certificates
    }

    /// The counters, as Prometheus text.
    pub(crate) fn render(&self) -> String {
        let pool = |sum: PoolUse, handler: &Arc<H>| {
            let one = handler.upstreams();
            PoolUse {
                open: sum.open.saturating_add(one.open),
                idle: sum.idle.saturating_add(one.idle),
            }
        };
        self.ground.registry.render(&Gauges {
            connections_open: self.fleet.caps().open(),
            memory: self.ground.budget.memory(),
            disk: self.ground.budget.disk(),
            upstreams: self.handlers.iter().fold(PoolUse::default(), pool),
        })
    }

    fn scrape_at(self: &Arc<Self>, fresh: Option<Scrape>, wanted: Option<SocketAddr>) {
        let mut current = self.scrape();
        if let Some(mut fresh) = fresh {
            let process = Arc::downgrade(self);
            fresh.serve(move || process.upgrade().map(|process| process.render()));
            *current = Some(fresh);
        } else if wanted.is_none() {
            current.take();
        }
    }

    fn inherited_scrape(&self) -> MutexGuard<'_, Option<(SocketAddr, TcpListener)>> {
        self.inherited_scrape
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn scrape(&self) -> MutexGuard<'_, Option<Scrape>> {
        self.scrape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// LIMIT: descriptors beside those of connections: logs, records, the link, listeners.
const DESCRIPTORS_BESIDE: u64 = 256;

/// Says when the connections that the estate allows cannot all be there: each may need one more to
/// a service. What happens then is no failure (accepting pauses), but nobody wants it.
fn warn_of_few_descriptors(connections_max: u32, descriptors_max: Option<u64>) {
    let needed = u64::from(connections_max) * 2 + DESCRIPTORS_BESIDE;
    if let Some(has) = descriptors_max.filter(|has| *has < needed) {
        tracing::warn!(
            connections_max,
            has,
            needed,
            "this process may not open enough files for `connections_max`; hint: raise the limit \
             (`LimitNOFILE=`), or lower `connections_max`"
        );
    }
}

/// Says [`Ending::Stop`] at SIGTERM or SIGINT, for ever. Signals are caught from this call on.
pub(crate) fn watch_signals(endings: mpsc::Sender<Ending>) -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Worker)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Worker)?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if endings.send(Ending::Stop).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// How connections may behave under `estate`. A head may be as large as the most generous route
/// allows: which route it is for is known only when it is here.
fn settings(estate: Option<&Estate>) -> front::Settings {
    let Some(estate) = estate else {
        return front::Settings {
            wire: WireLimits {
                head: HeadLimits {
                    bytes_max: 16 * 1024,
                    fields_max: 100,
                },
                head_timeout: Duration::from_secs(10),
                idle_timeout: Duration::from_secs(60),
                stall_timeout: STALL_TIMEOUT,
            },
            streams: StreamLimits::default(),
            proxies: Arc::default(),
        };
    };
    let limits = &estate.limits;
    let routes = || {
        estate
            .routes
            .iter()
            .map(|route| &route.limits)
            .chain([limits])
    };
    let bytes_max = routes()
        .map(|limits| limits.head_bytes_max.as_usize())
        .max();
    let fields_max = routes().map(|limits| limits.headers_max).max();
    front::Settings {
        wire: WireLimits {
            head: HeadLimits {
                bytes_max: bytes_max.unwrap_or(0),
                fields_max: usize::try_from(fields_max.unwrap_or(0)).unwrap_or(usize::MAX),
            },
            head_timeout: limits.head_timeout,
            idle_timeout: limits.idle_timeout,
            stall_timeout: STALL_TIMEOUT,
        },
        streams: StreamLimits::default(),
        proxies: estate.listen.proxy_protocol.as_slice().into(),
    }
}

#[cfg(test)]
mod tests;
