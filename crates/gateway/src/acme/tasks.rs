//! The loop that asks for certificates and renews them: one order after the other, under a lease,
//! each bounded in time, each recorded.

use std::sync::Arc;
use std::time::Duration;

use estate::AcmeSettings;
use model::Timestamp;
use net::Certificate;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::account::Transport;
use super::error::Failure;
use super::order::{Brought, Orders};
use super::store::{self, CertificateRow, TryRow};
use super::{Acme, Error, events, held, plan};

/// How often to look even if nothing seems due: another process may have done it, the clock may
/// have been set.
const LOOK: Duration = Duration::from_secs(30);
/// How long to wait when the database does not answer.
const AGAIN: Duration = Duration::from_secs(10);
/// LIMIT: how long one order may take.
const ORDER_MAX: Duration = Duration::from_secs(300);
/// Of several control processes one orders.
const LEASE: &str = "gateway.acme";
/// Longer than an order, so that no second one begins it meanwhile.
const LEASE_FOR: Duration = Duration::from_secs(360);
/// Certificates nobody renewed are forgotten so long after their end.
const FORGET_AFTER: Duration = Duration::from_hours(30 * 24);

impl Acme {
    /// Orders and renews until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let tick = async {
                match self.tick().await {
                    Ok(next) => next.map_or(LOOK, |next| next.since(self.0.clock.now()).min(LOOK)),
                    Err(error) => {
                        tracing::warn!(%error, "certificates are not looked after");
                        AGAIN
                    }
                }
            };
            let pause = tokio::select! {
                () = stop.cancelled() => return,
                pause = tick => pause,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.0.wake.notified() => {}
                () = tokio::time::sleep(pause.max(Duration::from_millis(100))) => {}
            }
        }
    }

    /// Does what is due; when the next is.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Trail`].
    pub(super) async fn tick(&self) -> Result<Option<Timestamp>, Error> {
        self.reload().await?;
        let Some(wanted) = self.state().wanted.clone() else {
            return Ok(None);
        };
        for host in &wanted.hosts {
            let now = self.0.clock.now();
            let due = self.state().due(&wanted, host, now);
            if due <= now {
                self.attempt(&wanted, host).await?;
            }
            self.warn(&wanted, host).await?;
        }
        let now = self.0.clock.now();
        store::sweep(&self.0.store, now.before(FORGET_AFTER)).await?;
        let state = self.state();
        let due = wanted
            .hosts
            .iter()
            .map(|host| state.due(&wanted, host, now));
        Ok(due.min())
    }

    async fn attempt(&self, wanted: &Arc<AcmeSettings>, host: &str) -> Result<(), Error> {
        let inner = &self.0;
        if !inner.store.lease(LEASE, &inner.holder, LEASE_FOR).await? {
            tracing::debug!(host, "another process orders certificates");
            return Ok(());
        }
        self.state().asked.remove(host);
        let ordered = self.order(wanted, host).await;
        let outcome = match ordered {
            (Ok(brought), asked) => match self.keep(wanted, host, brought).await {
                Ok(()) => Ok(()),
                Err(failure) => self.failed(wanted, host, failure, asked).await,
            },
            (Err(failure), asked) => self.failed(wanted, host, failure, asked).await,
        };
        inner.store.release(LEASE, &inner.holder).await?;
        outcome
    }

    /// An order, and for how long the authority asked us to wait in the end. A panic in it is a
    /// failure like any other.
    async fn order(
        &self,
        wanted: &Arc<AcmeSettings>,
        host: &str,
    ) -> (Result<Brought, Failure>, Option<Duration>) {
        let transport = Transport::new(wanted, self.base(), self.0.clock.clone());
        let transport = match transport {
            Ok(transport) => transport,
            Err(failure) => return (Err(failure), None),
        };
        let mut outcome = self.once(wanted, host, &transport).await;
        let gone = |outcome: &Result<Brought, Failure>| {
            outcome.as_ref().is_err_and(|failure| failure.account_gone)
        };
        if gone(&outcome) {
            // The authority has forgotten us: a new account is made, once.
            outcome = match store::forget_account(&self.0.store, &wanted.directory).await {
                Ok(()) => self.once(wanted, host, &transport).await,
                Err(error) => Err(error.into()),
            };
        }
        // Challenges are answered while they are under way, and no longer.
        if let Err(late) = self.0.hub.set_challenges(Vec::new()).await {
            tracing::debug!(?late, "a gateway was not told that a challenge is over");
        }
        (outcome, transport.asked())
    }

    async fn once(
        &self,
        wanted: &Arc<AcmeSettings>,
        host: &str,
        transport: &Transport,
    ) -> Result<Brought, Failure> {
        let (this, wanted, host) = (self.clone(), Arc::clone(wanted), host.to_owned());
        let transport = transport.clone();
        let running = AbortOnDropHandle::new(tokio::spawn(async move {
            let inner = &this.0;
            let orders = Orders {
                store: &inner.store,
                hub: &inner.hub,
                settings: &wanted,
                base: &inner.base,
                transport: &transport,
                clock: &inner.clock,
                entropy: &inner.entropy,
            };
            orders.run(&host).await
        }));
        match tokio::time::timeout(ORDER_MAX, running).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Failure::new("the order ended in a fault of ours")),
            Err(_) => Err(Failure::new("the order took longer than five minutes")),
        }
    }

    /// Keeps what was issued, when it is what was asked for.
    pub(super) async fn keep(
        &self,
        wanted: &AcmeSettings,
        host: &str,
        brought: Brought,
    ) -> Result<(), Failure> {
        let inner = &self.0;
        let now = inner.clock.now();
        let chain = brought.chain.clone();
        let certificate = Certificate::from_pem(vec![host.to_owned()], chain, brought.key.clone())?;
        // SECURITY: an authority may be wrong, or not ours.
        if let Some(flaw) = certificate.flaws(now)?.iter().find(|flaw| flaw.is_fatal()) {
            return Err(Failure::new(format!("the issued certificate {flaw}")));
        }
        let row = CertificateRow {
            host: host.to_owned(),
            directory: wanted.directory.clone(),
            chain: brought.chain,
            key: brought.key,
            until: certificate.not_after,
            issued: now,
        };
        let mut tx = inner.store.begin().await?;
        store::put_certificate(&inner.store, &mut tx, &row).await?;
        let fresh = held(row).map_err(|error| Failure::of(&error))?;
        let renewed = self.state().held.contains_key(host);
        let event = events::issued(inner, host, &fresh.issuer, fresh.end, renewed);
        let recorded = inner.trail.commit(tx, vec![event]).await;
        recorded.map_err(|error| Failure::of(&error))?;
        let mut state = self.state();
        state.held.insert(host.to_owned(), fresh);
        state.tries.remove(host);
        state.warned.remove(host);
        drop(state);
        inner.changed.send_modify(|count| *count += 1);
        Ok(())
    }

    async fn failed(
        &self,
        wanted: &AcmeSettings,
        host: &str,
        failure: Failure,
        asked: Option<Duration>,
    ) -> Result<(), Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let (failures, left) = {
            let state = self.state();
            let before = state.tries.get(host).map_or(0, |tried| tried.failures);
            let held = state.held.get(host);
            let held = held.filter(|held| held.directory == wanted.directory);
            let left = held.map(|held| held.end.since(now));
            (before.saturating_add(1), left)
        };
        let [jitter] = inner.entropy.bytes::<1>();
        let next = now.after(plan::pause(failures, left, asked, jitter));
        let tried = TryRow {
            failures,
            next,
            error: failure.text,
        };
        let mut tx = inner.store.begin().await?;
        store::put_try(&mut tx, host, &tried).await?;
        let event = events::failed(inner, host, &tried.error, next);
        tracing::warn!(host, error = %tried.error, "no certificate was issued");
        inner.trail.commit(tx, vec![event]).await?;
        self.state().tries.insert(host.to_owned(), tried);
        Ok(())
    }

    /// Says once of each certificate that it runs out unrenewed.
    async fn warn(&self, wanted: &AcmeSettings, host: &str) -> Result<(), Error> {
        let now = self.0.clock.now();
        let end = {
            let mut state = self.state();
            let Some(held) = state.held.get(host) else {
                return Ok(());
            };
            let (begin, end) = (held.begin, held.end);
            let said = state.warned.get(host) == Some(&end);
            if said || !plan::is_expiring(now, begin, end, wanted.renew_part) {
                return Ok(());
            }
            state.warned.insert(host.to_owned(), end);
            end
        };
        let event = events::expiring(&self.0, host, end);
        self.0.trail.append(vec![event]).await?;
        Ok(())
    }
}
