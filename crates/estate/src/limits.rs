//! How often and how many at once, as the estate says it: rates of routes, budgets that routes
//! share, keys of the estate's own, costs, and where gateways count together.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ::model::{Rate, Span};
use serde::{Serialize, Serializer};

/// One entry of a route's `limit`: `"100/min per user"`, or the name of a `[[limit]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteRate {
    /// The `[[limit]]` it is, when other routes may count in it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<String>,
    /// How often.
    pub rate: Rate,
    /// Counted for each what.
    pub per: Per,
}

/// One entry of a route's `concurrent`: `"20 per user"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteConcurrent {
    /// How many at once, at least one.
    pub max: u32,
    /// Counted for each what.
    pub per: Per,
}

/// What is counted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Per {
    /// Each client address.
    Address,
    /// Each API key.
    Key,
    /// Each person (their keys counted together).
    User,
    /// The route, or the `[[limit]]`, as a whole.
    Route,
    /// Each value of a `[[limit_key]]`.
    Named(String),
}

impl Per {
    /// The words that are no name of a `[[limit_key]]`.
    pub(crate) const WORDS: [&'static str; 4] = ["address", "key", "user", "route"];

    /// The word, or the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Address => "address",
            Self::Key => "key",
            Self::User => "user",
            Self::Route => "route",
            Self::Named(name) => name,
        }
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Per {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// `[[limit]]`: a budget that every route counts in that names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Its name.
    pub name: String,
    /// How often.
    pub rate: Rate,
    /// Counted for each what; [`Per::Route`] counts every request together.
    pub per: Per,
}

/// `[[limit_key]]`: something of a request that limits can count by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitKey {
    /// Its name, as it stands after `per`.
    pub name: String,
    /// Where it is looked for: the first that is there counts.
    pub from: Vec<KeySource>,
    /// What happens to requests that have none of it.
    pub missing: MissingKey,
    /// Where it stands in the file.
    #[serde(skip)]
    pub span: Span,
}

impl LimitKey {
    /// Whether a client can choose the value freely, and with each value counts anew.
    #[must_use]
    pub fn is_forgeable(&self) -> bool {
        self.from.iter().any(KeySource::is_forgeable)
    }
}

/// See [`LimitKey::from`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A header of this name, lower case.
    Header(String),
    /// A cookie of this name.
    Cookie(String),
    /// A parameter of the query.
    Query(String),
    /// Whoever is signed in; not there for strangers.
    Principal,
    /// The client's address; always there.
    Address,
}

impl KeySource {
    /// Whether a client writes it itself.
    #[must_use]
    pub fn is_forgeable(&self) -> bool {
        matches!(self, Self::Header(_) | Self::Cookie(_) | Self::Query(_))
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Principal => f.write_str("principal"),
            Self::Address => f.write_str("address"),
        }
    }
}

impl Serialize for KeySource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// See [`LimitKey::missing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingKey {
    /// The limit does not count them.
    Skip,
    /// They are refused.
    Refuse,
    /// They count for their client's address.
    Address,
}

/// What a request takes of each rate of its route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Cost {
    /// The same whatever the method.
    Every(u32),
    /// By method; one where the method is not named. `HEAD` costs what `GET` costs.
    Methods(BTreeMap<String, u32>),
}

impl Cost {
    /// What nobody wrote.
    pub const ONE: Self = Self::Every(1);

    /// Of a request with `method`; at least one.
    #[must_use]
    pub fn of(&self, method: &str) -> u32 {
        match self {
            Self::Every(cost) => *cost,
            Self::Methods(methods) => {
                let method = if method == "HEAD" { "GET" } else { method };
                methods.get(method).copied().unwrap_or(1)
            }
        }
    }
}

/// `[limits.shared]`: where gateways count together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedLimits {
    /// Where the server is.
    pub address: StoreAddress,
    /// PEM file of the authorities that may have issued its certificate; the system's by default.
    pub authority: Option<String>,
    /// As whom to sign in.
    pub user: Option<String>,
    /// File of the password.
    pub password_file: Option<String>,
    /// How long a request waits for it.
    pub timeout: Duration,
    /// What happens while it is away.
    pub when_away: WhenAway,
}

/// `redis://host:port/number`, `rediss://…` over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreAddress {
    /// Whether TLS protects it, and says that it is the one that is meant.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Number of the database.
    pub database: u32,
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let host = &self.host;
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{}", self.port)?,
            false => write!(f, "{scheme}://{host}:{}", self.port)?,
        }
        match self.database {
            0 => Ok(()),
            number => write!(f, "/{number}"),
        }
    }
}

impl Serialize for StoreAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// See [`SharedLimits::when_away`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenAway {
    /// Each gateway counts for itself.
    Local,
    /// Requests that have limits are refused.
    Refuse,
}

#[cfg(test)]
mod tests;
