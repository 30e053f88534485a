//! What can reach what: zones, services and permitted flows compiled to rules for each host's
//! firewall, and the rules read back and proved against what was meant.
//!
//! ```text
//! intent ─▶ check ─▶ policy ─▶ compile ─▶ a text for each host
//!                      │                     │
//!                      ├─▶ explain, diff,    ▼
//!                      │   reach         read ─▶ prove: the same packets, no more, no fewer
//!                      └─────────────────────────▲
//! ```
//!
//! It never touches a firewall, a file or a clock, and has no randomness and no runtime; hostile
//! input is a value, never a panic.

mod ask;
mod check;
mod compile;
mod day;
mod error;
mod finding;
mod intent;
mod policy;
mod prefix;
mod prove;
mod read;
pub mod set;
mod space;
mod suggest;
#[cfg(test)]
pub(crate) mod tests;

// What is made for tests, measurements and oracles names the crate as those programs do.
#[cfg(test)]
extern crate self as reach;

pub use ask::{
    Breach, Change, Closure, Decision, Diff, End, Explanation, Outcome, Path, Reach, Tuple,
};
pub use compile::{Artefact, BANS, Ban};
pub use day::{Day, NoDay};
pub use error::Error;
pub use finding::{Finding, Part, Weight};
pub use intent::{
    Addressing, Expectation, Families, Flow, Forwarding, Host, Intent, Invariant, Mode, Outside,
    Party, Ports, Service, Settings, Target, Verdict, Ways, Zone,
};
pub use policy::{Direction, Policy};
pub use prefix::{NoPrefix, Prefix};
pub use prove::{Difference, Proof, Unproved};
pub use set::{Family, Packet, PacketSet, PortSet, Protocol};
