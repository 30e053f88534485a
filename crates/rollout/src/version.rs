//! A version of the estate.

use aws_lc_rs::digest::{SHA256, digest};
use estate::Estate;
use model::{Principal, Timestamp};
use serde::Serialize;

/// One applied version.
#[derive(Clone, Debug)]
pub struct Version {
    /// Counts up from one.
    pub number: u64,
    /// SHA-256 of the text, in hex.
    pub hash: String,
    /// The text, as it was applied.
    pub source: String,
    /// What it says.
    pub estate: Estate,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// By whom.
    pub applied_by: Principal,
}

/// A version without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Counts up from one.
    pub number: u64,
    /// SHA-256 of the text, in hex.
    pub hash: String,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// By whom.
    pub applied_by: Principal,
}

/// SHA-256 of a text, in hex.
pub(crate) fn hash(source: &str) -> String {
    digest(&SHA256, source.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
