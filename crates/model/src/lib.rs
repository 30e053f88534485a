//! The vocabulary every part of Rampart speaks: ids, principals, permissions, events, decisions,
//! diagnostics, and time and randomness as parameters.
//!
//! Plain types only. Nothing here does I/O, spawns a task or knows HTTP; the two exceptions are
//! [`SystemClock`] and [`SystemEntropy`], the only places that ask the machine for the time and
//! for randomness.

mod ban;
mod context;
mod decision;
mod diagnostic;
mod entropy;
mod error;
mod event;
mod id;
pub mod latency;
mod network;
mod permission;
mod principal;
mod secret;
pub mod snapshot;
mod time;
mod units;

pub use ban::Ban;
pub use context::{Authentication, Context, Denied, Method};
pub use decision::{Decision, Reason};
pub use diagnostic::{Diagnostic, Level, Span, Within};
pub use entropy::{Entropy, PooledEntropy, SharedEntropy, SystemEntropy};
pub use error::ErrorKind;
pub use event::{Class, Event, Outcome, Severity, Target, activity, ocsf};
pub use id::{
    ApiKeyId, BanId, BindingId, CredentialId, EnrolmentId, EventId, Id, IdText, Kind, ParseIdError,
    PersonId, PlanId, RequestId, SegmentId, SessionId, TokenKeyId, kinds,
};
pub use latency::Latency;
pub use network::{Network, ParseNetworkError};
pub use permission::{ParsePermissionError, Permission, PermissionSet, own};
pub use principal::{Principal, PrincipalKind};
pub use secret::Secret;
pub use time::{Clock, ParseTimestampError, SharedClock, SystemClock, Timestamp};
pub use units::{ByteSize, ParseUnitError, Rate, format_duration, parse_duration};

#[cfg(test)]
mod tests;
