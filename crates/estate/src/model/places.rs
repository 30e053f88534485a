//! Zones, hosts, services and stores.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use crate::upstream::{NamedPlace, Reach};

/// `[[zone]]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
}

/// `[[host]]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Name of its zone.
    pub zone: String,
    /// Its address.
    pub address: IpAddr,
}

/// `[[service]]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Where it listens: every host's address with the port.
    pub endpoints: Vec<SocketAddr>,
    /// Where else, by names that are looked up.
    pub named: Vec<NamedPlace>,
    /// Names of hosts.
    pub hosts: Vec<String>,
    /// TCP port.
    pub port: u16,
    /// How to speak to it.
    pub protocol: Protocol,
    /// Names of services and stores it must reach.
    pub needs: Vec<String>,
    /// Audience (`aud`) of tokens and assertions for it; its name by default.
    pub audience: String,
    /// Name to verify in its certificate, and to send as SNI.
    pub tls_name: Option<String>,
    /// PEM file of authorities that may have issued its certificate; the system's by default.
    pub tls_authority: Option<String>,
    /// PEM file of the certificate to prove oneself with.
    pub tls_certificate: Option<String>,
    /// PEM file of its private key.
    pub tls_key: Option<String>,
    /// How it is reached.
    #[serde(flatten)]
    pub reach: Reach,
    /// What to send as `Host`: the client's, or the service's own address.
    pub host_header: HostHeader,
}

/// How to speak to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1 in clear.
    Http,
    /// HTTP/1.1 over verified TLS.
    Https,
    /// HTTP/2 in clear, without asking before (RFC 9113 §3.3).
    H2c,
    /// HTTP/2 over verified TLS, agreed on in its handshake (RFC 9113 §3.2).
    H2,
}

impl Protocol {
    /// Whether TLS protects it.
    #[must_use]
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::H2)
    }

    /// Whether it is HTTP/2.
    #[must_use]
    pub const fn is_http2(self) -> bool {
        matches!(self, Self::H2c | Self::H2)
    }
}

/// See [`Service::host_header`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HostHeader {
    /// What the client asked for.
    Preserve,
    /// The service's address.
    Upstream,
}

/// `[[store]]`: a data store of the team's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataStore {
    /// Its name.
    pub name: String,
    /// `postgres`, `mysql`, `sqlite`, `redis`, `files`, `other`.
    pub kind: String,
    /// Name of its host.
    pub host: String,
    /// TCP port; the kind's usual one by default.
    pub port: Option<u16>,
}
