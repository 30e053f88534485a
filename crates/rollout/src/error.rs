//! What can go wrong with a change of the estate.

use model::{Denied, Diagnostic, ErrorKind};

/// A failed plan or apply. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The text is not a valid estate.
    #[error("the estate has {} {}", .0.len(), if .0.len() == 1 { "error" } else { "errors" })]
    Invalid(Vec<Diagnostic>),
    /// The text is larger than an estate may be.
    #[error("the estate has {bytes} bytes; at most {max} are taken")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// The plan was made on another version than the one in force.
    #[error(
        "the plan was made on version {planned}, but version {current} is in force; hint: plan again"
    )]
    Stale {
        /// The plan's base.
        planned: u64,
        /// The version in force.
        current: u64,
    },
    /// The text is not the one that was planned.
    #[error("the text is not the one that was planned; hint: plan again")]
    OtherText,
    /// A part cannot take the new version.
    #[error("the {part} cannot take the new version")]
    Refused {
        /// Which part.
        part: &'static str,
        /// Why.
        diagnostics: Vec<Diagnostic>,
    },
    /// No version is in force yet.
    #[error("no estate is in force yet")]
    Nothing,
    /// The store failed.
    #[error("the version could not be stored")]
    Store(#[source] store::Error),
    /// The trail could not record it.
    #[error("the change could not be recorded")]
    Trail(#[source] trail::Error),
    /// The stored version cannot be read by this program.
    #[error("the stored version {0} is not a valid estate for this program")]
    Unreadable(u64, Vec<Diagnostic>),
    /// The stored text is not the one that was applied.
    #[error("the stored text of version {0} is not the one that was applied: its hash differs")]
    Altered(u64),
    /// Who applied a version cannot be written or read.
    #[error("the principal of a version cannot be written or read")]
    Principal(#[source] serde_json::Error),
    /// A part broke down on the way; the version is in force everywhere or nowhere after the next
    /// apply or start.
    #[error("the change stopped half way: a part broke down")]
    Stopped,
}

impl Error {
    /// What sort of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied(_) => ErrorKind::Denied,
            Self::Invalid(_) | Self::Refused { .. } => ErrorKind::Invalid,
            Self::TooLarge { .. } => ErrorKind::Limit,
            Self::Stale { .. } | Self::OtherText => ErrorKind::Conflict,
            Self::Nothing => ErrorKind::NotFound,
            Self::Store(source) => source.kind(),
            Self::Trail(source) => source.kind(),
            Self::Unreadable(..) | Self::Altered(_) | Self::Principal(_) => ErrorKind::Corrupt,
            Self::Stopped => ErrorKind::Internal,
        }
    }

    /// What is wrong with the text, when that is it.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Invalid(all)
            | Self::Refused {
                diagnostics: all, ..
            }
            | Self::Unreadable(_, all) => all,
            _ => &[],
        }
    }
}
