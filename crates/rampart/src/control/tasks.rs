//! What the control process does by itself, beside answering.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::Services;
use gateway::bans::Bans;
use rollout::{Rollout, Version};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often ended bans go.
const TEND_BANS: Duration = Duration::from_secs(60);
/// How often another control process may have applied a version.
const CATCH_UP: Duration = Duration::from_secs(10);
/// How long to wait before an address is tried again.
const BIND_AGAIN: Duration = Duration::from_secs(5);

/// Forgets bans that ended.
pub(super) async fn tend_bans(bans: Bans) {
    loop {
        tokio::time::sleep(TEND_BANS).await;
        if let Err(error) = bans.tend().await {
            tracing::warn!(%error, "ended bans stay in the list");
        }
    }
}

/// Takes over what another control process on the same database applied.
pub(super) async fn catch_up(rollout: Rollout) {
    loop {
        tokio::time::sleep(CATCH_UP).await;
        if let Err(error) = rollout.catch_up().await {
            tracing::warn!(%error, "a version applied elsewhere is not in force here");
        }
    }
}

/// Serves `/metrics` and `/health` beside the gateway's metrics, on the next port, following the
/// estate.
pub(super) async fn probes(services: Services, stop: CancellationToken) {
    let mut versions = services.rollout.subscribe();
    loop {
        let wanted = address(&versions);
        let changed = async {
            while versions.changed().await.is_ok() {
                if address(&versions) != wanted {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed => {}
            () = serve(&services, wanted, stop.clone()) => {}
        }
    }
}

fn address(versions: &watch::Receiver<Option<Arc<Version>>>) -> Option<SocketAddr> {
    let version = versions.borrow();
    let gateway = version.as_ref()?.estate.listen.metrics?;
    let port = gateway.port().checked_add(1)?;
    Some(SocketAddr::new(gateway.ip(), port))
}

async fn serve(services: &Services, wanted: Option<SocketAddr>, stop: CancellationToken) {
    let Some(address) = wanted else {
        return std::future::pending().await;
    };
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%address, %error, "metrics of control are not served");
            return tokio::time::sleep(BIND_AGAIN).await;
        }
    };
    let router = api::probes(services.clone());
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::warn!(%error, "metrics of control ended");
    }
}
