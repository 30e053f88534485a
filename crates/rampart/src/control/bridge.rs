//! What changes in identity and in the ban list, carried to the gateways as one sequence.

use std::time::Duration;

use api::Unsettled;
use gateway::bans::Bans;
use gateway::link::Hub;
use identity::Identity;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// LIMIT: who waits at once for everything to be told.
const WAITING_MAX: usize = 1024;

/// How long a change may take from the services to the hub.
const TOLD_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks whether everything that changed so far was told to the hub.
pub(super) type Told = mpsc::Sender<oneshot::Sender<()>>;

/// Where such questions arrive.
pub(super) type Asked = mpsc::Receiver<oneshot::Sender<()>>;

/// Both ends of them.
pub(super) fn told() -> (Told, Asked) {
    mpsc::channel(WAITING_MAX)
}

/// Waits until everything that changed so far was told to the hub.
pub(super) async fn all_told(told: &Told) -> Result<(), Unsettled> {
    let late = || Unsettled("what changed was not told to the gateways yet".to_owned());
    let (answer, answered) = oneshot::channel();
    let told = async {
        told.send(answer).await.map_err(|_| late())?;
        answered.await.map_err(|_| late())
    };
    timeout(TOLD_TIMEOUT, told).await.map_err(|_| late())?
}

/// Follows both until it is told to stop. When it falls behind it begins anew with everything.
pub(super) async fn follow(
    identity: Identity,
    bans: Bans,
    hub: Hub,
    mut asked: Asked,
    stop: CancellationToken,
) {
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
                    () = tokio::time::sleep(Duration::from_secs(1)) => continue,
                }
            }
        }
        hub.set_identity(all);
        let lost = loop {
            let change = tokio::select! {
                // In this order: who asks is answered when nothing waits to be told.
                biased;
                () = stop.cancelled() => return,
                change = changes.recv() => change.map(|(_, change)| change),
                change = banned.recv() => change,
                Some(answer) = asked.recv() => {
                    // Who asked may have gone.
                    answer.send(()).ok();
                    continue;
                }
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
