//! TLS as Rampart speaks it: 1.2 and 1.3, aws-lc-rs alone, post-quantum key exchange preferred.

mod certificate;
mod challenge;
mod clients;
mod facts;
mod request;
mod resolver;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

pub use certificate::Certificate;
pub(crate) use certificate::not_after;
pub use challenge::{Challenge, Challenges, challenge_certificate, is_challenge};
pub use clients::{Asking, ClientAuth, ClientTrust, OldLists, PeerCertificate};
use facts::covers;
pub use facts::{Facts, Flaw};
pub use request::{KeyKind, SigningRequest};
pub use resolver::{Certificates, Unnamed};

use crate::Error;

/// Where Debian and its relatives keep the authorities everybody trusts.
const SYSTEM_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// LIMIT: bytes of a file of authorities.
const BUNDLE_BYTES_MAX: u64 = 4 << 20;

/// Which protocols a server offers in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// `h2` first, then `http/1.1`.
    Http2AndHttp1,
    /// `http/1.1` only.
    Http1,
}

/// Who may have issued the certificate of a peer.
#[derive(Clone, Debug)]
pub enum Roots {
    /// The machine's bundle.
    System,
    /// A PEM file of authorities, and nobody else.
    File(PathBuf),
    /// A PEM text of authorities, and nobody else.
    Pem(String),
}

/// A configuration for listeners. Certificates come from `certificates`, which can change while
/// connections are open; tickets are sealed with keys that rotate and are in memory only.
///
/// # Errors
/// [`Error::Tls`] when the provider lacks a protocol version.
pub fn server_config(
    certificates: Arc<Certificates>,
    offer: Offer,
) -> Result<Arc<ServerConfig>, Error> {
    let mut config = server_builder()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(Error::Tls)?;
    // SECURITY: early data can be replayed by anyone who saw it (RFC 8446 §8).
    config.max_early_data_size = 0;
    config.alpn_protocols = alpn(offer);
    if offer == Offer::Http2AndHttp1 {
        // Agreed on with whoever offers nothing else, and only while a challenge of that name is
        // under way: without one there is no certificate for it.
        config.alpn_protocols.push(challenge::PROTOCOL.to_vec());
    }
    Ok(Arc::new(config))
}

fn alpn(offer: Offer) -> Vec<Vec<u8>> {
    match offer {
        Offer::Http2AndHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Offer::Http1 => vec![b"http/1.1".to_vec()],
    }
}

/// A configuration for control's link listener: only peers with a certificate of `roots` get in.
///
/// # Errors
/// What is wrong with the certificate or the roots.
pub fn mutual_server_config(
    certificate: &Certificate,
    roots: &Roots,
) -> Result<Arc<ServerConfig>, Error> {
    let verifier = WebPkiClientVerifier::builder_with_provider(
        Arc::new(root_store(roots)?),
        Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
    )
    .build()
    .map_err(|error| Error::Pem {
        what: "the authority".to_owned(),
        why: error.to_string(),
    })?;
    let (chain, key) = certificate.parse()?;
    let config = server_builder()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(Error::Tls)?;
    Ok(Arc::new(config))
}

/// A configuration for connecting to a server whose certificate `roots` must have issued.
///
/// # Errors
/// What is wrong with the roots.
pub fn client_config(roots: &Roots) -> Result<Arc<ClientConfig>, Error> {
    let mut config = client_builder()?
        .with_root_certificates(root_store(roots)?)
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(64);
    Ok(Arc::new(config))
}

/// The same, proving ourselves with `certificate` too: a gateway to a control on another machine.
///
/// # Errors
/// What is wrong with the roots or the certificate.
pub fn mutual_client_config(
    certificate: &Certificate,
    roots: &Roots,
) -> Result<Arc<ClientConfig>, Error> {
    let (chain, key) = certificate.parse()?;
    let config = client_builder()?
        .with_root_certificates(root_store(roots)?)
        .with_client_auth_cert(chain, key)
        .map_err(Error::Tls)?;
    Ok(Arc::new(config))
}

fn server_builder() -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, Error> {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(Error::Tls)
}

fn client_builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(Error::Tls)
}

fn root_store(roots: &Roots) -> Result<RootCertStore, Error> {
    let (text, path) = match roots {
        Roots::System => (
            read(Path::new(SYSTEM_BUNDLE))?,
            PathBuf::from(SYSTEM_BUNDLE),
        ),
        Roots::File(path) => (read(path)?, path.clone()),
        Roots::Pem(text) => (text.clone(), PathBuf::from("the given authorities")),
    };
    let mut store = RootCertStore::empty();
    // A bundle may hold a certificate that is no authority to us; the others still count.
    store.add_parsable_certificates(
        CertificateDer::pem_slice_iter(text.as_bytes()).filter_map(Result::ok),
    );
    if store.is_empty() {
        return Err(Error::NoRoots { path });
    }
    Ok(store)
}

/// Reads a PEM file, bounded.
///
/// # Errors
/// [`Error::Read`] that says which.
pub fn read(path: &Path) -> Result<String, Error> {
    use std::io::Read as _;
    let fail = |source| Error::Read {
        path: path.to_path_buf(),
        source,
    };
    let file = std::fs::File::open(path).map_err(fail)?;
    let mut text = String::new();
    file.take(BUNDLE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(fail)?;
    Ok(text)
}

#[cfg(test)]
#[path = "tests/names.rs"]
mod names;
#[cfg(test)]
mod tests;
