//! Clients that prove themselves by a certificate: who may have issued it, what was revoked, and
//! what a certificate says its holder is called.
//!
//! Never decides what a holder may do, nor whose a name is.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use model::{SharedClock, Timestamp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate, X509Name};

use super::{Certificates, Offer, alpn, server_builder};
use crate::Error;

/// LIMIT: certificates of a chain that a client shows.
const CHAIN_MAX: usize = 10;
/// LIMIT: names of one kind that a certificate says.
const NAMES_MAX: usize = 100;

/// What happens to clients that show no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// They may connect.
    Request,
    /// They may not.
    Require,
}

/// What happens when a revocation list is older than it says it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldLists {
    /// No certificate it covers is accepted.
    Refuse,
    /// What it says is still believed.
    Accept,
}

/// Which certificates of clients are accepted, as texts.
#[derive(Clone, Copy, Debug)]
pub struct ClientTrust<'a> {
    /// PEM of the authorities.
    pub authorities: &'a str,
    /// PEM of the revocation lists, each text with one or more.
    pub lists: &'a [String],
    /// See there.
    pub asking: Asking,
    /// See there.
    pub old_lists: OldLists,
}

/// A way to be connected to that asks for certificates, and the means to look at one again.
#[derive(Clone)]
pub struct ClientAuth {
    config: Arc<ServerConfig>,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAuth").finish_non_exhaustive()
    }
}

impl ClientAuth {
    /// Servers' certificates come from `certificates`, the time from `clock`.
    ///
    /// # Errors
    /// What is wrong with the authorities or the lists.
    pub fn new(
        certificates: Arc<Certificates>,
        offer: Offer,
        trust: &ClientTrust<'_>,
        clock: SharedClock,
    ) -> Result<Self, Error> {
        let verifier = verifier(trust)?;
        let mut config = server_builder()?
            .with_client_cert_verifier(Arc::clone(&verifier))
            .with_cert_resolver(certificates);
        // SECURITY: a resumed session brings back a certificate that nobody looks at again: it may
        // have ended or been revoked since. So every connection here begins anew.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.alpn_protocols = alpn(offer);
        config.time_provider = Arc::new(ByClock(clock));
        Ok(Self {
            config: Arc::new(config),
            verifier,
        })
    }

    /// What handshakes are answered with.
    #[must_use]
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// Whether a certificate that was proven in a handshake is (still) accepted at `now`: issued by
    /// one of the authorities for clients, neither ended nor revoked (RFC 5280 §6).
    ///
    /// # Errors
    /// [`Error::Tls`] that says why not.
    pub fn verify(&self, certificate: &PeerCertificate, now: Timestamp) -> Result<(), Error> {
        let (leaf, between) = certificate
            .chain
            .split_first()
            .ok_or(Error::Tls(rustls::Error::NoCertificatesPresented))?;
        self.verifier
            .verify_client_cert(leaf, between, unix(now))
            .map(drop)
            .map_err(Error::Tls)
    }
}

fn verifier(trust: &ClientTrust<'_>) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let fail = |what: &str, why: String| Error::Pem {
        what: what.to_owned(),
        why,
    };
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(trust.authorities.as_bytes()) {
        let what = "the file of client authorities";
        let authority = authority.map_err(|error| fail(what, error.to_string()))?;
        roots
            .add(authority)
            .map_err(|error| fail(what, error.to_string()))?;
    }
    if roots.is_empty() {
        let why = "it holds no certificate".to_owned();
        return Err(fail("the file of client authorities", why));
    }
    let mut lists = Vec::new();
    for text in trust.lists {
        let before = lists.len();
        for list in CertificateRevocationListDer::pem_slice_iter(text.as_bytes()) {
            let what = "a file of revocation lists";
            lists.push(list.map_err(|error| fail(what, error.to_string()))?);
        }
        if lists.len() == before {
            let why = "it holds no revocation list".to_owned();
            return Err(fail("a file of revocation lists", why));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).with_crls(lists);
    if trust.asking == Asking::Request {
        builder = builder.allow_unauthenticated();
    }
    if trust.old_lists == OldLists::Refuse {
        builder = builder.enforce_revocation_expiration();
    }
    builder
        .build()
        .map_err(|error| fail("the trust in clients", error.to_string()))
}

/// The time of a handshake is the program's.
#[derive(Debug)]
struct ByClock(SharedClock);

impl TimeProvider for ByClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.0.now()))
    }
}

fn unix(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(at.since(Timestamp::from_millis(0)))
}

/// A client's certificate, with what it says. That its holder has the key was proven in the
/// handshake; who issued it says [`ClientAuth::verify`].
#[derive(Clone, Debug)]
pub struct PeerCertificate {
    chain: Vec<CertificateDer<'static>>,
    /// SHA-256 of the certificate (`x5t#S256`, RFC 8705 §3.1).
    pub thumbprint: [u8; 32],
    /// SHA-256 of its public key (SubjectPublicKeyInfo).
    pub key: [u8; 32],
    /// URI names.
    pub uris: Vec<String>,
    /// DNS names, lower case.
    pub dns: Vec<String>,
    /// Attributes of the subject as they stand, when each stands for itself and is a text.
    pub subject: Vec<(&'static str, String)>,
    /// When it ends.
    pub not_after: Timestamp,
}

impl PeerCertificate {
    /// Reads the chain that a handshake ended with; `None` when it cannot be read whole.
    #[must_use]
    pub fn read(chain: &[CertificateDer<'_>]) -> Option<Self> {
        if chain.len() > CHAIN_MAX {
            return None;
        }
        let leaf = chain.first()?;
        let (rest, parsed) = X509Certificate::from_der(leaf).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let (mut uris, mut dns) = (Vec::new(), Vec::new());
        let names = parsed.subject_alternative_name().ok()?;
        for name in names.iter().flat_map(|names| &names.value.general_names) {
            match name {
                GeneralName::URI(uri) => uris.push((*uri).to_owned()),
                GeneralName::DNSName(name) => dns.push(name.to_ascii_lowercase()),
                _ => {}
            }
        }
        if uris.len() > NAMES_MAX || dns.len() > NAMES_MAX {
            return None;
        }
        Some(Self {
            thumbprint: sha256(leaf),
            key: sha256(parsed.public_key().raw),
            uris,
            dns,
            subject: subject(parsed.subject()).unwrap_or_default(),
            not_after: Timestamp::from_millis(
                parsed.validity().not_after.timestamp().saturating_mul(1000),
            ),
            chain: chain.iter().map(|one| one.clone().into_owned()).collect(),
        })
    }
}

/// Nothing when it could be read in two ways: an attribute of another kind, one that is no text,
/// or several in one place.
fn subject(name: &X509Name<'_>) -> Option<Vec<(&'static str, String)>> {
    let mut attributes = Vec::new();
    for place in name.iter() {
        let mut place = place.iter();
        let (Some(attribute), None) = (place.next(), place.next()) else {
            return None;
        };
        let kind = match attribute.attr_type().to_id_string().as_str() {
            "2.5.4.3" => "CN",
            "2.5.4.6" => "C",
            "2.5.4.7" => "L",
            "2.5.4.8" => "ST",
            "2.5.4.10" => "O",
            "2.5.4.11" => "OU",
            "0.9.2342.19200300.100.1.25" => "DC",
            _ => return None,
        };
        attributes.push((kind, attribute.as_str().ok()?.to_owned()));
    }
    (attributes.len() <= NAMES_MAX).then_some(attributes)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests;
