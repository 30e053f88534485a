//! What a request can be sent to: a service of the estate, or control.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use estate::{Protocol, Service};
use http::HeaderValue;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

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
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) tls: Option<Tls>,
    /// Whether it is spoken to in HTTP/2.
    pub(super) http2: bool,
}

/// One address of a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// How to verify it.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// A service of the estate. Paths of authorities are relative to `base`.
    pub(crate) fn service(service: &Service, base: &Path) -> Result<Self, Error> {
        let fail = |message: String| Error::Service {
            service: service.name.clone(),
            message,
        };
        let first = service
            .endpoints
            .first()
            .ok_or_else(|| fail("it stands on no host".to_owned()))?;
        let tls = match service.protocol {
            Protocol::Http | Protocol::H2c => None,
            Protocol::Https | Protocol::H2 => Some(tls(service, *first, base).map_err(fail)?),
        };
        let authority = match &service.tls_name {
            Some(name) if tls.is_some() => format!("{name}:{}", service.port),
            _ => first.to_string(),
        };
        let authority =
            HeaderValue::try_from(authority).map_err(|_| fail("its name is no host".to_owned()))?;
        Ok(Self {
            id: next_id(),
            name: Arc::from(service.name.as_str()),
            authority,
            endpoints: service
                .endpoints
                .iter()
                .copied()
                .map(Endpoint::Tcp)
                .collect(),
            tls,
            http2: service.protocol.is_http2(),
        })
    }

    /// Tells targets apart; never used twice in a process.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Control, over its socket: the console, sign-in and the API.
    pub(crate) fn control(socket: PathBuf) -> Self {
        Self {
            id: next_id(),
            name: Arc::from("control"),
            authority: HeaderValue::from_static("control"),
            endpoints: vec![Endpoint::Unix(socket)],
            tls: None,
            http2: false,
        }
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn tls(service: &Service, first: SocketAddr, base: &Path) -> Result<Tls, String> {
    let name = service
        .tls_name
        .clone()
        .unwrap_or_else(|| first.ip().to_string());
    let name = ServerName::try_from(name).map_err(|_| "`tls_name` is no host name".to_owned())?;
    let roots = match &service.tls_authority {
        Some(path) => net::tls::Roots::File(base.join(path)),
        None => net::tls::Roots::System,
    };
    let config = net::tls::client_config(&roots).map_err(|error| error.to_string())?;
    let config = if service.protocol.is_http2() {
        let mut config = Arc::unwrap_or_clone(config);
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    } else {
        config
    };
    Ok(Tls { config, name })
}
