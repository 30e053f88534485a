//! What can go wrong, with what can be done about it.
//!
//! Inventories, package URLs and bills of materials have errors of their own, which tell more; each
//! is an [`Error`] too, so that a caller needs one.

use std::fmt;

use crate::inventory::ReadError;
use crate::sbom::SbomError;
use crate::text::said;
use crate::{ParseScopeError, PurlError};

/// A failed operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is no version of its ecosystem.
    #[error("`{version}` is no version of {ecosystem}: {reason}")]
    Version {
        /// Which rule was asked.
        ecosystem: &'static str,
        /// The text, cut short.
        version: String,
        /// What the rule does not take.
        reason: &'static str,
    },
    /// Versions of two families have no order.
    #[error("`{left}` and `{right}` are versions of different ecosystems")]
    Families {
        /// One.
        left: String,
        /// The other.
        right: String,
    },
    /// An advisory says something that cannot be kept; none of it was read.
    #[error("the advisory `{file}` was not read: {place}: {problem}")]
    Advisory {
        /// Which file, as the caller named it.
        file: String,
        /// Where in it.
        place: Place,
        /// What is wrong there.
        problem: String,
    },
    /// Statements (VEX) were not read.
    #[error("the statements `{file}` were not read: {place}: {problem}")]
    Statements {
        /// Which file, as the caller named it.
        file: String,
        /// Where in it.
        place: Place,
        /// What is wrong there.
        problem: String,
    },
    /// Advisories are more than an index holds.
    #[error("the index is full: more than {max} {what}")]
    Full {
        /// Of what.
        what: &'static str,
        /// How many it holds.
        max: usize,
    },
    /// Bytes are no index, or a damaged one.
    #[error("the index was not opened: {problem}")]
    Index {
        /// What is wrong with them.
        problem: &'static str,
    },
    /// A file was not read as an inventory.
    #[error(transparent)]
    Inventory(#[from] ReadError),
    /// A text is no package URL, or one of no package.
    #[error(transparent)]
    Purl(#[from] PurlError),
    /// A bill of materials was not written.
    #[error(transparent)]
    Sbom(#[from] SbomError),
    /// A text names no ecosystem.
    #[error(transparent)]
    Scope(#[from] ParseScopeError),
}

/// A place in a document: the field, and the line where its format has lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// `affected[2].ranges[0]`; empty for the document itself.
    pub field: String,
    /// The line, from one; 0 where it is not known.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = if self.field.is_empty() {
            "the document"
        } else {
            &self.field
        };
        match self.line {
            0 => f.write_str(field),
            line => write!(f, "{field}, line {line}"),
        }
    }
}

impl Error {
    pub(crate) fn version(ecosystem: &'static str, version: &str, reason: &'static str) -> Self {
        Self::Version {
            ecosystem,
            version: said(version),
            reason,
        }
    }

    /// What can be done about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Version { .. } | Self::Families { .. } => {
                "write the version as its registry does; until then the package is `unknown`"
            }
            Self::Advisory { .. } => {
                "mend the file, or leave it out and say so: an advisory that is not read protects nobody"
            }
            Self::Statements { .. } => "mend the file; until then no finding is suppressed by it",
            Self::Full { .. } => "import fewer ecosystems into one index",
            Self::Index { .. } => "import the advisories again",
            Self::Inventory(error) => return error.hint(),
            Self::Purl(error) => return error.hint(),
            Self::Sbom(error) => return error.hint(),
            Self::Scope(_) => "write it as the OSV schema does: `npm`, `Debian:12`",
        })
    }
}
