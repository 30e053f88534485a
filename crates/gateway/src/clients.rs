//! Client applications, known by their certificates. A certificate is compared whole, by each way
//! it can be named; what fits two clients is nobody's.

use std::sync::Arc;

use ahash::AHashMap;
use aws_lc_rs::digest;
use estate::{CertificateName, Estate};
use model::{Principal, PrincipalKind};
use net::tls::PeerCertificate;

use crate::caller::Guest;

/// Attributes of a subject, in order.
type Subject = Vec<(String, String)>;

/// No client's place: more than one names the subject.
const SEVERAL: usize = usize::MAX;

/// The clients of an estate that have certificates.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    all: Vec<Arc<Guest>>,
    spiffe: AHashMap<String, usize>,
    dns: AHashMap<String, usize>,
    keys: AHashMap<[u8; 32], usize>,
    subjects: AHashMap<Subject, usize>,
}

/// Whose a certificate is.
#[derive(Debug)]
pub(crate) enum Whose {
    /// This client's.
    Of(Arc<Guest>),
    /// Nobody's: no client names it.
    Nobody,
    /// Two clients name it.
    Several,
}

impl Clients {
    /// Those of an estate.
    pub(crate) fn new(estate: &Estate) -> Self {
        let mut clients = Self::default();
        for client in estate.clients.values() {
            let index = clients.all.len();
            clients.all.push(Arc::new(guest(client)));
            for name in &client.certificates {
                match name.clone() {
                    CertificateName::Spiffe(uri) => drop(clients.spiffe.insert(uri, index)),
                    CertificateName::Dns(name) => drop(clients.dns.insert(name, index)),
                    CertificateName::Key(key) => drop(clients.keys.insert(key, index)),
                    CertificateName::Subject(whole) => {
                        // Both orders are usual: that of the certificate, and RFC 4514 §2.1's.
                        let reversed = whole.iter().rev().cloned().collect();
                        for subject in [whole, reversed] {
                            let known = clients.subjects.entry(subject).or_insert(index);
                            if *known != index {
                                // Another client's, which is written the other way round.
                                *known = SEVERAL;
                            }
                        }
                    }
                }
            }
        }
        clients
    }

    /// Whose a certificate is that one of the authorities issued.
    pub(crate) fn whose(&self, certificate: &PeerCertificate) -> Whose {
        // SECURITY: with more than one URI it is no SPIFFE certificate (X509-SVID §2).
        let uri = match certificate.uris.as_slice() {
            [one] => self.spiffe.get(one),
            _ => None,
        };
        let subject: Subject = match self.subjects.is_empty() {
            true => Subject::new(),
            false => {
                let owned = certificate.subject.iter();
                owned
                    .map(|(kind, value)| ((*kind).to_owned(), value.clone()))
                    .collect()
            }
        };
        let mut found = certificate
            .dns
            .iter()
            .filter_map(|name| self.dns.get(name))
            .chain(uri)
            .chain(self.keys.get(&certificate.key))
            .chain(self.subjects.get(&subject));
        let Some(first) = found.next() else {
            return Whose::Nobody;
        };
        if found.any(|other| other != first) {
            return Whose::Several;
        }
        match self.all.get(*first) {
            Some(guest) => Whose::Of(Arc::clone(guest)),
            None => Whose::Several,
        }
    }

    /// A client by its name.
    pub(crate) fn called(&self, name: &str) -> Option<Arc<Guest>> {
        self.all
            .iter()
            .find(|guest| guest.principal.name == name)
            .cloned()
    }
}

fn guest(client: &estate::Client) -> Guest {
    // INVARIANT: persons' ids begin with `per_`, subjects of other issuers have a `|`; neither
    // begins with this.
    let id = format!("client:{}", client.name);
    let mut number = [0; 16];
    let digest = digest::digest(&digest::SHA256, id.as_bytes());
    number
        .iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    Guest {
        principal: Principal::new(PrincipalKind::Client, id, client.name.clone()),
        email: None,
        roles: client.roles.clone(),
        number,
        issuer: None,
    }
}

#[cfg(test)]
mod tests;
