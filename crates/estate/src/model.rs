//! The estate, checked: what is designed. Every value here is already valid; the only way to make
//! one is to parse it (`Estate::parse`).

mod certificates;
mod people;
mod places;
mod route;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ::model::{ByteSize, Network, Rate};
use serde::Serialize;

use crate::limits::{Budget, LimitKey, SharedLimits};
use crate::waf::Waf;

pub use certificates::*;
pub use people::*;
pub use places::*;
pub use route::*;

/// The whole estate at one version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estate {
    /// `[estate] name`.
    pub name: String,
    /// `[estate] domain`: the parent of hosts that give no full name.
    pub domain: String,
    /// `[listen]`.
    pub listen: Listen,
    /// `[console]`.
    pub console: Console,
    /// `[gateway]`.
    pub gateway: GatewaySettings,
    /// `[identity]`.
    pub identity: IdentitySettings,
    /// `[trail]`.
    pub trail: TrailSettings,
    /// `[limits]`: for routes that say nothing of their own.
    pub limits: Limits,
    /// `[limits.shared]`: where gateways count together.
    pub shared_limits: Option<SharedLimits>,
    /// `[waf]`: rules of the ModSecurity language.
    pub waf: Option<Waf>,
    /// `[[limit_key]]`, by name.
    pub limit_keys: BTreeMap<String, LimitKey>,
    /// `[[limit]]`, by name.
    pub budgets: BTreeMap<String, Budget>,
    /// `[[certificate]]`, in order. Hosts without one get one of the development authority.
    pub certificates: Vec<Certificate>,
    /// `[[listen.client_certificates]]`, in order: where clients are asked for a certificate.
    pub client_certificates: Vec<ClientCertificates>,
    /// `[acme]`: certificates that an authority issues by itself.
    pub acme: Option<AcmeSettings>,
    /// `[[zone]]`, by name.
    pub zones: BTreeMap<String, Zone>,
    /// `[[host]]`, by name.
    pub hosts: BTreeMap<String, Host>,
    /// `[[service]]`, by name.
    pub services: BTreeMap<String, Service>,
    /// `[[store]]`, by name.
    pub stores: BTreeMap<String, DataStore>,
    /// `[[role]]`, by name; the built-in ones are not listed.
    pub roles: BTreeMap<String, Role>,
    /// `[[group]]`, by name.
    pub groups: BTreeMap<String, Group>,
    /// `[[client]]`, by name: client applications.
    pub clients: BTreeMap<String, Client>,
    /// `[[issuer]]`, by name: others whose tokens are believed.
    pub issuers: BTreeMap<String, Issuer>,
    /// `[[route]]`, in file order.
    pub routes: Vec<Route>,
}

/// Where the gateway listens.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listen {
    /// `https = ["0.0.0.0:443"]`. At least one of the two lists is not empty.
    pub https: Vec<SocketAddr>,
    /// `http = ["0.0.0.0:80"]`: answers with a redirect to HTTPS, unless `plain = true`.
    pub http: Vec<SocketAddr>,
    /// `plain = true`: serve routes over clear HTTP too (behind another TLS terminator, or for
    /// measuring). Session cookies are then never set on clear connections.
    pub plain: bool,
    /// `proxy_protocol = ["10.0.0.0/8"]`: who must say for whom it connects.
    pub proxy_protocol: Vec<Network>,
    /// `metrics = "127.0.0.1:9464"`: Prometheus metrics of the gateway process; loopback by default.
    pub metrics: Option<SocketAddr>,
    /// `strict_sni = true`: refuse TLS handshakes that name no host.
    pub strict_sni: bool,
}

/// `[console]`: the sign-in pages and the console, on an origin of their own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Console {
    /// Full host name, lower case: `rampart.shop.example`.
    pub host: String,
}

/// `[gateway]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GatewaySettings {
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// For how long the gateway may decide from its last snapshot while control is away; routes
    /// may say less. After that it denies.
    pub staleness_max: Duration,
    /// How long open requests may run on after a stop was asked for.
    pub drain: Duration,
    /// Open connections in all.
    pub connections_max: u32,
    /// Open connections of one address.
    pub connections_per_address_max: u32,
    /// Bytes of held bodies in memory, over all requests.
    pub held_bodies_memory: ByteSize,
    /// Bytes of held bodies on disk, over all requests.
    pub held_bodies_disk: ByteSize,
    /// What happens to traffic records under pressure: `count` the gap, or `slow` down.
    pub pressure: Pressure,
    /// Which proxies in front may ask at `/.rampart/auth` whether a request may pass.
    pub auth_request: AuthRequest,
}

/// See [`GatewaySettings::pressure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pressure {
    /// Leave records out, and record how many.
    Count,
    /// Let requests wait for room.
    Slow,
}

/// See [`GatewaySettings::auth_request`]: by which headers a proxy names the request it asks about.
/// Only those of one style are believed, because a proxy of the other passes them on as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthRequest {
    /// Nobody may ask.
    Off,
    /// `X-Original-Method`, `X-Original-URI` and `Host`; refusals are 401 or 403.
    Nginx,
    /// `X-Forwarded-Method`, `X-Forwarded-Uri`, `X-Forwarded-Host`: Caddy, Traefik.
    Forwarded,
}

/// `[identity]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IdentitySettings {
    /// Sessions end after so long without use.
    pub session_idle: Duration,
    /// Sessions end after so long in any case.
    pub session_absolute: Duration,
    /// Fewest characters of a password (with a second factor: 8 or more; NIST SP 800-63B-4 §3.1.1).
    pub password_length_min: u32,
    /// Words no password may contain, beside the estate's name and domain.
    pub password_words: Vec<String>,
    /// A fresh proof is asked for before credentials are changed, when the last is older.
    pub step_up_after: Duration,
    /// How long a one-time enrolment link works.
    pub enrolment: Duration,
}

/// `[trail]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrailSettings {
    /// `checkpoints = ["/mnt/other/rampart.checkpoints"]`: files outside the data folder.
    pub checkpoints: Vec<String>,
    /// Disk kept free for the trail alone.
    pub reserve: ByteSize,
    /// Traffic segments are deleted after so long; their roots stay.
    pub traffic_keep: Duration,
}

/// Limits of one route, or `[limits]` for all that say nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// Bytes of the request head.
    pub head_bytes_max: ByteSize,
    /// Header fields of the request.
    pub headers_max: u32,
    /// Bytes of the request body.
    pub body_max: ByteSize,
    /// Bytes of the response body.
    pub response_max: ByteSize,
    /// The whole head must have arrived within.
    pub head_timeout: Duration,
    /// The body must arrive at this rate at least, after a grace of `head_timeout`.
    pub body_bytes_per_s_min: ByteSize,
    /// A connection may be idle between requests for.
    pub idle_timeout: Duration,
    /// Connecting to the upstream may take.
    pub connect_timeout: Duration,
    /// The upstream's response head must have arrived within.
    pub response_timeout: Duration,
    /// A response that has begun may say nothing for.
    pub response_idle_timeout: Duration,
    /// Rate of requests per client address, over all routes.
    pub per_address: Option<Rate>,
    /// Rate of sign-in attempts per client address.
    pub sign_in_per_address: Rate,
}
