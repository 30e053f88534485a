//! The link between control and the gateways: the estate, identity and keys one way, records and
//! counts the other.
//!
//! A gateway connects to control's socket and keeps the link up for ever. What control says holds
//! until it says otherwise: a gateway whose control is away goes on from what it knows.

mod ask;
mod client;
mod frames;
mod hub;
mod local;
mod port;
pub(crate) mod protocol;

pub use hub::{GatewayStatus, Hub, PreparedEstate};
pub use port::{ControlPort, ExchangeRefused, PortFuture};
pub use protocol::{
    AddressStats, AssertionKeyText, BreakerWord, CertificateText, Condition, EstateTexts,
    HeldStats, Learnt, LearntDrift, PlaceStats, RouteStats, Seal, ServiceStats, Stats,
};

pub(crate) use ask::Asker;
pub(crate) use client::{Client, NoSession};
pub(crate) use local::{Continuity, Deliveries, Local};
pub(crate) use protocol::ChallengeText;

#[cfg(test)]
mod tests;
