//! One change of identity: its transaction, its events, and what the view learns, all or nothing.

use ::model::Event;
use ::model::snapshot::IdentityChange;
use ::store::Tx;
use tokio::sync::OwnedMutexGuard;

use crate::view::ViewChange;
use crate::{Error, Identity};

/// A change under way. Dropping it undoes it.
#[derive(Debug)]
pub(crate) struct Change {
    /// INVARIANT: one change at a time, so that the view sees them in the order of the store.
    turn: OwnedMutexGuard<()>,
    pub(crate) tx: Tx,
    events: Vec<Event>,
    view: Vec<ViewChange>,
}

impl Change {
    pub(crate) async fn begin(identity: &Identity) -> Result<Self, Error> {
        let turn = identity.inner().turn.clone().lock_owned().await;
        let tx = identity.inner().store.begin().await?;
        Ok(Self {
            turn,
            tx,
            events: Vec::new(),
            view: Vec::new(),
        })
    }

    pub(crate) fn record(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn tell(&mut self, change: IdentityChange) {
        self.view.push(ViewChange::Public(change));
    }

    pub(crate) fn tell_console(&mut self, change: ViewChange) {
        self.view.push(change);
    }

    /// Commits, records, and only then lets the view and the gateway know. Once begun it runs to
    /// its end even when the caller goes away: a revocation is never half done.
    pub(crate) async fn commit(self, identity: &Identity) -> Result<(), Error> {
        let identity = identity.clone();
        let whole = tokio::spawn(async move {
            let Self {
                turn,
                tx,
                events,
                view,
            } = self;
            let inner = identity.inner();
            let done = if events.is_empty() {
                tx.commit().await.map_err(Error::Store)
            } else {
                inner
                    .trail
                    .commit(tx, events)
                    .await
                    .map(drop)
                    .map_err(Error::Trail)
            };
            match done {
                Ok(()) => inner.view.apply(view),
                // The store may hold the change although its record is late: look.
                Err(Error::Trail(_)) => identity.reload().await?,
                Err(_) => {}
            }
            drop(turn);
            done
        });
        whole
            .await
            .map_err(|_| Error::Internal("finish the change"))?
    }
}
