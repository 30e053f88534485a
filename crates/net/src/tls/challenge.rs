//! Answers to an authority's challenges: pages for HTTP-01 (RFC 8555 §8.3) and certificates for
//! TLS-ALPN-01 (RFC 8737), for exactly the names and tokens that are under way.

use std::sync::Arc;

use ahash::AHashMap;
use arc_swap::ArcSwap;
use model::{Clock, Entropy};
use rcgen::{CertificateParams, CustomExtension, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::server::ClientHello;
use rustls::sign::CertifiedKey;

use super::Certificate;
use crate::Error;

/// The protocol of a challenge's handshake (RFC 8737 §6.2).
pub(super) const PROTOCOL: &[u8] = b"acme-tls/1";
/// LIMIT: challenges under way at once.
const CHALLENGES_MAX: usize = 256;
/// How long a challenge's certificate is valid.
const VALID: std::time::Duration = std::time::Duration::from_hours(24);

/// One challenge under way.
#[derive(Clone, Debug)]
pub enum Challenge {
    /// A page.
    Page {
        /// Whose.
        host: String,
        /// The last segment of its path.
        token: String,
        /// Its content.
        answer: String,
    },
    /// A certificate in a handshake.
    Handshake(Certificate),
}

/// What is answered now; swapped whole.
#[derive(Debug, Default)]
pub struct Challenges {
    table: ArcSwap<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// By token: whose, and what.
    pages: AHashMap<String, (String, String)>,
    handshakes: AHashMap<String, Arc<CertifiedKey>>,
}

impl Challenges {
    /// Answers exactly these from now on.
    ///
    /// # Errors
    /// [`Error::TooMany`]; what is wrong with a certificate. Then nothing changes.
    pub fn replace(&self, challenges: &[Challenge]) -> Result<(), Error> {
        if challenges.len() > CHALLENGES_MAX {
            return Err(Error::TooMany {
                max: CHALLENGES_MAX,
            });
        }
        let mut table = Table::default();
        for challenge in challenges {
            match challenge {
                Challenge::Page {
                    host,
                    token,
                    answer,
                } => {
                    let page = (host.to_ascii_lowercase(), answer.clone());
                    table.pages.insert(token.clone(), page);
                }
                Challenge::Handshake(certificate) => {
                    let certified = certificate.certified_as_it_is()?;
                    for host in &certificate.hosts {
                        let certified = Arc::clone(&certified);
                        table.handshakes.insert(host.clone(), certified);
                    }
                }
            }
        }
        self.table.store(Arc::new(table));
        Ok(())
    }

    /// The page of `token` on `host`.
    #[must_use]
    pub fn page(&self, host: &str, token: &str) -> Option<String> {
        let table = self.table.load();
        // SECURITY: a token is good for its own host alone: whoever may ask for one name must not
        // answer for another.
        let (of, answer) = table.pages.get(token)?;
        of.eq_ignore_ascii_case(host).then(|| answer.clone())
    }

    pub(super) fn handshake(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        self.table.load().handshakes.get(&name).cloned()
    }
}

/// Whether a client asks for a challenge: it offers that protocol and no other (RFC 8737 §3).
pub(super) fn is_asked(hello: &ClientHello<'_>) -> bool {
    let Some(mut offered) = hello.alpn() else {
        return false;
    };
    offered.next() == Some(PROTOCOL) && offered.next().is_none()
}

/// Whether a finished handshake was a challenge: nothing is said over such a connection.
#[must_use]
pub fn is_challenge(protocol: Option<&[u8]>) -> bool {
    protocol == Some(PROTOCOL)
}

/// The certificate that answers a challenge for `host`: signed by itself, with the digest of the
/// key authorization in a critical extension (RFC 8737 §3).
///
/// # Errors
/// [`Error::Issue`] when the host cannot stand in a certificate.
pub fn challenge_certificate(
    host: &str,
    digest: [u8; 32],
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Certificate, Error> {
    let hosts = vec![host.to_ascii_lowercase()];
    let mut params = CertificateParams::new(hosts.clone()).map_err(Error::Issue)?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(&digest)];
    params.serial_number = Some(crate::authority::serial(entropy));
    let not_after = crate::authority::validity(&mut params, clock, VALID);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(Error::Issue)?;
    let leaf = params.self_signed(&key).map_err(Error::Issue)?;
    Ok(Certificate {
        hosts,
        chain: leaf.pem(),
        key: model::Secret::new(key.serialize_pem()),
        not_after,
    })
}
