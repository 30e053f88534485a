//! Statements about vulnerabilities (OpenVEX): that a finding does not affect, is fixed, is looked
//! into.
//!
//! A statement that finds nothing to speak of is told with the reason: one that silently does
//! nothing looks like one that works. A statement whose conditions cannot be checked does nothing.

mod apply;
mod named;
mod read;
#[cfg(test)]
mod tests;

pub use apply::{Miss, Outcome};

use model::Timestamp;

use crate::Purl;

/// The statements of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statements {
    /// Who makes them.
    pub author: String,
    /// In their order in the document.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Every name of the vulnerability it speaks of.
    pub vulnerability: Vec<String>,
    /// What it speaks of.
    pub subjects: Vec<Subject>,
    /// What it says.
    pub claim: Claim,
    /// Why, as it is written: justification, impact or action.
    pub why: Option<String>,
    /// When it was made.
    pub made: Timestamp,
}

/// What a statement speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A package.
    Package(Purl),
    /// A package as a part of a product.
    Part {
        /// The product, as the statement names it.
        product: String,
        /// The package.
        package: Purl,
    },
    /// A text that names no package in a way that can be compared.
    Unreadable(String),
}

/// What a statement says (OpenVEX `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The vulnerability does not affect it.
    NotAffected,
    /// It does, and something is to be done.
    Affected,
    /// It is fixed in it.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
}

/// What a statement says of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// What.
    pub claim: Claim,
    /// Why, as it is written.
    pub why: Option<String>,
    /// By whom.
    pub author: String,
    /// When.
    pub made: Timestamp,
}

impl Claim {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("not_affected", Self::NotAffected),
        ("affected", Self::Affected),
        ("fixed", Self::Fixed),
        ("under_investigation", Self::UnderInvestigation),
    ];

    /// Its name in OpenVEX.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, claim)| *claim == self)
            .map_or("", |(name, _)| name)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, claim)| *claim)
    }
}
