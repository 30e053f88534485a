//! The process's entry: brings up the workers, lets the link give its orders, and ends in good
//! order when asked to.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::Error;
use crate::exchange::LinkAddress;
use crate::front::Handler;
use crate::orders::{self, ORDERS_MAX, Order};
use crate::process::{Ground, Process, asked_to_stop};

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
}

/// Runs until SIGTERM or SIGINT, on a runtime of its own for everything that is not a request.
///
/// `handlers` makes one handler for each worker; `link` is the link's client, which sends orders
/// and waits, with growing pauses, until control answers the first time.
pub(crate) fn run_with<H, L>(
    settings: &Settings,
    handlers: impl FnOnce(&Ground, NonZeroUsize) -> Result<Vec<Arc<H>>, Error>,
    link: impl FnOnce(mpsc::Sender<Order>) -> L,
) -> Result<(), Error>
where
    H: Handler,
    L: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Worker)?;
    runtime.block_on(async {
        let stop = asked_to_stop()?;
        let ground = Ground::prepare(&settings.data_dir, settings.workers.get())?;
        let handlers = handlers(&ground, settings.workers)?;
        let process = Arc::new(Process::start(ground, handlers)?);
        let (sender, orders) = mpsc::channel(ORDERS_MAX);
        let linked = tokio::spawn(link(sender));
        if !orders::obey(process, orders, stop).await {
            tracing::warn!("some requests were cut off at the end");
        }
        linked.abort();
        Ok(())
    })
}

#[cfg(test)]
mod tests;
