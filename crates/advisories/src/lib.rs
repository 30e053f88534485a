//! Which packages of a system have known vulnerabilities: the order of versions in each ecosystem,
//! readers of lockfiles and package databases, and advisories matched against what they found.
//!
//! ```text
//! files, SBOMs ─▶ inventory ─▶ packages ─▶ matching ◀─ feed ◀─ osv ◀─ advisories
//!                                 │          │   └ version: the order of each ecosystem
//!                                 ▼          ▼
//!                        SBOM ◀─ sbom      report ◀─ vex ◀─ statements, by package URL (purl)
//! ```
//!
//! It never reads a file or asks a server, has no clock, no randomness and no runtime; hostile
//! input is a value, never a panic. What it cannot compare or read it says, and never takes for
//! "not affected".

mod document;
mod ecosystem;
mod error;
mod feed;
pub mod inventory;
mod matching;
mod names;
mod osv;
mod package;
mod purl;
pub mod sbom;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod version;
mod vex;

pub use ecosystem::{Ecosystem, ParseScopeError, Scope};
pub use error::{Error, Place};
pub use feed::{Builder, Feed, FeedId, INDEX_BYTES_MAX, Imported, Index};
pub use matching::{
    Cause, Counts, Decision, End, Finding, Informational, Policy, Reason, Report, Standing, Status,
    Verdict, scan,
};
pub use osv::{
    Advisory, Affected, AffectedPackage, Collection, Event, Range, RangeKind, Rating, Reference,
    Severity,
};
pub use package::{Origin, Package, Source, Usage};
pub use purl::{Purl, PurlError};
pub use version::{VERSION_BYTES_MAX, Version, compare};
pub use vex::{Claim, Miss, Outcome, Stated, Statement, Statements, Subject};
