//! How services stand, as the connected gateways see them.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::Serialize;

/// A service, over all gateways.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServiceState {
    /// Its name in the estate.
    pub name: String,
    /// Requests that were to go there, since each gateway started.
    pub requests: u64,
    /// Requests under way now.
    pub under_way: u64,
    /// Requests that wait now for others to end.
    pub waiting: u64,
    /// Requests for which there was no room.
    pub crowded_out: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Requests not sent again for want of budget.
    pub retries_withheld: u64,
    /// Requests that may be sent again now.
    pub retries_left: u64,
    /// Its breaker, if it has one: the worst that a gateway says.
    pub breaker: Option<Breaker>,
    /// Requests that a breaker let not through.
    pub held_off: u64,
    /// Its addresses, as each gateway sees them.
    pub addresses: Vec<AddressState>,
    /// Addresses there was no room to tell about.
    pub left_out: u64,
}

/// See [`ServiceState::breaker`]; the later, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    /// Requests go through.
    Closed,
    /// One may see whether it works again.
    HalfOpen,
    /// None goes through.
    Open,
}

impl Breaker {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half open",
            Self::Open => "open",
        }
    }
}

/// One address of a service, as one gateway sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AddressState {
    /// The gateway.
    pub gateway: String,
    /// The address with its port, or the path of its socket.
    pub address: String,
    /// Whether it gets requests.
    pub condition: Condition,
    /// Since when it stands so; nothing where it always did.
    pub since: Option<Timestamp>,
    /// Why: what its probes or its requests met.
    pub why: Option<String>,
    /// Which share of what it would get it gets.
    pub share_percent: u64,
    /// Requests under way now.
    pub under_way: u64,
    /// Open connections.
    pub connections: u64,
    /// Attempts that failed, by kind: `connect`, `reset`, `timeout`, `status`.
    pub failures: BTreeMap<String, u64>,
    /// When one failed last.
    pub last_failure: Option<Timestamp>,
    /// Requests in a row that failed, while it is not passed over for it: an address alone never
    /// is.
    pub failing: u64,
    /// Whether anybody should look: it gets no requests, or those that it gets fail.
    pub is_in_trouble: bool,
    /// How often it was passed over.
    pub ejections: u64,
    /// How often it was asked whether it is well.
    pub probes: u64,
    /// How often it was not.
    pub probes_failed: u64,
}

/// Whether an address gets requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It gets its share.
    Well,
    /// It gets a growing share.
    Rising,
    /// It is passed over for a while: its requests failed.
    Ejected,
    /// It gets none: its probes say it is not well.
    Unwell,
}

impl Condition {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Rising => "rising",
            Self::Ejected => "ejected",
            Self::Unwell => "unwell",
        }
    }

    /// Whether it gets requests and those do not fail, of which so many in a row did.
    #[must_use]
    pub fn is_well(self, failing: u64) -> bool {
        /// So many are no accident any more.
        const FAILING_MIN: u64 = 3;
        self.is_in_use() && failing < FAILING_MIN
    }

    /// Whether it gets requests.
    #[must_use]
    pub fn is_in_use(self) -> bool {
        matches!(self, Self::Well | Self::Rising)
    }
}

impl ServiceState {
    /// Whether anybody should look: an address is in trouble, there is none, or the breaker is not
    /// closed.
    #[must_use]
    pub fn is_in_trouble(&self) -> bool {
        self.addresses.is_empty()
            || self.addresses.iter().any(|one| one.is_in_trouble)
            || self
                .breaker
                .is_some_and(|breaker| breaker != Breaker::Closed)
    }
}
