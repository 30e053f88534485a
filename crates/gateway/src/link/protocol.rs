//! What control and a gateway say to each other: version 5 of the link's protocol. Each message is
//! one JSON text in one frame (`frames.rs`).
//!
//! Plain types. Unknown fields are ignored, so that either side may be one release newer; an
//! unknown message ends the link, which then begins anew.

mod stats;

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::snapshot::{Digest, IdentityChange, IdentitySnapshot};
use model::{Event, RequestId, SegmentId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use stats::LATENCY_BOUNDS_US;
pub use stats::{
    AddressStats, BreakerWord, Condition, HeldStats, PlaceStats, RouteStats, ServiceStats, Stats,
};

/// The protocol's version; the two sides must agree.
pub(crate) const PROTOCOL: u32 = 5;

/// What control says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(crate) enum ToGateway {
    /// First: the gateway may go on.
    Welcome {
        /// [`PROTOCOL`].
        protocol: u32,
    },
    /// Get a version of the estate ready.
    Prepare {
        /// Its number.
        version: u64,
        /// Its texts.
        #[serde(flatten)]
        texts: EstateTexts,
    },
    /// The prepared version holds.
    Swap {
        /// Its number.
        version: u64,
    },
    /// The prepared version is given up.
    Abandon {
        /// Its number.
        version: u64,
    },
    /// Handshakes are answered with exactly these.
    Certificates {
        /// Repeated in the answer.
        id: u64,
        /// All of them.
        certificates: Vec<CertificateText>,
    },
    /// Challenges of an authority are answered with exactly these.
    Challenges {
        /// Repeated in the answer, [`ToControl::CertificatesHeld`].
        id: u64,
        /// All of them.
        challenges: Vec<ChallengeText>,
    },
    /// Assertions are signed with this.
    AssertionKey(AssertionKeyText),
    /// Everything about identity, from here on.
    Identity(Box<IdentitySnapshot>),
    /// One step of identity from the revision before.
    Change {
        /// The revision it leads to.
        revision: u64,
        /// The step.
        change: Box<IdentityChange>,
    },
    /// To be answered when everything said before it counts.
    Settle {
        /// Repeated in the answer.
        id: u64,
    },
    /// The answer to [`ToControl::Exchange`].
    Exchanged {
        /// The question's.
        id: u64,
        /// The session, or why there is none.
        outcome: ExchangeOutcome,
    },
    /// The answer to [`ToControl::SignOut`].
    SignedOut {
        /// The question's.
        id: u64,
        /// Whether the session has ended.
        done: bool,
    },
    /// A delivery is recorded.
    Recorded {
        /// The delivery's.
        id: u64,
    },
    /// A delivery could not be recorded now; it is to be sent again later.
    NotRecorded {
        /// The delivery's.
        id: u64,
        /// Why, in one line.
        reason: String,
    },
    /// Still there.
    Alive,
}

/// What a gateway says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(crate) enum ToControl {
    /// First.
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
        /// What it calls itself, at most 64 characters of `[a-z0-9.-]`.
        node: String,
        /// Which process of that name, in as many: while one takes over from another there are two.
        /// Empty when it does not say.
        #[serde(default)]
        instance: String,
        /// The estate version it serves; zero before the first.
        version: u64,
    },
    /// The answer to [`ToGateway::Prepare`].
    Prepared {
        /// The version's number.
        version: u64,
        /// Why not, in one line.
        refused: Option<String>,
    },
    /// The answer to [`ToGateway::Swap`].
    Swapped {
        /// The version's number.
        version: u64,
    },
    /// The answer to [`ToGateway::Certificates`] and [`ToGateway::Challenges`].
    CertificatesHeld {
        /// The order's.
        id: u64,
        /// Why not, in one line.
        refused: Option<String>,
    },
    /// The answer to [`ToGateway::Settle`].
    Settled {
        /// The question's.
        id: u64,
    },
    /// A one-time code is to become a session of this origin.
    Exchange {
        /// Repeated in the answer.
        id: u64,
        /// The code.
        code: String,
        /// The origin's host.
        host: String,
        /// The client.
        source: IpAddr,
        /// Within which request.
        request: RequestId,
    },
    /// Somebody signed out of an origin: their session there is to end.
    SignOut {
        /// Repeated in the answer.
        id: u64,
        /// The session.
        session: SessionId,
        /// The origin's host.
        host: String,
        /// The client.
        source: IpAddr,
        /// Within which request.
        request: RequestId,
    },
    /// Something to record, until [`ToGateway::Recorded`] says that it is.
    Deliver {
        /// Counts up.
        id: u64,
        /// What.
        content: Content,
    },
    /// Sessions that were used since the last such message.
    Seen {
        /// Which, and when last.
        sessions: Vec<(SessionId, Timestamp)>,
    },
    /// What was counted so far.
    Stats(Box<Stats>),
    /// What traffic showed of a route so far.
    Learnt(Box<Learnt>),
    /// Still there.
    Alive,
}

/// What a version of the estate is written in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EstateTexts {
    /// The estate's own text.
    pub source: String,
    /// The documents it names, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub documents: BTreeMap<String, String>,
}

impl From<String> for EstateTexts {
    fn from(source: String) -> Self {
        Self {
            source,
            documents: BTreeMap::new(),
        }
    }
}

/// A certificate as PEM.
#[derive(Clone, Serialize, Deserialize)]
pub struct CertificateText {
    /// Host names.
    pub hosts: Vec<String>,
    /// Chain, leaf first.
    pub chain: String,
    /// Private key.
    pub key: String,
}

impl std::fmt::Debug for CertificateText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateText")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// What an authority asks for while it looks whether a name is ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChallengeText {
    /// A page on clear listeners (RFC 8555 §8.3).
    Page {
        /// Whose.
        host: String,
        /// The last segment of its path.
        token: String,
        /// Its content.
        answer: String,
    },
    /// A certificate in a handshake (RFC 8737).
    Handshake(CertificateText),
}

/// The Ed25519 key of assertions.
#[derive(Clone, Serialize, Deserialize)]
pub struct AssertionKeyText {
    /// The `kid`.
    pub id: String,
    /// Its 32-byte seed.
    pub seed: Digest,
}

impl std::fmt::Debug for AssertionKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssertionKeyText")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// See [`ToGateway::Exchanged`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExchangeOutcome {
    /// There is a session, of which the gateway was told before.
    Session {
        /// The cookie's value.
        cookie: String,
    },
    /// The code is not valid (any more).
    Refused,
    /// Control cannot answer now.
    Unavailable,
}

impl std::fmt::Debug for ExchangeOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Session { .. } => "Session",
            Self::Refused => "Refused",
            Self::Unavailable => "Unavailable",
        })
    }
}

/// Something to record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    /// Events, of which control takes each id once.
    Events(Vec<Event>),
    /// A sealed segment.
    Seal(Seal),
}

/// A sealed segment of traffic records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Which segment.
    pub segment: SegmentId,
    /// Root of the Merkle tree over its lines (RFC 9162 tree hash), in hex.
    pub root: String,
    /// How many records.
    pub count: u64,
    /// How many records were left out under pressure.
    pub gap: u64,
    /// Time of the first record.
    pub first: Timestamp,
    /// Time of the last record.
    pub last: Timestamp,
    /// How many of the records are of each route; what has no route counts under `-`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, u64>,
}

/// What a gateway learnt of a route's traffic since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    /// The route.
    pub route: String,
    /// Exchanges that were looked at.
    pub exchanges: u64,
    /// Exchanges that were not, because there were too many at once.
    pub skipped: u64,
    /// What was seen and not kept, because a limit was reached.
    pub dropped: u64,
    /// The OpenAPI document that describes it, as YAML.
    pub proposal: String,
    /// How traffic differs from the route's document; nothing where it has none.
    pub drift: Option<Vec<LearntDrift>>,
}

/// One difference between a document and its traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearntDrift {
    /// `undocumented`, `never_seen`, `parameter`, `field`, `type`, `status`, `media_type`.
    pub kind: String,
    /// The operation's method.
    pub method: String,
    /// The operation's path.
    pub template: String,
    /// Where in it; empty for the operation itself.
    pub place: String,
    /// What differs.
    pub text: String,
    /// How often it was seen.
    pub seen: u64,
}
