//! The estate, checked: what is designed. Every value here is already valid; the only way to make
//! one is to parse it (`Estate::parse`).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ::model::{ByteSize, Network, Permission, PermissionSet, Rate, Span};
use serde::Serialize;

use crate::CertificateName;
use crate::limits::{Budget, Cost, LimitKey, RouteConcurrent, RouteRate, SharedLimits};
use crate::sanitize::Sanitize;
use crate::upstream::{NamedPlace, Reach};
use crate::waf::{RouteWaf, Waf};

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

/// `[[certificate]]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Certificate {
    /// Host names it serves; `*.shop.example` covers one label.
    pub hosts: Vec<String>,
    /// PEM file of the chain, leaf first; relative to the estate file.
    pub chain: String,
    /// PEM file of the private key.
    pub key: String,
    /// Where its `chain` stands in the file.
    #[serde(skip)]
    pub span: Span,
}

/// `[acme]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AcmeSettings {
    /// Address of the authority's directory (RFC 8555 §7.1.1).
    pub directory: String,
    /// `mailto:` addresses.
    pub contact: Vec<String>,
    /// Whether its terms are agreed to; otherwise nothing is asked for.
    pub terms_agreed: bool,
    /// Hosts to have certificates for, one each; sorted.
    pub hosts: Vec<String>,
    /// How a name is shown to be ours.
    pub challenge: AcmeChallenge,
    /// The kind of key of each certificate.
    pub key: AcmeKey,
    /// A certificate is renewed when one part of so many of its life is left.
    pub renew_part: u32,
    /// The profile to ask for.
    pub profile: Option<String>,
    /// PEM file of the authorities of the directory itself; the system's by default.
    pub authority: Option<String>,
    /// The account that exists already.
    pub eab: Option<Binding>,
}

/// See [`AcmeSettings::challenge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum AcmeChallenge {
    /// A page on the clear listener (RFC 8555 §8.3).
    #[serde(rename = "http-01")]
    Http01,
    /// A certificate in a handshake (RFC 8737).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
}

/// See [`AcmeSettings::key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum AcmeKey {
    /// ECDSA with P-256.
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
    /// ECDSA with P-384.
    #[serde(rename = "ecdsa-p384")]
    EcdsaP384,
    /// RSA with 2048 bits.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
}

/// An account with the authority that exists already (RFC 8555 §7.3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The key's name.
    pub key_id: String,
    /// File of the key, base64url.
    pub key_file: String,
}

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

/// `[[role]]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// What its holders may do.
    pub allow: PermissionSet,
    /// Where it stands in the file.
    #[serde(skip)]
    pub span: Span,
}

/// `[[group]]`: people get its roles by being bound to the group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Names of roles.
    pub roles: Vec<String>,
}

/// `[[client]]`: an application that signs people in or calls for itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Client {
    /// Its name, which is also its `client_id`.
    pub name: String,
    /// Exact addresses a sign-in may return to.
    pub redirects: Vec<String>,
    /// Names of roles it holds when it calls for itself.
    pub roles: Vec<String>,
    /// The certificates it proves itself by.
    pub certificates: Vec<CertificateName>,
}

/// `[[listen.client_certificates]]`: clients of some hosts are asked for a certificate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientCertificates {
    /// Full host names, lower case; empty for every host but the console's.
    pub hosts: Vec<String>,
    /// PEM file of the authorities that may have issued them.
    pub authorities: String,
    /// What happens to who shows none.
    pub mode: CertificateMode,
    /// PEM files of revocation lists.
    pub crls: Vec<String>,
    /// What happens when a list is past its `nextUpdate`.
    pub crl_expired: CrlExpired,
}

/// See [`ClientCertificates::mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateMode {
    /// A certificate may be shown; a wrong one ends the handshake.
    Request,
    /// Nobody connects without one.
    Require,
}

/// See [`ClientCertificates::crl_expired`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CrlExpired {
    /// No certificate it covers is accepted.
    Refuse,
    /// What it says is still believed.
    Accept,
}

/// `[[issuer]]`: another issuer of access tokens.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Issuer {
    /// Its name, which its subjects are known by.
    pub name: String,
    /// What `iss` must be, exactly.
    pub url: String,
    /// One of these must stand in `aud`.
    pub audience: Vec<String>,
    /// What its tokens may be signed with.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Where its keys come from.
    pub keys: IssuerKeys,
    /// PEM file of authorities that may have issued its server's certificate; the system's by
    /// default.
    pub authority: Option<String>,
    /// The claim that roles are read from.
    pub roles_claim: String,
    /// What a value of that claim gives.
    pub roles_map: BTreeMap<String, String>,
    /// The claim that says who it is.
    pub subject: String,
    /// How far clocks may be apart.
    pub clock_skew: Duration,
    /// Accepted values of `typ`, lower case, without `application/`.
    pub types: Vec<String>,
    /// For how long keys are used that could not be fetched anew.
    pub keys_keep: Duration,
}

/// See [`Issuer::keys`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerKeys {
    /// Its `.well-known/openid-configuration` says where.
    Discovery,
    /// A JWK set at this address.
    Jwks(String),
    /// A JWK set in this file.
    File(String),
}

/// Signature algorithms of foreign tokens (RFC 7518 §3.1, RFC 8037); none that shares a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// `[[route]]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Route {
    /// Stable name for metrics and events: given, or made from host and path.
    pub name: String,
    /// Full host name, lower case; `None` serves every host but the console's.
    pub host: Option<String>,
    /// Which paths.
    pub path: PathPattern,
    /// Name of the service.
    pub to: String,
    /// Prefix taken off the path before it is forwarded.
    pub strip_prefix: Option<String>,
    /// Who must sign in.
    pub auth: Auth,
    /// What they must hold, by method.
    pub require: Require,
    /// How each enforcing step acts.
    pub modes: Modes,
    /// Rate limits.
    pub rates: Vec<RouteRate>,
    /// What one request takes of each of them.
    #[serde(skip_serializing_if = "is_one")]
    pub cost: Cost,
    /// How many requests at once.
    pub concurrent: Vec<RouteConcurrent>,
    /// Cross-origin access.
    pub cors: Option<Cors>,
    /// Limits of its own, or the estate's.
    pub limits: Limits,
    /// May it decide from a snapshot that old; at most the gateway's.
    pub staleness_max: Duration,
    /// `Content-Security-Policy` and others set where the upstream sets none.
    pub security_headers: bool,
    /// The OpenAPI document its requests must keep to: a path relative to the estate file.
    pub openapi: Option<String>,
    /// Fields of bodies that are cleaned.
    pub sanitize: Vec<Sanitize>,
    /// How the rules of `[waf]` are meant here; nothing when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waf: Option<RouteWaf>,
    /// Whether traffic is watched for a proposal of a document.
    pub learn: bool,
    /// Whether clients may open a WebSocket (RFC 6455).
    pub websocket: bool,
    /// What becomes of a request's body before it is sent on.
    pub body: BodyMode,
    /// Where it stands in the file (the whole `[[route]]`).
    #[serde(skip)]
    pub span: Span,
    /// Where its parts stand, for `explain`: key name → span.
    #[serde(skip)]
    pub spans: BTreeMap<&'static str, Span>,
}

fn is_one(cost: &Cost) -> bool {
    *cost == Cost::ONE
}

/// See [`Route::body`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyMode {
    /// It is held whole, and looked at, before the service is asked.
    #[default]
    Hold,
    /// It is passed on as it comes; nobody looks into it.
    Stream,
}

/// A path: literal segments, `*` for one segment, `**` for the rest (last only).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct PathPattern {
    /// The segments, without slashes.
    pub segments: Vec<Segment>,
}

/// One segment of a [`PathPattern`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Exactly this text. Sorts first: the most specific pattern wins.
    Literal(String),
    /// `*`: any one segment.
    One,
    /// `**`: any number of segments, none included.
    Rest,
}

/// Who must sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// A principal is needed.
    Required,
    /// A principal is used when there is one; a wrong credential is still refused.
    Optional,
    /// Nobody is asked; credentials of Rampart's are stripped.
    None,
    /// Sign-in stays with the backend: `Authorization` and the backend's cookies pass untouched.
    Pass,
}

/// What a route requires.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Require {
    /// Nothing: only with `auth = "none"`, `"optional"` or `"pass"`.
    Nothing,
    /// The same for every method.
    Every(Permission),
    /// By method; methods not listed are refused with 405.
    Methods(BTreeMap<String, Permission>),
}

/// Whether a step refuses or only records what it would have refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Record and let through.
    Observe,
    /// Refuse.
    Block,
}

/// The mode of each enforcing step: `mode = "block"`, or `mode = { inspect = "observe" }`.
///
/// Authentication and authorisation observe only where a route says so by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Modes {
    /// Who it is.
    pub authenticate: Mode,
    /// Whether they may.
    pub authorise: Mode,
    /// How often.
    pub limits: Mode,
    /// Canonical path, body framing, content type.
    pub validate: Mode,
    /// The built-in rules against injection.
    pub inspect: Mode,
}

/// `cors = { origins = ["https://app.shop.example"], … }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cors {
    /// Exact origins.
    pub origins: Vec<String>,
    /// Methods beside the simple ones.
    pub methods: Vec<String>,
    /// Request headers that may be sent.
    pub headers: Vec<String>,
    /// Response headers that may be read.
    pub expose: Vec<String>,
    /// Whether cookies may be sent.
    pub credentials: bool,
    /// How long an answer may be kept.
    pub max_age: Duration,
}
