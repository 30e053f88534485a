//! The process's entry: brings up the workers, lets the link give its orders, and ends in good
//! order when asked to.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use model::{SharedClock, SharedEntropy};
use tokio::sync::mpsc;

use crate::exchange::LinkAddress;
use crate::front::Handler;
use crate::orders::{self, ORDERS_MAX, Order};
use crate::process::{Ground, Process, asked_to_stop};
use crate::records::{self, Recorder};
use crate::shared::{Common, Parts, Shared};
use crate::state::Builder;
use crate::upstream::{Around, Target};
use crate::{Error, gates, keeper, link, local};

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

/// Runs the gateway until SIGTERM or SIGINT.
///
/// # Errors
/// When something it needs cannot be had at the start.
pub fn run(settings: &Settings, clock: SharedClock, entropy: SharedEntropy) -> Result<(), Error> {
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
        |ground, workers| {
            let asking = gates::Maker {
                certificates: Arc::clone(&ground.certificates),
                clock: Arc::clone(&clock),
                base: settings.base.clone(),
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
            }));
            let meters = ground.registry.meters().iter().take(workers.get());
            let shared = |meter| Arc::new(Shared::new(Arc::clone(&common), Arc::clone(meter)));
            let handlers = meters.map(shared).collect();
            tokio::spawn(keeper::run(Arc::clone(&common)));
            let process = local::Process {
                common,
                builder: Builder::new(around, Arc::clone(&ground.registry)).asking(asking),
                caps: Arc::clone(&ground.caps),
            };
            Ok((handlers, Arc::new(process)))
        },
        |orders, process| linking.run(process, Arc::new(delivering), orders),
        || async move { recorder.close().await },
    )
}

/// Runs until SIGTERM or SIGINT, on a runtime of its own for everything that is not a request.
///
/// `handlers` makes one handler for each worker and what the link acts on; `link` is the link's
/// client, which sends orders and waits, with growing pauses, until control answers the first
/// time; `finish` runs when no request is open any more, while the link still is.
pub(crate) fn run_with<H, P, L, F>(
    settings: &Settings,
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
        let stop = asked_to_stop()?;
        let ground = Ground::prepare(&settings.data_dir, settings.workers.get())?;
        let (handlers, acted_on) = handlers(&ground, settings.workers)?;
        let process = Arc::new(Process::start(ground, handlers)?);
        let (sender, orders) = mpsc::channel(ORDERS_MAX);
        let linked = tokio::spawn(link(sender, acted_on));
        if !orders::obey(process, orders, stop).await {
            tracing::warn!("some requests were cut off at the end");
        }
        finish().await;
        linked.abort();
        Ok(())
    })
}

#[cfg(test)]
mod tests;
