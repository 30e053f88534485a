//! Which packages of a system have known vulnerabilities: the order of versions in each ecosystem,
//! readers of lockfiles and package databases, and advisories matched against what they found.
//!
//! It never reads a file or asks a server, has no clock, no randomness and no runtime; hostile
//! input is a value, never a panic. What it cannot compare or read it says, and never takes for
//! "not affected".

mod ecosystem;
pub mod inventory;
mod package;
mod purl;
pub mod sbom;

pub use ecosystem::{Ecosystem, ParseScopeError, Scope};
pub use package::{Origin, Package, Source, Usage};
pub use purl::{Purl, PurlError};
