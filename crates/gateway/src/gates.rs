//! Hosts whose clients are asked for a certificate: what their handshakes are answered with, and
//! whether a certificate still counts. Files are read again when they change; connections stay.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ahash::AHashMap;
use arc_swap::ArcSwap;
use estate::{CertificateMode, ClientCertificates, CrlExpired, Estate};
use model::{SharedClock, Timestamp};
use net::tls::{Asking, Certificates, ClientAuth, ClientTrust, Offer, OldLists, PeerCertificate};
use rustls::ServerConfig;

use crate::Error;

/// LIMIT: a certificate is looked at again after so long on an open connection, and at once when
/// an authority or a list has changed.
const LOOKED_AT_FOR: Duration = Duration::from_secs(60);
/// Files are looked at so often.
pub(crate) const RELOAD: Duration = Duration::from_secs(5);

/// What gates are made with.
#[derive(Clone, Debug)]
pub(crate) struct Maker {
    /// What servers' certificates are taken from.
    pub(crate) certificates: Arc<Certificates>,
    /// The time.
    pub(crate) clock: SharedClock,
    /// Files are relative to this.
    pub(crate) base: PathBuf,
}

/// All of an estate.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    by_host: AHashMap<String, Arc<Gate>>,
    others: Option<Arc<Gate>>,
    console: String,
}

/// One way in. Hosts of which the estate says the same share one.
#[derive(Debug)]
pub(crate) struct Gate {
    settings: ClientCertificates,
    maker: Maker,
    armed: ArcSwap<Armed>,
    changes: AtomicU64,
}

#[derive(Debug)]
struct Armed {
    auth: ClientAuth,
    files: Files,
    generation: u64,
}

/// The texts of its files.
#[derive(Debug, PartialEq, Eq)]
struct Files {
    authorities: String,
    lists: Vec<String>,
}

/// What a connection ended its handshake with, where it was asked for a certificate.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// By whom.
    pub(crate) gate: Arc<Gate>,
    /// What it showed, if anything.
    pub(crate) certificate: Option<PeerCertificate>,
    looked_at: Mutex<Option<Look>>,
}

/// When a certificate was looked at last, and what came of it.
#[derive(Clone, Copy, Debug)]
struct Look {
    generation: u64,
    at: Timestamp,
    fine: bool,
}

impl Gates {
    /// Those of an estate; nothing where nobody is asked. A gate of which it says the same as
    /// `before` stays the same one.
    pub(crate) fn new(
        estate: &Estate,
        maker: &Maker,
        before: Option<&Self>,
    ) -> Result<Option<Self>, Error> {
        if estate.client_certificates.is_empty() {
            return Ok(None);
        }
        let mut gates = Self {
            console: estate.console.host.clone(),
            ..Self::default()
        };
        for asked in &estate.client_certificates {
            let same = |gate: &&Arc<Gate>| gate.is_for(asked);
            let known = gates.all().find(same).cloned();
            let known = known.or_else(|| before?.all().find(same).cloned());
            let gate = match known {
                Some(gate) => {
                    gate.reload()?;
                    gate
                }
                None => Arc::new(Gate::new(asked.clone(), maker)?),
            };
            if asked.hosts.is_empty() {
                gates.others = Some(gate);
                continue;
            }
            for host in &asked.hosts {
                gates.by_host.insert(host.clone(), Arc::clone(&gate));
            }
        }
        Ok(Some(gates))
    }

    /// The gate of a host (lower case, without a port), if it has one.
    pub(crate) fn of(&self, host: &str) -> Option<&Arc<Gate>> {
        if host == self.console {
            return None;
        }
        self.by_host.get(host).or(self.others.as_ref())
    }

    /// All of them; some more than once.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Gate>> {
        self.by_host.values().chain(&self.others)
    }
}

impl Gate {
    fn new(settings: ClientCertificates, maker: &Maker) -> Result<Self, Error> {
        let files = read(&settings, &maker.base)?;
        let armed = arm(&settings, maker, files, 0)?;
        Ok(Self {
            settings,
            maker: maker.clone(),
            armed: ArcSwap::from_pointee(armed),
            changes: AtomicU64::new(0),
        })
    }

    fn is_for(&self, asked: &ClientCertificates) -> bool {
        let ours = &self.settings;
        (&ours.authorities, ours.mode, &ours.crls, ours.crl_expired)
            == (
                &asked.authorities,
                asked.mode,
                &asked.crls,
                asked.crl_expired,
            )
    }

    /// Whether nobody connects without a certificate.
    pub(crate) fn requires(&self) -> bool {
        self.settings.mode == CertificateMode::Require
    }

    /// What handshakes are answered with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(self.armed.load().auth.config())
    }

    /// Reads the files again, and trusts by them when they changed. On an error everything stays.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub(crate) fn reload(&self) -> Result<(), Error> {
        let files = read(&self.settings, &self.maker.base)?;
        if files == self.armed.load().files {
            return Ok(());
        }
        let generation = self.changes.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let armed = arm(&self.settings, &self.maker, files, generation)?;
        self.armed.store(Arc::new(armed));
        tracing::info!(file = %self.settings.authorities, "client authorities or revocation lists have changed");
        Ok(())
    }
}

impl Admitted {
    /// Someone who came in by `gate`.
    pub(crate) fn new(gate: Arc<Gate>, certificate: Option<PeerCertificate>) -> Self {
        Self {
            gate,
            certificate,
            looked_at: Mutex::new(None),
        }
    }

    /// Whether its certificate, if it showed one, counts now: it has neither ended nor been
    /// revoked, and its authority is still one.
    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        let Some(certificate) = &self.certificate else {
            return true;
        };
        let armed = self.gate.armed.load();
        let mut looked_at = self
            .looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(look) = *looked_at {
            let young = now >= look.at && now < look.at.after(LOOKED_AT_FOR);
            if look.generation == armed.generation && young && now < certificate.not_after {
                return look.fine;
            }
        }
        let fine = armed.auth.verify(certificate, now).is_ok();
        *looked_at = Some(Look {
            generation: armed.generation,
            at: now,
            fine,
        });
        fine
    }
}

fn arm(
    settings: &ClientCertificates,
    maker: &Maker,
    files: Files,
    generation: u64,
) -> Result<Armed, Error> {
    let trust = ClientTrust {
        authorities: &files.authorities,
        lists: &files.lists,
        asking: match settings.mode {
            CertificateMode::Request => Asking::Request,
            CertificateMode::Require => Asking::Require,
        },
        old_lists: match settings.crl_expired {
            CrlExpired::Refuse => OldLists::Refuse,
            CrlExpired::Accept => OldLists::Accept,
        },
    };
    let certificates = Arc::clone(&maker.certificates);
    let clock = Arc::clone(&maker.clock);
    let auth = ClientAuth::new(certificates, Offer::Http2AndHttp1, &trust, clock);
    let auth = auth.map_err(Error::ClientCertificates)?;
    Ok(Armed {
        auth,
        files,
        generation,
    })
}

fn read(settings: &ClientCertificates, base: &Path) -> Result<Files, Error> {
    let text = |path: &String| net::tls::read(&base.join(path)).map_err(Error::ClientCertificates);
    Ok(Files {
        authorities: text(&settings.authorities)?,
        lists: settings.crls.iter().map(text).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests;
