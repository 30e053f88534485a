//! Which certificate a client is shown, by the name it asks for and the signatures it can verify;
//! replaced while connections stay.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ahash::AHashMap;
use arc_swap::ArcSwap;
use rustls::SignatureAlgorithm;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::challenge::{self, Challenges};
use super::{Certificate, covers};
use crate::Error;

/// The certificates of a listener.
///
/// A name nobody has a certificate for ends the handshake: showing another host's certificate
/// would only teach people to click warnings away.
#[derive(Debug, Default)]
pub struct Certificates {
    table: ArcSwap<Table>,
    challenges: Challenges,
    unnamed_refused: AtomicBool,
}

/// What a client that names no host gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// The first certificate.
    First,
    /// No handshake.
    Refused,
}

#[derive(Default)]
struct Table {
    exact: AHashMap<String, Several>,
    wildcard: AHashMap<String, Several>,
    first: Option<Several>,
}

/// Certificates for one name, ECDSA before RSA: whoever can verify the first is spared the larger
/// and slower one.
type Several = Vec<Shown>;

#[derive(Clone)]
struct Shown {
    key: Arc<CertifiedKey>,
    /// Every name the certificate is good for.
    names: Arc<[String]>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("exact", &self.exact.keys())
            .field("wildcard", &self.wildcard.keys())
            .finish_non_exhaustive()
    }
}

impl Certificates {
    /// None yet: every handshake fails until [`Certificates::replace`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces all of them at once; open connections keep what they have. On an error nothing
    /// changes.
    ///
    /// # Errors
    /// What is wrong with the first bad one.
    pub fn replace(&self, certificates: &[Certificate]) -> Result<(), Error> {
        let mut table = Table::default();
        for certificate in certificates {
            let shown = Shown {
                key: certificate.certified()?,
                names: certificate.names()?.into(),
            };
            for host in &certificate.hosts {
                let (map, name) = match host.strip_prefix("*.") {
                    Some(parent) => (&mut table.wildcard, parent),
                    None => (&mut table.exact, host.as_str()),
                };
                add(map.entry(name.to_owned()).or_default(), shown.clone());
            }
            table.first.get_or_insert_with(|| vec![shown]);
        }
        self.table.store(Arc::new(table));
        Ok(())
    }

    /// Settles what clients that name no host get.
    pub fn set_unnamed(&self, unnamed: Unnamed) {
        let refused = unnamed == Unnamed::Refused;
        self.unnamed_refused.store(refused, Ordering::Relaxed);
    }

    /// What an authority asks for now.
    #[must_use]
    pub fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// Whether a handshake that asks for `name` would succeed.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.table.load().find(Some(name)).is_some()
    }

    /// Whether there is a certificate for what a client says first.
    #[must_use]
    pub fn knows(&self, hello: &ClientHello<'_>) -> bool {
        if challenge::is_asked(hello) {
            let name = hello.server_name();
            return name.is_some_and(|name| self.challenges.handshake(name).is_some());
        }
        self.has(hello.server_name())
    }

    fn has(&self, name: Option<&str>) -> bool {
        let refused = name.is_none() && self.unnamed_refused.load(Ordering::Relaxed);
        !refused && self.table.load().find(name).is_some()
    }

    /// Whether a certificate for `name`, which a handshake was made with, is good for `host` too
    /// (RFC 9110 §7.4): then a client may ask for both over one connection.
    #[must_use]
    pub fn share(&self, name: &str, host: &str) -> bool {
        let table = self.table.load();
        let several = table.find(Some(name));
        several.is_some_and(|several| {
            let names = several.iter().flat_map(|shown| shown.names.iter());
            names.into_iter().any(|name| covers(name, host))
        })
    }
}

/// Of two with the same kind of key the earlier stays.
fn add(several: &mut Several, shown: Shown) {
    let kind = |shown: &Shown| shown.key.key.algorithm();
    if several.iter().any(|known| kind(known) == kind(&shown)) {
        return;
    }
    if kind(&shown) == SignatureAlgorithm::RSA {
        several.push(shown);
    } else {
        several.insert(0, shown);
    }
}

impl Table {
    /// A client that asks for no name (one that connects to an address) gets the first.
    fn find(&self, name: Option<&str>) -> Option<&Several> {
        let Some(name) = name else {
            return self.first.as_ref();
        };
        let name = name.to_ascii_lowercase();
        let wildcard = || {
            name.split_once('.')
                .and_then(|(_, parent)| self.wildcard.get(parent))
        };
        self.exact.get(&name).or_else(wildcard)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name();
        if challenge::is_asked(&hello) {
            return self.challenges.handshake(name?);
        }
        if !self.has(name) {
            return None;
        }
        let table = self.table.load();
        let several = table.find(name)?;
        let offered = hello.signature_schemes();
        let fitting = several
            .iter()
            .find(|shown| shown.key.key.choose_scheme(offered).is_some());
        fitting
            .or(several.first())
            .map(|shown| Arc::clone(&shown.key))
    }
}
