//! What changes in identity and in the ban list, carried to the gateways as one sequence.

use gateway::bans::Bans;
use gateway::link::Hub;
use identity::Identity;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Follows both until it is told to stop. When it falls behind it begins anew with everything.
pub(super) async fn follow(identity: Identity, bans: Bans, hub: Hub, stop: CancellationToken) {
    let mut revision = 0;
    loop {
        let mut banned = bans.watch();
        let (snapshot, mut changes) = identity.watch();
        let mut all = snapshot;
        revision = all.revision.max(revision) + 1;
        all.revision = revision;
        match bans.in_force().await {
            Ok(bans) => all.bans = bans,
            Err(error) => {
                // Going on without them would lift them.
                tracing::error!(%error, "the ban list cannot be read; trying again");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(std::time::Duration::from_secs(1)) => continue,
                }
            }
        }
        hub.set_identity(all);
        let lost = loop {
            let change = tokio::select! {
                () = stop.cancelled() => return,
                change = changes.recv() => change.map(|(_, change)| change),
                change = banned.recv() => change,
            };
            match change {
                Ok(change) => {
                    revision += 1;
                    hub.change(revision, change);
                }
                Err(lost) => break lost,
            }
        };
        if matches!(lost, RecvError::Closed) {
            return;
        }
        tracing::warn!("changes of identity came faster than they were sent; sending everything");
    }
}
