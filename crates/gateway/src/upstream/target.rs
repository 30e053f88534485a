//! What a request can be sent to: a service of the estate, or control.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use estate::{NamedPlace, Protocol, Reach, Service};
use http::HeaderValue;
use model::Severity;

use super::around::Around;
use super::group::Group;
use super::member::Endpoint;
use super::report::{Said, Topic};
use super::resolve::{Found, Guard};
use super::tls::Tls;
use crate::Error;

/// A service with its addresses and its TLS, compiled once per estate version.
#[derive(Debug)]
pub(crate) struct Target {
    /// Tells pools apart; never used twice in a process.
    pub(super) id: u64,
    /// The service's name, for metrics and records.
    pub(crate) name: Arc<str>,
    /// What it calls itself: the `Host` to send when the client's is not kept.
    pub(crate) authority: HeaderValue,
    pub(super) tls: Option<Tls>,
    pub(super) group: Arc<Group>,
    fixed: Vec<SocketAddr>,
    pub(super) names: Vec<Name>,
    guard: Guard,
}

/// A name and what it led to last.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) place: NamedPlace,
    known: Mutex<Known>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    addresses: BTreeSet<SocketAddr>,
    /// Whether the last look-up came to something; nothing before the first.
    is_found: Option<bool>,
    refused: Vec<(SocketAddr, &'static str)>,
}

impl Target {
    /// A service of the estate, which must not lead to where the gateway itself listens (`ours`).
    /// What was learnt about it as the last version had it (`before`) is kept.
    pub(crate) fn service(
        service: &Service,
        around: &Around,
        ours: &[SocketAddr],
        before: Option<&Self>,
    ) -> Result<Self, Error> {
        let fail = |message: String| Error::Service {
            service: service.name.clone(),
            message,
        };
        let first = match (service.endpoints.first(), service.named.first()) {
            (Some(address), _) => address.to_string(),
            (None, Some(named)) => named.to_string(),
            (None, None) => return Err(fail("it stands on no host".to_owned())),
        };
        let tls = match service.protocol {
            Protocol::Http => None,
            Protocol::Https => Some(Tls::new(service, &around.base).map_err(fail)?),
        };
        let authority = match &service.tls_name {
            Some(name) if tls.is_some() => format!("{name}:{}", service.port),
            _ => first,
        };
        let authority =
            HeaderValue::try_from(authority).map_err(|_| fail("its name is no host".to_owned()))?;
        let name: Arc<str> = Arc::from(service.name.as_str());
        let inherited = before.map(|before| &*before.group);
        let group = Group::new(Arc::clone(&name), service.reach.clone(), around, inherited);
        let target = Self {
            id: next_id(),
            name,
            authority,
            tls,
            group: Arc::new(group),
            fixed: service.endpoints.clone(),
            names: service
                .named
                .iter()
                .map(|place| Name::new(place, before))
                .collect(),
            guard: Guard::new(&service.reach.resolve, ours),
        };
        target.place();
        Ok(target)
    }

    /// Tells targets apart; never used twice in a process.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Control, over its socket: the console, sign-in and the API.
    pub(crate) fn control(socket: PathBuf, around: &Around) -> Self {
        let name: Arc<str> = Arc::from("control");
        let group = Group::new(Arc::clone(&name), Reach::default(), around, None);
        group.place([Endpoint::Unix(socket)]);
        Self {
            id: next_id(),
            name,
            authority: HeaderValue::from_static("control"),
            tls: None,
            group: Arc::new(group),
            fixed: Vec::new(),
            names: Vec::new(),
            guard: Guard::default(),
        }
    }

    /// What requests to it are told apart by.
    pub(crate) fn hashed_by(&self) -> Option<&estate::HashKey> {
        self.group.hashed_by()
    }

    /// Takes in what looking up a name came to.
    pub(super) fn found(&self, name: &Name, found: Result<Vec<SocketAddr>, String>) {
        let address = Some(name.place.to_string());
        let mut known = name.known();
        let before = known.is_found;
        let found = match found {
            Ok(found) => self.guard.sift(found),
            Err(why) => {
                // What was found last stays: a resolver that is away says nothing about services.
                known.is_found = Some(false);
                let is_known = !known.addresses.is_empty();
                drop(known);
                if before != Some(false) {
                    self.group.say(address, lost(&why, is_known));
                }
                return;
            }
        };
        let Found {
            addresses,
            refused,
            left_out,
        } = found;
        let usable = !addresses.is_empty();
        let news = refused != known.refused;
        known.refused.clone_from(&refused);
        known.is_found = Some(usable);
        // All refused: the service is nowhere. What the name led to before may be somebody else's.
        known.addresses = addresses;
        drop(known);
        if let (Some((refused, why)), true) = (refused.first(), news) {
            self.group.say(address.clone(), forbidden(*refused, why));
        }
        if left_out > 0 {
            tracing::warn!(service = %self.name, name = %name.place, left_out, "a name has more addresses than are used");
        }
        if usable && before == Some(false) {
            self.group.say(address, found_again());
        }
        self.place();
    }

    /// Where it listens, as far as is known.
    fn place(&self) {
        let named: Vec<_> = self
            .names
            .iter()
            .flat_map(|name| name.known().addresses.clone())
            .collect();
        let all = self.fixed.iter().copied().chain(named);
        self.group.place(all.map(Endpoint::Tcp));
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.group.retire();
    }
}

impl Name {
    fn new(place: &NamedPlace, before: Option<&Target>) -> Self {
        let same = before
            .into_iter()
            .flat_map(|target| &target.names)
            .find(|name| name.place == *place);
        Self {
            place: place.clone(),
            known: Mutex::new(same.map(|name| name.known().clone()).unwrap_or_default()),
        }
    }

    /// Whether it was looked up before.
    pub(super) fn is_known(&self) -> bool {
        self.known().is_found.is_some()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lost(why: &str, is_known: bool) -> Said {
    let rest = if is_known {
        "requests go to the addresses it had"
    } else {
        "no request reaches it"
    };
    Said {
        topic: Topic::Names,
        kind: "gateway.upstream.unresolved",
        severity: Severity::Medium,
        text: format!("{why}; {rest}"),
    }
}

fn found_again() -> Said {
    Said {
        topic: Topic::Names,
        kind: "gateway.upstream.resolved",
        severity: Severity::Info,
        text: "it is found again".to_owned(),
    }
}

fn forbidden(address: SocketAddr, why: &str) -> Said {
    Said {
        topic: Topic::Names,
        kind: "gateway.upstream.address_refused",
        severity: Severity::High,
        text: format!("it leads to {address}, which is refused: {why}"),
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
