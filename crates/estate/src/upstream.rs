//! How a service is reached, and what happens when it is not.

use std::fmt;
use std::time::Duration;

use ::model::Network;
use serde::{Serialize, Serializer};

/// A name and a port, looked up while the gateway runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamedPlace {
    /// Lower case.
    pub name: String,
    /// TCP port.
    pub port: u16,
}

/// A share of a whole, from 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub u8);

/// Ranges of statuses, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(pub Vec<(u16, u16)>);

/// What an attempt can come to that is no good answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection, or none whose TLS is acceptable.
    Connect,
    /// A connection that ended before the answer did, or an answer that is broken.
    Reset,
    /// No answer in time.
    Timeout,
    /// An answer with this status: 502, 503 or 504.
    Status(u16),
}

/// `resolve = { … }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resolve {
    /// How often names are looked up.
    pub every: Duration,
    /// Otherwise forbidden addresses that a name may lead to.
    pub allow: Vec<Network>,
}

/// `health = { … }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Health {
    /// What to `GET`; taking a connection is enough without.
    pub path: Option<String>,
    /// How often.
    pub every: Duration,
    /// How long one question may take.
    pub timeout: Duration,
    /// Statuses that mean well.
    pub expect: Statuses,
    /// Good answers in a row until an address is well again.
    pub rise: u32,
    /// Bad answers in a row until it is unwell.
    pub fall: u32,
    /// When no address is well.
    pub none_healthy: NoneHealthy,
}

/// See [`Health::none_healthy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoneHealthy {
    /// All of them are tried all the same.
    Try,
    /// 503 at once.
    Refuse,
}

/// `outliers = { … }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outliers {
    /// What counts as a failure.
    pub on: Vec<Failure>,
    /// Failures in a row until an address is passed over.
    pub failures: u32,
    /// For how long the first time.
    pub eject: Duration,
    /// For how long at most.
    pub eject_max: Duration,
    /// Share of the addresses that may be passed over at once.
    pub share_max: Percent,
}

/// `balance = …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balance {
    /// The address with the fewest requests under way.
    LeastRequests,
    /// What has this in common goes to the same address.
    Hash(HashKey),
}

/// See [`Balance::Hash`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// The client's address.
    Address,
    /// The principal; the client's address where there is none.
    User,
    /// The path.
    Path,
    /// A header of the request, by its name in lower case.
    Header(String),
    /// A cookie.
    Cookie(String),
}

/// `retries = { … }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retries {
    /// How often one request.
    pub max: u32,
    /// Share of the requests.
    pub budget: Percent,
    /// After what.
    pub on: Vec<Failure>,
}

/// `breaker = { … }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Breaker {
    /// Share of attempts that failed.
    pub failures: Percent,
    /// Within what time.
    pub window: Duration,
    /// Attempts that were made within it at least.
    pub requests_min: u32,
    /// For how long no request gets through.
    pub open: Duration,
}

/// `capacity = { … }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// Open connections to each address.
    pub connections: Option<u32>,
    /// Requests under way.
    pub requests: Option<u32>,
    /// Requests under way to each address.
    pub address_requests: Option<u32>,
    /// Requests that may wait.
    pub waiting: u32,
    /// For how long.
    pub wait: Duration,
}

/// `timeouts = { … }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UpstreamTimeouts {
    /// Nothing of a request is read.
    pub send: Duration,
    /// Nothing of an answer comes; the route's `response_timeout` by default.
    pub pause: Option<Duration>,
    /// The whole of an answer.
    pub answer: Option<Duration>,
}

/// Everything about how a service is reached beside where it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reach {
    /// How names are looked up.
    pub resolve: Resolve,
    /// Whether addresses are asked how they are.
    pub health: Option<Health>,
    /// When an address is passed over.
    pub outliers: Outliers,
    /// Which address a request goes to.
    pub balance: Balance,
    /// When a request is sent again.
    pub retries: Retries,
    /// When the service gets none.
    pub breaker: Option<Breaker>,
    /// How much it may get at once.
    pub capacity: Capacity,
    /// How long it may take.
    pub timeouts: UpstreamTimeouts,
    /// After what time a new address gets its full share.
    pub slow_start: Option<Duration>,
}

impl Default for Reach {
    /// What holds where the estate says nothing; a test compares it with the table of fields.
    fn default() -> Self {
        Self {
            resolve: Resolve {
                every: Duration::from_secs(10),
                allow: Vec::new(),
            },
            health: None,
            outliers: Outliers {
                on: vec![Failure::Connect, Failure::Reset, Failure::Timeout],
                failures: 3,
                eject: Duration::from_secs(10),
                eject_max: Duration::from_mins(5),
                share_max: Percent(50),
            },
            balance: Balance::LeastRequests,
            retries: Retries {
                max: 2,
                budget: Percent(20),
                on: vec![Failure::Connect, Failure::Reset],
            },
            breaker: None,
            capacity: Capacity {
                connections: None,
                requests: None,
                address_requests: None,
                waiting: 0,
                wait: Duration::from_secs(1),
            },
            timeouts: UpstreamTimeouts {
                send: Duration::from_secs(30),
                pause: None,
                answer: None,
            },
            slow_start: None,
        }
    }
}

impl Statuses {
    /// Whether `status` is one of them.
    #[must_use]
    pub fn contain(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&status))
    }
}

impl Failure {
    /// The word the file has for it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "connect" => Self::Connect,
            "reset" => Self::Reset,
            "timeout" => Self::Timeout,
            "502" => Self::Status(502),
            "503" => Self::Status(503),
            "504" => Self::Status(504),
            _ => return None,
        })
    }
}

impl fmt::Display for NamedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("connect"),
            Self::Reset => f.write_str("reset"),
            Self::Timeout => f.write_str("timeout"),
            Self::Status(status) => write!(f, "{status}"),
        }
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("address"),
            Self::User => f.write_str("user"),
            Self::Path => f.write_str("path"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
        }
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeastRequests => f.write_str("least_requests"),
            Self::Hash(key) => write!(f, "hash by {key}"),
        }
    }
}

/// Each is shown as the file writes it.
macro_rules! serialize_as_text {
    ($($of:ty),*) => {$(
        impl Serialize for $of {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

serialize_as_text!(NamedPlace, Percent, Statuses, Failure, Balance);
