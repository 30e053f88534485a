//! What TLS handshakes are answered with: the estate's certificates, and one of the development
//! authority for hosts that have none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use estate::Estate;
use gateway::link::CertificateText;
use model::{Diagnostic, SharedClock, SharedEntropy, Timestamp};
use net::{Authority, Certificate};

/// A certificate of the development authority is replaced when it has so long to live.
const RENEW_LEFT: Duration = Duration::from_hours(20 * 24);

/// See the module.
#[derive(Debug)]
pub(super) struct Certificates {
    authority: Authority,
    base: PathBuf,
    clock: SharedClock,
    entropy: SharedEntropy,
    issued: Mutex<Option<Issued>>,
}

/// What the authority issued last, so that a new estate with the same hosts changes nothing.
#[derive(Clone, Debug)]
struct Issued {
    hosts: Vec<String>,
    certificate: Certificate,
}

impl Certificates {
    /// Paths of certificates are relative to `base`.
    pub(super) fn new(
        authority: Authority,
        base: &Path,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Self {
        Self {
            authority,
            base: base.to_path_buf(),
            clock,
            entropy,
            issued: Mutex::default(),
        }
    }

    /// Everything `estate` needs.
    ///
    /// # Errors
    /// What is wrong with each file, all at once.
    pub(super) fn of(&self, estate: &Estate) -> Result<Vec<CertificateText>, Vec<Diagnostic>> {
        let mut all = Vec::new();
        let mut wrong = Vec::new();
        for given in &estate.certificates {
            let (chain, key) = (self.base.join(&given.chain), self.base.join(&given.key));
            match Certificate::load(given.hosts.clone(), &chain, &key) {
                Ok(certificate) if certificate.not_after <= self.clock.now() => {
                    let text = format!("`{}` ended on {}", given.chain, certificate.not_after);
                    wrong.push(Diagnostic::error("certificate.ended", None, text));
                }
                Ok(certificate) => all.push(certificate),
                Err(error) => {
                    let text = format!("certificate `{}`: {error}", given.chain);
                    wrong.push(Diagnostic::error("certificate.unusable", None, text));
                }
            }
        }
        let without = without_certificate(estate);
        if !without.is_empty() {
            match self.issue(without) {
                Ok(certificate) => all.push(certificate),
                Err(error) => {
                    let text = format!("the development CA cannot issue: {error}");
                    wrong.push(Diagnostic::error("certificate.not_issued", None, text));
                }
            }
        }
        if wrong.is_empty() {
            Ok(all.into_iter().map(text).collect())
        } else {
            Err(wrong)
        }
    }

    /// Whether what was issued last should be issued anew.
    pub(super) fn is_due(&self) -> bool {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued
            .as_ref()
            .is_some_and(|issued| self.is_old(issued.certificate.not_after))
    }

    fn is_old(&self, not_after: Timestamp) -> bool {
        not_after <= self.clock.now().after(RENEW_LEFT)
    }

    fn issue(&self, hosts: Vec<String>) -> Result<Certificate, net::Error> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issued.as_ref()
            && known.hosts == hosts
            && !self.is_old(known.certificate.not_after)
        {
            return Ok(known.certificate.clone());
        }
        let certificate =
            self.authority
                .issue(&hosts, net::Purpose::Server, &*self.clock, &*self.entropy)?;
        *issued = Some(Issued {
            hosts,
            certificate: certificate.clone(),
        });
        Ok(certificate)
    }

    /// The authority's certificate, PEM: public.
    pub(super) fn authority(&self) -> &str {
        self.authority.certificate()
    }
}

/// The hosts of routes and the console that no given certificate names, sorted.
fn without_certificate(estate: &Estate) -> Vec<String> {
    let routes = estate.routes.iter().filter_map(|route| route.host.clone());
    let hosts: BTreeSet<String> = routes.chain([estate.console.host.clone()]).collect();
    hosts
        .into_iter()
        .filter(|host| {
            let named = estate.certificates.iter().flat_map(|given| &given.hosts);
            !named.into_iter().any(|name| covers(name, host))
        })
        .collect()
}

fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => host
            .split_once('.')
            .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => name.eq_ignore_ascii_case(host),
    }
}

fn text(certificate: Certificate) -> CertificateText {
    CertificateText {
        hosts: certificate.hosts,
        key: certificate.key.expose().clone(),
        chain: certificate.chain,
    }
}

/// Shared with the participant and the renewal.
pub(super) type Shared = Arc<Certificates>;
