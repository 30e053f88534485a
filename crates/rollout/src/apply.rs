//! Taking a version into force: all of it or nothing, one at a time.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ::store::Store;
use estate::{Change, Estate};
use model::{Context, Diagnostic, SharedClock, SharedEntropy};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use trail::Trail;

use crate::service::changes;
use crate::{Error, Participant, Prepared, Sources, Version, events, store};

/// LIMIT: how long one part may prepare, and how long one may swap.
pub(crate) const PART_WAIT: Duration = Duration::from_secs(60);

/// Everything an apply works with.
#[derive(Debug)]
pub(crate) struct Applier {
    pub(crate) store: Store,
    pub(crate) trail: Trail,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) participants: RwLock<Vec<Arc<dyn Participant>>>,
    pub(crate) current: watch::Sender<Option<Arc<Version>>>,
    /// Rules that were loaded to check a plan.
    pub(crate) shelf: Arc<waf::Shelf>,
    /// One apply at a time; the store's transaction holds other processes off.
    pub(crate) applying: Mutex<()>,
}

/// What somebody wants in force.
pub(crate) struct Wanted {
    pub(crate) ctx: Context,
    pub(crate) base: u64,
    pub(crate) estate: Estate,
    pub(crate) hash: String,
    pub(crate) sources: Sources,
}

/// A part that is ready, with its name.
type Ready = (&'static str, Box<dyn Prepared>);

impl Applier {
    pub(crate) async fn apply(&self, wanted: Wanted) -> Result<Arc<Version>, Error> {
        let _one_at_a_time = self.applying.lock().await;
        self.catch_up().await?;
        let Wanted {
            ctx,
            base,
            estate,
            hash,
            sources,
        } = wanted;
        let current = self.current.borrow().clone();
        let in_force = current.as_ref().map_or(0, |version| version.number);
        if in_force != base {
            return Err(Error::Stale {
                planned: base,
                current: in_force,
            });
        }
        if let Some(same) = current.as_ref().filter(|version| version.hash == hash) {
            return Ok(same.clone());
        }
        let version = Arc::new(Version {
            number: in_force + 1,
            hash,
            source: sources.estate,
            documents: sources.documents,
            estate,
            applied_at: self.clock.now(),
            applied_by: ctx.principal.clone(),
        });
        let prepared = self.prepare(&version).await?;
        let changes = changes(current.as_deref(), &version.estate, &version.sources());
        self.put(&ctx, &version, &changes).await?;
        self.swap(prepared, &version).await;
        Ok(version)
    }

    /// Takes the newest stored version into force when it is newer than the one here: another
    /// process applied it, or this one stopped between storing and swapping.
    pub(crate) async fn catch_up(&self) -> Result<(), Error> {
        let Some(stored) = store::newest(&self.store).await? else {
            return Ok(());
        };
        let here = self.current.borrow().as_ref().map_or(0, |v| v.number);
        if stored.summary.number <= here {
            return Ok(());
        }
        let version = Arc::new(stored.read()?);
        let prepared = self.prepare(&version).await?;
        self.swap(prepared, &version).await;
        Ok(())
    }

    /// Asks every part; the first refusal refuses it all, and what the others made is dropped.
    pub(crate) async fn prepare(&self, version: &Arc<Version>) -> Result<Vec<Ready>, Error> {
        let participants = self
            .participants
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut prepared = Vec::with_capacity(participants.len());
        for participant in &participants {
            let part = participant.name();
            let ready = timeout(PART_WAIT, participant.prepare(version))
                .await
                .unwrap_or_else(|_| Err(vec![too_slow()]));
            let ready = ready.map_err(|diagnostics| Error::Refused { part, diagnostics })?;
            prepared.push((part, ready));
        }
        Ok(prepared)
    }

    /// The point of no return is behind: every part goes over, and the world hears of it.
    pub(crate) async fn swap(&self, prepared: Vec<Ready>, version: &Arc<Version>) {
        for (part, ready) in prepared {
            if timeout(PART_WAIT, ready.swap()).await.is_err() {
                tracing::error!(
                    part,
                    version = version.number,
                    "a part did not swap in time"
                );
            }
        }
        self.current.send_replace(Some(version.clone()));
    }

    /// Stores and records the version, unless another one came first.
    async fn put(&self, ctx: &Context, version: &Version, changes: &[Change]) -> Result<(), Error> {
        let Err(error) = self.put_whole(ctx, version, changes).await else {
            return Ok(());
        };
        let Ok(Some(newest)) = store::newest(&self.store).await else {
            return Err(error);
        };
        let newest = newest.summary;
        if newest.number == version.number && newest.hash == version.hash {
            // The trail's disk failed after the store had committed. The version is durable, and
            // so is its event, in the outbox: going on is the only state that is whole.
            tracing::warn!(%error, "the version is in force; its record is still in the outbox");
            return Ok(());
        }
        if newest.number >= version.number {
            // However the database put it (a busy transaction, a taken number): another process won.
            return Err(Error::Stale {
                planned: version.number - 1,
                current: newest.number,
            });
        }
        Err(error)
    }

    async fn put_whole(
        &self,
        ctx: &Context,
        version: &Version,
        changes: &[Change],
    ) -> Result<(), Error> {
        let mut tx = self.store.begin().await.map_err(Error::Store)?;
        let in_force = store::number_in_force(&mut tx).await?;
        if in_force != version.number - 1 {
            return Err(Error::Stale {
                planned: version.number - 1,
                current: in_force,
            });
        }
        store::insert(&mut tx, version).await?;
        let event = events::applied(ctx, version, changes, &*self.clock, &*self.entropy);
        let recorded = self.trail.commit(tx, vec![event]).await;
        recorded.map(drop).map_err(Error::Trail)
    }
}

fn too_slow() -> Diagnostic {
    let message = format!("it was not ready within {} seconds", PART_WAIT.as_secs());
    Diagnostic::error("rollout.too_slow", None, message)
}
