//! Certificates that an authority issues by itself (RFC 8555): asked for when a host needs one,
//! renewed in time, kept sealed. Part of the gateway's control side: nothing here runs in the
//! process that faces the public.
//!
//! While the authority is away, what is held is served, tries go on with growing pauses, and each
//! failure is recorded in the authority's words. Never asks for anything before its terms are
//! agreed to.

mod account;
mod error;
mod events;
mod order;
mod plan;
mod store;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::store::Store;
use estate::{AcmeSettings, Estate};
use model::{Context, SharedClock, SharedEntropy, Timestamp, own};
use net::Certificate;
use tokio::sync::{Notify, watch};
use trail::Trail;

use crate::link::Hub;
pub use error::Error;
pub use store::MIGRATIONS;
use store::{CertificateRow, TryRow};

/// A handle; cheap to clone.
#[derive(Clone, Debug)]
pub struct Acme(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    trail: Trail,
    hub: Hub,
    base: PathBuf,
    clock: SharedClock,
    entropy: SharedEntropy,
    /// Who holds the lease, of several control processes.
    holder: String,
    state: Mutex<State>,
    /// Counts up when a certificate is there that was not.
    changed: watch::Sender<u64>,
    wake: Notify,
}

/// What [`Acme`] is made from.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Where accounts and certificates are kept.
    pub store: Store,
    /// Where it is recorded.
    pub trail: Trail,
    /// The way to the gateways, which answer challenges.
    pub hub: Hub,
    /// Paths in estates are relative to this folder.
    pub base: PathBuf,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
}

#[derive(Debug, Default)]
struct State {
    wanted: Option<Arc<AcmeSettings>>,
    held: BTreeMap<String, Held>,
    tries: BTreeMap<String, TryRow>,
    /// Asked for by a person, whatever the plan says.
    asked: BTreeSet<String>,
    /// Of which certificate it was said already that it runs out.
    warned: BTreeMap<String, Timestamp>,
}

/// A certificate that is there.
#[derive(Clone, Debug)]
struct Held {
    certificate: Certificate,
    directory: String,
    issuer: String,
    begin: Timestamp,
    end: Timestamp,
    issued: Timestamp,
}

/// How it stands with one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The host.
    pub host: String,
    /// Who issued its certificate, when there is one.
    pub issuer: Option<String>,
    /// When that ends.
    pub until: Option<Timestamp>,
    /// When the next try is due.
    pub next: Timestamp,
    /// Failures since the last success.
    pub failures: u32,
    /// What the last of them said.
    pub error: Option<String>,
}

impl Acme {
    /// Reads what is kept.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn open(parts: Parts) -> Result<Self, Error> {
        let holder = parts.entropy.bytes::<8>();
        let holder = holder.iter().map(|byte| format!("{byte:02x}")).collect();
        let acme = Self(Arc::new(Inner {
            store: parts.store,
            trail: parts.trail,
            hub: parts.hub,
            base: parts.base,
            clock: parts.clock,
            entropy: parts.entropy,
            holder,
            state: Mutex::default(),
            changed: watch::Sender::new(0),
            wake: Notify::new(),
        }));
        acme.reload().await?;
        Ok(acme)
    }

    /// Works by `estate` from now on.
    pub fn follow(&self, estate: &Estate) {
        let wanted = estate.acme.clone().filter(|acme| acme.terms_agreed);
        let mut state = self.state();
        if let (Some(before), Some(now)) = (&state.wanted, &wanted)
            && **before != *now
        {
            // Whoever changes how it is asked for wants to see whether it works now.
            let tried: Vec<String> = state.tries.keys().cloned().collect();
            let tried = tried.into_iter().filter(|host| now.hosts.contains(host));
            state.asked.extend(tried.collect::<Vec<_>>());
        }
        state.wanted = wanted.map(Arc::new);
        drop(state);
        self.0.wake.notify_one();
    }

    /// What is held for the hosts of `estate`, ended ones too: a client that meets one learns more
    /// than from a stranger's.
    #[must_use]
    pub fn certificates(&self, estate: &Estate) -> Vec<Certificate> {
        let state = self.state();
        let hosts = estate.acme.iter().flat_map(|acme| &acme.hosts);
        hosts
            .filter_map(|host| Some(state.held.get(host)?.certificate.clone()))
            .collect()
    }

    /// Says when a certificate was replaced.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// How it stands with every host that is wanted.
    #[must_use]
    pub fn status(&self) -> Vec<Status> {
        let now = self.0.clock.now();
        let state = self.state();
        let Some(wanted) = &state.wanted else {
            return Vec::new();
        };
        let status = |host: &String| {
            let (held, tried) = (state.held.get(host), state.tries.get(host));
            Status {
                host: host.clone(),
                issuer: held.map(|held| held.issuer.clone()),
                until: held.map(|held| held.end),
                next: state.due(wanted, host, now),
                failures: tried.map_or(0, |tried| tried.failures),
                error: tried.map(|tried| tried.error.clone()),
            }
        };
        wanted.hosts.iter().map(status).collect()
    }

    /// Lets the certificate of `host` be renewed now.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Off`], [`Error::NotWanted`], [`Error::Trail`].
    pub async fn renew(&self, ctx: &Context, host: &str) -> Result<(), Error> {
        ctx.require(&own::permission(own::GATEWAY_RENEW))?;
        let host = host.to_ascii_lowercase();
        {
            let state = self.state();
            let wanted = state.wanted.as_ref().ok_or(Error::Off)?;
            if !wanted.hosts.contains(&host) {
                return Err(Error::NotWanted(host));
            }
        }
        let event = events::asked(&self.0, ctx, &host);
        self.0.trail.append(vec![event]).await?;
        self.state().asked.insert(host);
        self.0.wake.notify_one();
        Ok(())
    }

    /// Takes over what is kept, by this process or another on the same database.
    async fn reload(&self) -> Result<(), Error> {
        let inner = &self.0;
        let tries = store::tries(&inner.store).await?.into_iter().collect();
        self.state().tries = tries;
        let mut news = false;
        for (host, issued) in store::issued(&inner.store).await? {
            let known = self.state().held.get(&host).map(|held| held.issued);
            if known == Some(issued) {
                continue;
            }
            let Some(row) = store::certificate(&inner.store, &host).await? else {
                continue;
            };
            match held(row) {
                Ok(held) => {
                    self.state().held.insert(host, held);
                    news = true;
                }
                // It is as if there were none: a new one is asked for.
                Err(error) => tracing::error!(%error, "a kept certificate is left out"),
            }
        }
        if news {
            inner.changed.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn base(&self) -> &Path {
        &self.0.base
    }
}

impl State {
    /// When something is to be done for `host`.
    fn due(&self, wanted: &AcmeSettings, host: &str, now: Timestamp) -> Timestamp {
        if self.asked.contains(host) {
            return now;
        }
        let tried = self.tries.get(host).map(|tried| tried.next);
        // One from another directory, of a rehearsal perhaps, is replaced at once.
        let ours = self.held.get(host);
        let renewal = match ours.filter(|held| held.directory == wanted.directory) {
            Some(held) => plan::renewal(host, held.begin, held.end, wanted.renew_part),
            None => now,
        };
        tried.map_or(renewal, |next| renewal.max(next))
    }
}

/// A kept certificate, looked at again.
fn held(row: CertificateRow) -> Result<Held, Error> {
    let kept = |source| Error::Kept {
        host: row.host.clone(),
        source,
    };
    let certificate =
        Certificate::from_pem(vec![row.host.clone()], row.chain.clone(), row.key.clone());
    let certificate = certificate.map_err(kept)?;
    let facts = certificate.facts().map_err(kept)?;
    Ok(Held {
        certificate,
        directory: row.directory,
        issuer: facts.issuer,
        begin: facts.not_before,
        end: facts.not_after,
        issued: row.issued,
    })
}

#[cfg(test)]
mod tests;
