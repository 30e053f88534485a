//! What happens by itself: rights and sessions end, counts are written, old rows go, signing keys
//! turn over. One loop, a bounded amount of work each time.

use std::sync::PoisonError;
use std::time::Duration;

use ::model::{Context, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::change::Change;
use crate::store::{credentials, keys, links, people};
use crate::{Error, Identity};

/// How often the loop looks.
const LOOK: Duration = Duration::from_secs(1);
/// How often uses are written.
const WRITE_SEEN: Duration = Duration::from_secs(30);
/// How often it is seen whether passwords are still being hashed.
const REST: Duration = Duration::from_secs(10);
/// How often ended sessions are taken away; they are refused at once all the same.
const END_SESSIONS: Duration = Duration::from_secs(60);
/// How often old rows go and signing keys are looked at.
const CLEAN: Duration = Duration::from_secs(10 * 60);
/// How long failures are remembered after the last one.
const REMEMBER_FAILURES: Duration = Duration::from_secs(24 * 3600);
/// LIMIT: rows of one kind ended in one go.
const ENDED_MAX: u32 = 500;

/// When what is due next.
#[derive(Debug, Default)]
pub(crate) struct Due {
    write_seen: Timestamp,
    rest: Timestamp,
    end_sessions: Timestamp,
    clean: Timestamp,
}

impl Identity {
    /// Runs until it is told to stop, then writes what waits. Failures are logged and tried again.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Err(error) = self.tend().await {
                tracing::warn!(%error, "identity could not tend to what is due");
            }
        }
        if let Err(error) = self.write_seen().await {
            tracing::warn!(%error, "the newest uses of sessions were not written");
        }
    }

    /// Does what is due now.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Trail`]; what was not done is due again.
    pub async fn tend(&self) -> Result<(), Error> {
        let inner = self.inner();
        let summaries = inner.failures.take(&*inner.clock, &*inner.entropy);
        if !summaries.is_empty() {
            inner.trail.append(summaries).await?;
        }
        self.reload_if_stale().await?;
        self.end_bindings().await?;
        if self.is_due(|due| &mut due.write_seen, WRITE_SEEN) {
            self.write_seen().await?;
        }
        if self.is_due(|due| &mut due.rest, REST) {
            inner.hasher.rest();
        }
        if self.is_due(|due| &mut due.end_sessions, END_SESSIONS) {
            self.end_expired(ENDED_MAX).await?;
        }
        if self.is_due(|due| &mut due.clean, CLEAN) {
            self.clean().await?;
            self.rotate_signing_keys().await?;
        }
        Ok(())
    }

    fn is_due(&self, which: impl FnOnce(&mut Due) -> &mut Timestamp, every: Duration) -> bool {
        let now = self.now();
        let mut due = self
            .inner()
            .due
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at = which(&mut due);
        let is_due = *at <= now;
        if is_due {
            *at = now.after(every);
        }
        is_due
    }

    async fn end_bindings(&self) -> Result<(), Error> {
        let now = self.now();
        if !people::any_ended_binding(&self.inner().store, now).await? {
            return Ok(());
        }
        let ctx = Context::system(&*self.inner().clock, &*self.inner().entropy);
        let mut change = Change::begin(self).await?;
        for binding in people::ended_bindings(&mut change.tx, now, ENDED_MAX).await? {
            self.unbind(&ctx, &mut change, &binding, "identity.role.ended", "ended")
                .await?;
        }
        change.commit(self).await
    }

    async fn clean(&self) -> Result<(), Error> {
        let now = self.now();
        let mut change = Change::begin(self).await?;
        links::sweep(&mut change.tx, now).await?;
        keys::sweep(&mut change.tx, now).await?;
        credentials::sweep_attempts(&mut change.tx, now.before(REMEMBER_FAILURES)).await?;
        change.commit(self).await?;
        self.inner().view.forget_tokens(now);
        Ok(())
    }
}
