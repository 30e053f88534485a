//! What a reader found, in no format: services, routes, and what stands around them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::notes::{Notes, Place};
use crate::{Error, Input, address};

/// LIMIT: routes of one draft.
const ROUTES_MAX: usize = 4_000;
/// LIMIT: services of one draft.
const SERVICES_MAX: usize = 1_000;
/// LIMIT: addresses that a draft listens on, of each kind.
pub(crate) const LISTENERS_MAX: usize = 64;

/// The draft of an estate.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) console: Option<String>,
    /// Hosts that are known beside those of routes.
    pub(crate) hosts: Vec<String>,
    pub(crate) https: Vec<(SocketAddr, Place)>,
    pub(crate) http: Vec<(SocketAddr, Place)>,
    /// Whether routes are served over clear HTTP.
    pub(crate) plain: bool,
    /// Ranges whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<(String, Place)>,
    /// Ranges that must speak the PROXY protocol.
    pub(crate) proxy_protocol: Vec<(String, Place)>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) client_certificates: Vec<ClientCertificates>,
    /// What the old program gets from an authority by itself.
    pub(crate) acme: Option<Acme>,
    pub(crate) services: Vec<Service>,
    pub(crate) routes: Vec<Route>,
    pub(crate) closings: Vec<Closing>,
    /// Permissions that routes ask for, with what their role is about.
    pub(crate) roles: Vec<(String, String)>,
    /// Bytes of a body, for routes that say nothing.
    pub(crate) body_max: Option<(u64, String)>,
    /// What the head of the file says beside the rest.
    pub(crate) remarks: Vec<String>,
    pub(crate) notes: Notes,
    taken: BTreeMap<(Option<String>, String), Place>,
}

/// A certificate that somebody has already.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) hosts: Vec<String>,
    pub(crate) chain: String,
    pub(crate) key: String,
    pub(crate) place: Place,
}

/// Clients are asked for a certificate.
#[derive(Clone, Debug)]
pub(crate) struct ClientCertificates {
    pub(crate) hosts: Vec<String>,
    pub(crate) authorities: String,
    pub(crate) mode: &'static str,
    pub(crate) crl: Option<String>,
    pub(crate) place: Place,
}

/// Certificates came from an authority.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acme {
    pub(crate) contact: Option<String>,
    pub(crate) directory: Option<String>,
}

/// A key of a service, and its value as TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) value: String,
}

/// A backend.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) addresses: Vec<String>,
    pub(crate) protocol: &'static str,
    /// Whether it gets its own address as `Host`.
    pub(crate) own_host: bool,
    pub(crate) settings: Vec<Setting>,
    /// It may read nothing of a request for so long.
    pub(crate) send_ms: Option<u64>,
    pub(crate) remarks: Vec<String>,
    pub(crate) place: Place,
}

impl Service {
    pub(crate) fn new(name: &str, addresses: Vec<String>, place: &Place) -> Self {
        Self {
            name: name.to_owned(),
            addresses,
            protocol: "http",
            own_host: false,
            settings: Vec::new(),
            send_ms: None,
            remarks: Vec::new(),
            place: place.clone(),
        }
    }

    /// Says `key` once.
    pub(crate) fn set(&mut self, key: &'static str, value: String) {
        match self.settings.iter_mut().find(|one| one.key == key) {
            Some(known) => known.value = value,
            None => self.settings.push(Setting { key, value }),
        }
    }

    /// Says `key` with the path of a file, where the estate takes it as one.
    pub(crate) fn set_file(&mut self, key: &'static str, file: &str) {
        if is_file(file) {
            self.set(key, crate::write::quoted(file));
        }
    }

    pub(crate) fn is_http2(&self) -> bool {
        matches!(self.protocol, "h2" | "h2c")
    }
}

/// Whether the estate takes a text as the path of a file.
pub(crate) fn is_file(text: &str) -> bool {
    !text.is_empty() && text.len() <= 4_000 && !text.chars().any(char::is_control)
}

/// Whom a route lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Everybody: sign-in, if any, is the backend's.
    Open,
    /// Whom the old file let in by means that the estate does not have.
    Asks(String),
    /// Nobody.
    Closed(String),
}

/// A route.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) host: Option<String>,
    pub(crate) path: String,
    /// Index of its service.
    pub(crate) service: usize,
    pub(crate) strip: Option<String>,
    pub(crate) guard: Guard,
    pub(crate) permission: Option<String>,
    pub(crate) rates: Vec<String>,
    pub(crate) body_max: Option<u64>,
    pub(crate) connect_ms: Option<u64>,
    pub(crate) response_ms: Option<u64>,
    pub(crate) websocket: bool,
    pub(crate) stream: bool,
    pub(crate) security_headers: bool,
    pub(crate) openapi: Option<String>,
    pub(crate) remarks: Vec<String>,
    pub(crate) what: String,
    pub(crate) place: Place,
}

impl Route {
    pub(crate) fn new(host: Option<&str>, path: &str, service: usize, place: &Place) -> Self {
        Self {
            name: String::new(),
            host: host.map(str::to_owned),
            path: path.to_owned(),
            service,
            strip: None,
            guard: Guard::Open,
            permission: None,
            rates: Vec::new(),
            body_max: None,
            connect_ms: None,
            response_ms: None,
            websocket: false,
            stream: false,
            security_headers: false,
            openapi: None,
            remarks: Vec::new(),
            what: String::new(),
            place: place.clone(),
        }
    }
}

/// Paths of which the old file passed nothing on.
#[derive(Clone, Debug)]
pub(crate) struct Closing {
    pub(crate) host: Option<String>,
    pub(crate) path: String,
    pub(crate) place: Place,
    pub(crate) what: String,
    pub(crate) why: String,
}

impl Draft {
    pub(crate) fn new(input: &Input<'_>) -> Self {
        Self {
            name: address::name(input.estate, "my-estate"),
            domain: "localhost".to_owned(),
            console: None,
            hosts: Vec::new(),
            https: Vec::new(),
            http: Vec::new(),
            plain: false,
            trusted_proxies: Vec::new(),
            proxy_protocol: Vec::new(),
            certificates: Vec::new(),
            client_certificates: Vec::new(),
            acme: None,
            services: Vec::new(),
            routes: Vec::new(),
            closings: Vec::new(),
            roles: Vec::new(),
            body_max: None,
            remarks: Vec::new(),
            notes: Notes::default(),
            taken: BTreeMap::new(),
        }
    }

    /// The index of a service like this one, which is added where there is none yet.
    pub(crate) fn service(&mut self, wanted: Service) -> Result<usize, Error> {
        let same = |known: &Service| {
            known.addresses == wanted.addresses
                && known.protocol == wanted.protocol
                && known.own_host == wanted.own_host
                && known.settings == wanted.settings
        };
        if let Some(at) = self.services.iter().position(same) {
            if let Some(known) = self.services.get_mut(at) {
                known.send_ms = known.send_ms.max(wanted.send_ms);
            }
            return Ok(at);
        }
        if self.services.len() >= SERVICES_MAX {
            return Err(Error::Limit {
                what: "services".to_owned(),
                max: SERVICES_MAX,
            });
        }
        let name = address::name(&wanted.name, "service");
        let name = address::unique(&name, |name| {
            self.services.iter().any(|known| known.name == name)
        });
        self.services.push(Service { name, ..wanted });
        Ok(self.services.len().saturating_sub(1))
    }

    /// Adds a route; where one has its place already, that one stays and this is said.
    pub(crate) fn route(&mut self, route: Route) -> Result<bool, Error> {
        if self.routes.len() >= ROUTES_MAX {
            return Err(Error::Limit {
                what: "routes".to_owned(),
                max: ROUTES_MAX,
            });
        }
        if !self.take(&route.host, &route.path, &route.place) {
            let first = self.taken.get(&(route.host.clone(), route.path.clone()));
            let first = first.map(ToString::to_string).unwrap_or_default();
            let why = format!(
                "`{}` of {} has a route already, from {first}: a route is told by host and path alone, not by port or method",
                route.path,
                route.host.as_deref().unwrap_or("every host"),
            );
            let instead = "give one of them a host or path of its own";
            self.notes.left(&route.place, &route.what, &why, instead);
            return Ok(false);
        }
        self.routes.push(route);
        Ok(true)
    }

    /// Nothing of these paths was passed on.
    pub(crate) fn close(&mut self, closing: Closing) -> Result<(), Error> {
        if self.closings.len() >= ROUTES_MAX {
            return Err(Error::Limit {
                what: "routes".to_owned(),
                max: ROUTES_MAX,
            });
        }
        self.closings.push(closing);
        Ok(())
    }

    /// Whether host and path were free.
    fn take(&mut self, host: &Option<String>, path: &str, place: &Place) -> bool {
        let key = (host.clone(), path.to_owned());
        if self.taken.contains_key(&key) {
            return false;
        }
        self.taken.insert(key, place.clone());
        true
    }
}
