//! Packages against advisories: affected, not affected, or unknown with the reason.
//!
//! "Not affected" is said only where a feed that is not too old covers the package's scope, its
//! version has a place in the order, and every advisory about it could be read. Everything else
//! that is not affected is unknown.

mod group;
mod judge;
mod report;
#[cfg(test)]
mod tests;

pub use report::{
    Cause, Counts, Decision, End, Finding, Reason, Report, Standing, Status, Verdict,
};

use std::time::Duration;

use model::Timestamp;

use crate::{Index, Package};

/// What counts, and for how long a feed is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// From which age on a feed no longer says that something is not affected.
    pub age_max: Duration,
    /// Whether what is no vulnerability counts.
    pub informational: Informational,
}

/// What becomes of advisories that tell of no vulnerability (`unmaintained`, `unsound`, `notice`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Informational {
    /// They are told beside the verdict.
    Note,
    /// They count like vulnerabilities.
    Count,
}

/// Holds packages against the index. `now` is when it is asked.
#[must_use]
pub fn scan(packages: &[Package], index: &Index, now: Timestamp, policy: &Policy) -> Report {
    let verdicts = packages
        .iter()
        .map(|package| judge::package(package, index, now, policy))
        .collect();
    Report {
        verdicts,
        // An index from elsewhere may say any number.
        refused: index
            .feeds()
            .fold(0, |sum, (_, imported)| sum.saturating_add(imported.refused)),
    }
}
