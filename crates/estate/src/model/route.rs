//! Routes, and what each asks of a request.

use std::collections::BTreeMap;
use std::time::Duration;

use ::model::{Permission, Span};
use serde::Serialize;

use super::Limits;
use crate::limits::{Cost, RouteConcurrent, RouteRate};
use crate::sanitize::Sanitize;
use crate::waf::RouteWaf;

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
