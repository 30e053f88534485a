//! What can go wrong with an operation on rules.

use crate::place::Finding;

/// A failed operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The rules say something that cannot be kept; nothing was loaded.
    #[error("the rules were not loaded: {}", summary(.findings))]
    Rules {
        /// Every problem, in the order of the files.
        findings: Vec<Finding>,
    },
    /// A set of patterns is not one.
    #[error("the patterns were not compiled: {problem}")]
    Patterns {
        /// What is wrong with which.
        problem: String,
    },
    /// A file of regression tests is not one.
    #[error("`{file}` is no file of regression tests: {problem}")]
    Tests {
        /// Which.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
}

fn summary(findings: &[Finding]) -> String {
    let first = findings.first().map(ToString::to_string);
    match (first, findings.len()) {
        (None, _) => "no reason is known".to_owned(),
        (Some(first), 1) => first,
        (Some(first), count) => format!("{first} (and {} more)", count - 1),
    }
}
