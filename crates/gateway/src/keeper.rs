//! Keeps up to date what lies outside of the estate: the keys of other issuers, the files of
//! client authorities and revocation lists. Beside the workers, on the process's own runtime.

use std::sync::Arc;
use std::time::Duration;

use crate::gates::RELOAD;
use crate::shared::Common;

/// How often it looks whether something is due.
const TICK: Duration = Duration::from_secs(1);

/// Runs for ever. Does nothing while the estate names nothing of this sort.
pub(crate) async fn run(common: Arc<Common>) {
    let mut files_due = Duration::ZERO;
    loop {
        let state = common.state.load_full();
        let Some(state) = state.filter(|state| state.looks_outside()) else {
            common.keeper.notified().await;
            continue;
        };
        let now = common.clock.monotonic();
        for issuer in state.issuers.all() {
            if issuer.begin(now) {
                let clock = Arc::clone(&common.clock);
                tokio::spawn(Arc::clone(issuer).refresh(move || clock.monotonic()));
            }
        }
        if now >= files_due && state.gates.is_some() {
            files_due = now.saturating_add(RELOAD);
            let reloading = tokio::task::spawn_blocking(move || {
                let gates = state.gates.iter().flat_map(|gates| gates.all());
                for gate in gates {
                    if let Err(error) = gate.reload() {
                        let why = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::warn!(%error, ?why, "client certificates are judged by what was read last");
                    }
                }
            });
            if reloading.await.is_err() {
                tracing::error!("client authorities could not be looked at");
            }
        }
        // Woken early when a token names an unknown key, or a new estate holds.
        drop(tokio::time::timeout(TICK, common.keeper.notified()).await);
    }
}
