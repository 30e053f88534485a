//! A certificate chain with its private key, as PEM.

use std::path::Path;
use std::sync::Arc;

use model::{Secret, Timestamp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::read;
use crate::Error;

/// A chain, its key, and the host names it serves.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Host names, lower case; `*.shop.example` covers one label.
    pub hosts: Vec<String>,
    /// The chain, leaf first, PEM.
    pub chain: String,
    /// The private key, PEM.
    pub key: Secret<String>,
    /// When the leaf ends.
    pub not_after: Timestamp,
}

impl Certificate {
    /// From PEM texts; the key must fit the leaf.
    ///
    /// # Errors
    /// [`Error::Pem`] that says which of the two is wrong, and how.
    pub fn from_pem(hosts: Vec<String>, chain: String, key: Secret<String>) -> Result<Self, Error> {
        let not_after = not_after(&chain)?;
        let hosts = hosts
            .into_iter()
            .map(|host| host.to_ascii_lowercase())
            .collect();
        let certificate = Self {
            hosts,
            chain,
            key,
            not_after,
        };
        certificate.certified()?;
        Ok(certificate)
    }

    /// From PEM texts of a challenge's certificate.
    ///
    /// # Errors
    /// [`Error::Pem`] when one of the two cannot be read.
    pub fn of_challenge(
        hosts: Vec<String>,
        chain: String,
        key: Secret<String>,
    ) -> Result<Self, Error> {
        let not_after = not_after(&chain)?;
        Ok(Self {
            hosts,
            chain,
            key,
            not_after,
        })
    }

    /// From PEM files.
    ///
    /// # Errors
    /// [`Error::Read`] for a file, [`Error::Pem`] for its content.
    pub fn load(hosts: Vec<String>, chain: &Path, key: &Path) -> Result<Self, Error> {
        Self::from_pem(hosts, read(chain)?, Secret::new(read(key)?))
    }

    /// What rustls serves it from.
    pub(crate) fn certified(&self) -> Result<Arc<CertifiedKey>, Error> {
        let certified = self.certified_as_it_is()?;
        let (what, why) = match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
                return Ok(certified);
            }
            Err(rustls::Error::InconsistentKeys(_)) => (
                "private key",
                "it belongs to another certificate".to_owned(),
            ),
            Err(error) => ("certificate", error.to_string()),
        };
        Err(Error::Pem {
            what: self.what(what),
            why,
        })
    }

    /// The same, without looking whether clients of the web can use it: the certificate of a
    /// challenge has an extension that they must refuse (RFC 8737 §3).
    pub(super) fn certified_as_it_is(&self) -> Result<Arc<CertifiedKey>, Error> {
        let (chain, key) = self.parse()?;
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).map_err(Error::Tls)?;
        Ok(Arc::new(CertifiedKey::new(chain, key)))
    }

    /// Whether its key is an RSA key.
    ///
    /// # Errors
    /// [`Error::Pem`] when the key cannot be read.
    pub fn is_rsa(&self) -> Result<bool, Error> {
        let certified = self.certified()?;
        Ok(certified.key.algorithm() == rustls::SignatureAlgorithm::RSA)
    }

    pub(crate) fn parse(
        &self,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
        let chain = chain(&self.chain)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.expose().as_bytes()).map_err(|error| {
            Error::Pem {
                what: self.what("private key"),
                why: error.to_string(),
            }
        })?;
        Ok((chain, key))
    }

    fn what(&self, part: &str) -> String {
        match self.hosts.first() {
            Some(host) => format!("the {part} for `{host}`"),
            None => format!("the {part}"),
        }
    }
}

/// When the first certificate of a PEM text ends.
pub(crate) fn not_after(pem: &str) -> Result<Timestamp, Error> {
    let chain = chain(pem)?;
    let fail = |why: String| Error::Pem {
        what: "the certificate".to_owned(),
        why,
    };
    let leaf = chain
        .first()
        .ok_or_else(|| fail("it is empty".to_owned()))?;
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|error| fail(error.to_string()))?;
    Ok(Timestamp::from_millis(
        leaf.validity().not_after.timestamp().saturating_mul(1000),
    ))
}

pub(super) fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let fail = |why: String| Error::Pem {
        what: "the certificate chain".to_owned(),
        why,
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| fail(error.to_string()))?;
    if chain.is_empty() {
        return Err(fail("it holds no certificate".to_owned()));
    }
    Ok(chain)
}
