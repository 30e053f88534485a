//! What TLS handshakes are answered with: the estate's files, what an authority issued by itself,
//! and one certificate of the development authority for hosts that have none.

mod files;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::{CertificateSource, CertificateState};
use estate::Estate;
use gateway::acme::Acme;
use gateway::link::CertificateText;
use model::{Diagnostic, SharedClock, SharedEntropy, Timestamp};
use net::{Authority, Certificate};

use files::Files;
pub(super) use files::News;

/// A certificate of the development authority is replaced when it has so long to live.
const RENEW_LEFT: Duration = Duration::from_hours(20 * 24);

/// See the module.
#[derive(Debug)]
pub(super) struct Certificates {
    authority: Authority,
    acme: Acme,
    clock: SharedClock,
    entropy: SharedEntropy,
    files: Mutex<Files>,
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
        acme: Acme,
        base: &Path,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Self {
        Self {
            authority,
            acme,
            files: Mutex::new(Files::new(base)),
            clock,
            entropy,
            issued: Mutex::default(),
        }
    }

    /// Everything `estate` needs, which is about to be applied.
    ///
    /// # Errors
    /// What is wrong with each file, all at once.
    pub(super) fn of(&self, estate: &Estate) -> Result<Vec<CertificateText>, Vec<Diagnostic>> {
        let files = self.files().load(estate, self.clock.now())?;
        self.complete(estate, files)
            .map_err(|diagnostic| vec![diagnostic])
    }

    /// Everything the applied estate needs, read again. A file that is no longer good counts as it
    /// was when it was; what is new about each comes along.
    ///
    /// # Errors
    /// When the development authority cannot issue.
    pub(super) fn again(
        &self,
        estate: &Estate,
    ) -> Result<(Vec<CertificateText>, Vec<News>), Diagnostic> {
        let (files, news) = self.files().reload(estate, self.clock.now());
        Ok((self.complete(estate, files)?, news))
    }

    fn complete(
        &self,
        estate: &Estate,
        files: Vec<Certificate>,
    ) -> Result<Vec<CertificateText>, Diagnostic> {
        let mut all = files;
        all.extend(self.acme.certificates(estate));
        let without = without(estate, &all);
        if !without.is_empty() {
            let issued = self.issue(without).map_err(|error| {
                let text = format!("the development CA cannot issue: {error}");
                Diagnostic::error("certificate.not_issued", None, text)
            })?;
            all.push(issued);
        }
        Ok(all.into_iter().map(text).collect())
    }

    /// Whether a file changed and has stayed the same since the last call, so that a pair is not
    /// read when half of it is written.
    pub(super) fn is_changed(&self, estate: &Estate) -> bool {
        self.files().is_changed(estate)
    }

    /// Whether what the development authority issued last should be issued anew.
    pub(super) fn is_due(&self) -> bool {
        let issued = self.issued();
        issued
            .as_ref()
            .is_some_and(|issued| self.is_old(issued.certificate.not_after))
    }

    /// What an authority issues by itself.
    pub(super) fn acme(&self) -> &Acme {
        &self.acme
    }

    /// How it stands with every certificate of `estate`.
    pub(super) fn states(&self, estate: &Estate) -> Vec<CertificateState> {
        let mut states = self.files().states(estate);
        let mut missing = None;
        for status in self.acme.status() {
            if status.until.is_none() {
                missing.get_or_insert(match &status.error {
                    Some(error) => error.clone(),
                    None => "none was issued yet".to_owned(),
                });
                continue;
            }
            states.push(CertificateState {
                names: vec![status.host],
                source: CertificateSource::Acme,
                issuer: status.issuer,
                until: status.until,
                renews: Some(status.next),
                error: status.error,
            });
        }
        let wanted = self.acme.status();
        let next = wanted.iter().filter(|status| status.until.is_none());
        let next = next.map(|status| status.next).min();
        if let Some(issued) = self.issued().as_ref() {
            let served: BTreeSet<&String> = states.iter().flat_map(|one| &one.names).collect();
            let hosts = issued.hosts.iter().filter(|host| !served.contains(host));
            let hosts: Vec<String> = hosts.cloned().collect();
            // Those that wait for an authority stand first: they are what somebody looks for.
            let (mut names, rest): (Vec<_>, Vec<_>) = hosts
                .into_iter()
                .partition(|host| wanted.iter().any(|status| status.host == *host));
            names.extend(rest);
            if !names.is_empty() {
                states.push(CertificateState {
                    names,
                    source: CertificateSource::Development,
                    issuer: Some("Rampart development CA".to_owned()),
                    until: Some(issued.certificate.not_after),
                    renews: next,
                    error: missing,
                });
            }
        }
        states
    }

    fn is_old(&self, not_after: Timestamp) -> bool {
        not_after <= self.clock.now().after(RENEW_LEFT)
    }

    fn issue(&self, hosts: Vec<String>) -> Result<Certificate, net::Error> {
        let mut issued = self.issued();
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

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issued(&self) -> MutexGuard<'_, Option<Issued>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hosts of routes and the console that no certificate is for, sorted.
fn without(estate: &Estate, certificates: &[Certificate]) -> Vec<String> {
    let routes = estate.routes.iter().filter_map(|route| route.host.clone());
    let hosts: BTreeSet<String> = routes.chain([estate.console.host.clone()]).collect();
    hosts
        .into_iter()
        .filter(|host| {
            let named = certificates.iter().flat_map(|given| &given.hosts);
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

#[cfg(test)]
mod tests;
