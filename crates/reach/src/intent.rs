//! What is meant: zones, hosts, services, and who may reach what. Plain values, which
//! [`Policy::check`](crate::Policy::check) turns into a policy or into findings.
//!
//! Everything is denied, in both directions, but for what a flow permits: there is no order among
//! flows, and none that takes something away.

use std::fmt;
use std::net::IpAddr;

use crate::day::Day;
use crate::prefix::Prefix;
use crate::set::Protocol;

/// The whole of what is meant. Lists are in any order; names are unique within their list and are
/// `[a-z0-9-]{1,63}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intent {
    /// What holds for the rules of every host.
    pub settings: Settings,
    /// The zones, at most 1,024.
    pub zones: Vec<Zone>,
    /// The hosts, at most 5,000.
    pub hosts: Vec<Host>,
    /// Networks that are not of the estate, at most 64.
    pub outsides: Vec<Outside>,
    /// The services, at most 4,096.
    pub services: Vec<Service>,
    /// What is permitted, at most 4,096 flows.
    pub flows: Vec<Flow>,
    /// What must never be, at most 256.
    pub invariants: Vec<Invariant>,
    /// What is tried whenever the policy changes, at most 10,000.
    pub expectations: Vec<Expectation>,
}

/// What holds for the rules of every host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The netfilter log group that dropped packets are told to.
    pub log_group: u16,
    /// How many of them are told in a second and chain, 1 to 10,000; all are counted.
    pub logs_per_second: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            log_group: 64,
            logs_per_second: 10,
        }
    }
}

/// A part of the estate. Zones may lie within zones, eight deep; a flow that names one means the
/// hosts of all within it. Being in one zone permits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// What it is called.
    pub name: String,
    /// The zone around it.
    pub within: Option<String>,
}

/// What the rules of a host do with a packet that nothing permits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They count it, log it and let it pass.
    Observe,
    /// They count it, log it and drop it.
    #[default]
    Enforce,
}

/// What becomes of packets that a host passes on between its interfaces, to containers say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forwarding {
    /// They are dropped.
    #[default]
    Dropped,
    /// They are left to other rules of the host: nothing is said or proved about them.
    Left,
}

/// How a host comes by its addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addressing {
    /// By itself, or by router advertisements.
    #[default]
    Static,
    /// From DHCP servers, whose answers it must hear.
    Dhcp,
}

/// A machine whose rules are made here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// What it is called.
    pub name: String,
    /// The one zone it is in.
    pub zone: String,
    /// What it is there for; any number of hosts share a role, across zones. At most 16.
    pub roles: Vec<String>,
    /// Its addresses: one to 16, of either family, no two hosts the same. It is reached at all of
    /// them alike.
    pub addresses: Vec<IpAddr>,
    /// What its rules do.
    pub mode: Mode,
    /// What it passes on.
    pub forwarding: Forwarding,
    /// Where its addresses come from.
    pub addressing: Addressing,
}

/// A network that is not of the estate: an office, the internet (`0.0.0.0/0` and `::/0`). Addresses
/// of the estate's hosts are never part of one, whatever its networks say, and neither are IPv4
/// addresses written as IPv6 (RFC 4291 §2.5.5.2). Addresses of one link, of groups, of loopback and
/// reserved ones are only when a network lies within them: `169.254.169.254/32` is meant,
/// `0.0.0.0/0` does not mean it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// What it is called.
    pub name: String,
    /// Its networks, 1 to 4,096 that do not overlap. Two outside networks may.
    pub networks: Vec<Prefix>,
}

/// One end of a flow: those it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// Every host of a zone and of those within it.
    Zone(String),
    /// One host.
    Host(String),
    /// Every host with a role.
    Role(String),
    /// An outside network.
    Outside(String),
}

impl Party {
    /// `zone`, `host`, `role` or `outside`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Zone(_) => "zone",
            Self::Host(_) => "host",
            Self::Role(_) => "role",
            Self::Outside(_) => "outside",
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Zone(name) | Self::Host(name) | Self::Role(name) | Self::Outside(name) => name,
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind(), self.name())
    }
}

/// Ports of one protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The protocol.
    pub protocol: Protocol,
    /// Ranges of ports, both ends included, 1 to 65,535; at most 64, and none for
    /// [`Protocol::Icmp`].
    pub ranges: Vec<(u16, u16)>,
}

/// Over which kinds of addresses something is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// Over both.
    #[default]
    Both,
    /// Over IPv4 alone.
    V4,
    /// Over IPv6 alone.
    V6,
}

/// Something that is reached: where it runs, and at which ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// What it is called.
    pub name: String,
    /// Where it runs: 1 to 64 parties.
    pub at: Vec<Party>,
    /// At which ports.
    pub ports: Vec<Ports>,
    /// Over which addresses.
    pub families: Families,
}

/// What a flow reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A service, wherever it runs.
    Service(String),
    /// Ports at a party, which no service names.
    Ports {
        /// Where.
        at: Party,
        /// Which.
        ports: Vec<Ports>,
        /// Over which addresses.
        families: Families,
    },
}

/// What is permitted: that somebody opens connections to something. Answers belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// What it is called; counters and logs name it.
    pub name: String,
    /// Who: 1 to 64 parties.
    pub from: Vec<Party>,
    /// What they reach.
    pub to: Target,
    /// What for, for people.
    pub purpose: String,
    /// Whose it is, for people.
    pub owner: String,
    /// The last day on which it permits anything.
    pub expires: Option<Day>,
}

/// Which ways an invariant looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ways {
    /// Connections from one end to the other.
    #[default]
    Direct,
    /// As well over hosts of the estate that each reach the next, by whatever port.
    SteppingStones {
        /// At most so many connections one after the other; `None` for any number.
        hops_max: Option<u32>,
    },
}

/// What must never be, whatever flows say: that one reaches the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invariant {
    /// What it is called.
    pub name: String,
    /// Who must not.
    pub from: Vec<Party>,
    /// Reach what.
    pub to: Vec<Party>,
    /// By which ways.
    pub ways: Ways,
}

/// What comes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// It passes.
    Accept,
    /// It does not.
    Deny,
}

/// A packet, and what must come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What it is called.
    pub name: String,
    /// The packet.
    pub packet: crate::set::Packet,
    /// What must come of it.
    pub verdict: Verdict,
}
