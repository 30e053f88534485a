//! Which certificate a client is shown, by the name it asks for; replaced while connections stay.

use std::fmt;
use std::sync::Arc;

use ahash::AHashMap;
use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::Certificate;
use crate::Error;

/// The certificates of a listener.
///
/// A name nobody has a certificate for ends the handshake: showing another host's certificate
/// would only teach people to click warnings away.
#[derive(Debug, Default)]
pub struct Certificates {
    table: ArcSwap<Table>,
}

#[derive(Default)]
struct Table {
    exact: AHashMap<String, Arc<CertifiedKey>>,
    wildcard: AHashMap<String, Arc<CertifiedKey>>,
    first: Option<Arc<CertifiedKey>>,
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
            let certified = certificate.certified()?;
            for host in &certificate.hosts {
                let (map, name) = match host.strip_prefix("*.") {
                    Some(parent) => (&mut table.wildcard, parent),
                    None => (&mut table.exact, host.as_str()),
                };
                map.entry(name.to_owned())
                    .or_insert_with(|| Arc::clone(&certified));
            }
            table.first.get_or_insert(certified);
        }
        self.table.store(Arc::new(table));
        Ok(())
    }

    /// Whether a handshake that asks for `name` would succeed.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.table.load().find(Some(name)).is_some()
    }
}

impl Table {
    /// A client that asks for no name (one that connects to an address) gets the first.
    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let Some(name) = name else {
            return self.first.clone();
        };
        let name = name.to_ascii_lowercase();
        let wildcard = || {
            name.split_once('.')
                .and_then(|(_, parent)| self.wildcard.get(parent))
        };
        self.exact.get(&name).or_else(wildcard).cloned()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.table.load().find(hello.server_name())
    }
}
