//! The process's entry: brings up the workers, lets the link give its orders, and ends in good
//! order when asked to.

use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use model::{SharedClock, SharedEntropy};
use tokio::sync::mpsc;

use crate::exchange::LinkAddress;
use crate::front::Handler;
use crate::handover::{Predecessor, Succession};
use crate::orders::{self, ORDERS_MAX, Order};
use crate::process::{Ground, Process, watch_signals};
use crate::records::{self, Recorder};
use crate::shared::{Common, Parts, Shared};
use crate::state::Builder;
use crate::upstream::{Around, Target};
use crate::{Error, gates, keeper, limiter, link, local};

/// LIMIT: words to end that nobody heard yet.
const ENDINGS_MAX: usize = 4;

/// What the process is started with; everything else comes over the link.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where control is.
    pub link: LinkAddress,
    /// The data folder; only `gateway/` below it is used.
    pub data_dir: PathBuf,
    /// Control's HTTP socket: the console, sign-in and the API.
    pub control_http: PathBuf,
    /// Threads that serve requests.
    pub workers: NonZeroUsize,
    /// What this gateway calls itself: at most 64 characters of `[a-z0-9.-]`.
    pub node: String,
    /// Paths in estates are relative to this folder.
    pub base: PathBuf,
}

/// What a start brings along.
#[derive(Debug)]
pub struct Start {
    /// The lock of the gateway's folder: one process at a time, and its successor beside it.
    pub lock: OwnedFd,
    /// Whom it follows, from [`take_over`](crate::take_over).
    pub predecessor: Option<Predecessor>,
    /// Called once, when it serves.
    pub say_ready: fn(),
}

/// Runs the gateway until SIGTERM or SIGINT, or until another one has taken over.
///
/// # Errors
/// When something it needs cannot be had at the start.
pub fn run(
    settings: &Settings,
    start: Start,
    clock: SharedClock,
    entropy: SharedEntropy,
) -> Result<(), Error> {
    let descriptors = net::raise_descriptors();
    tracing::debug!(descriptors, "files and sockets that may be open");
    let recorder = Recorder::open(
        records::Settings {
            dir: settings.data_dir.join("gateway"),
            node: settings.node.clone(),
        },
        Arc::clone(&clock),
        Arc::clone(&entropy),
    )?;
    let client = link::Client::new(
        settings.link.clone(),
        settings.node.clone(),
        Arc::clone(&entropy),
    );
    let (recording, delivering) = (recorder.clone(), recorder.clone());
    let linking = client.clone();
    run_with(
        settings,
        start,
        |ground, workers| {
            ground.registry.watch_records(recording.clone());
            let asking = gates::Maker {
                certificates: Arc::clone(&ground.certificates),
                clock: Arc::clone(&clock),
                base: settings.base.clone(),
            };
            let together = limiter::Maker {
                base: settings.base.clone(),
                clock: Arc::clone(&clock),
                entropy: Arc::clone(&entropy),
                recorder: Some(recording.clone()),
            };
            let around = Around::new(
                &settings.base,
                Arc::clone(&clock),
                Arc::clone(&entropy),
                Some(recording.clone()),
                workers.get(),
            );
            let common = Arc::new(Common::new(Parts {
                clock,
                entropy,
                budget: Arc::clone(&ground.budget),
                recorder: Some(recording),
                link: Some(client),
                control: Target::control(settings.control_http.clone(), &around),
                certificates: Arc::clone(&ground.certificates),
            }));
            ground.registry.watch_at_once(&common.at_once);
            let meters = ground.registry.meters().iter().take(workers.get());
            let shared = |meter| Arc::new(Shared::new(Arc::clone(&common), Arc::clone(meter)));
            let handlers = meters.map(shared).collect();
            tokio::spawn(keeper::run(Arc::clone(&common)));
            let process = local::Process {
                common,
                builder: Builder::new(around, Arc::clone(&ground.registry))
                    .asking(asking)
                    .counting(together),
                caps: Arc::clone(&ground.caps),
                shelf: waf::Shelf::keeping(0),
            };
            Ok((handlers, Arc::new(process)))
        },
        |orders, process| linking.run(process, Arc::new(delivering), orders),
        || async move { recorder.close().await },
    )
}

/// Runs until the process is to end, on a runtime of its own for everything that is not a request.
///
/// `handlers` makes one handler for each worker and what the link acts on; `link` is the link's
/// client, which sends orders and waits, with growing pauses, until control answers the first
/// time; `finish` runs when no request is open any more, while the link still is.
pub(crate) fn run_with<H, P, L, F>(
    settings: &Settings,
    mut start: Start,
    handlers: impl FnOnce(&Ground, NonZeroUsize) -> Result<(Vec<Arc<H>>, P), Error>,
    link: impl FnOnce(mpsc::Sender<Order>, P) -> L,
    finish: impl FnOnce() -> F,
) -> Result<(), Error>
where
    H: Handler,
    L: Future<Output = ()> + Send + 'static,
    F: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Worker)?;
    runtime.block_on(async {
        let (endings, ended) = mpsc::channel(ENDINGS_MAX);
        watch_signals(endings.clone())?;
        let ground = Ground::prepare(&settings.data_dir, settings.workers.get())?;
        let (handlers, acted_on) = handlers(&ground, settings.workers)?;
        let process = Arc::new(Process::start(ground, handlers)?);
        if let Some(predecessor) = &mut start.predecessor {
            process.inherit(predecessor.sockets());
        }
        let succession = Succession {
            folder: settings.data_dir.join("gateway"),
            lock: start.lock,
            predecessor: start.predecessor,
            say_ready: start.say_ready,
            endings,
        };
        let (sender, orders) = mpsc::channel(ORDERS_MAX);
        let linked = tokio::spawn(link(sender, acted_on));
        let served = Arc::clone(&process);
        let ready = move || succession.begin(&served);
        if !orders::obey(process, orders, ended, ready).await {
            tracing::warn!("some requests were cut off at the end");
        }
        finish().await;
        linked.abort();
        Ok(())
    })
}

#[cfg(test)]
mod tests;
