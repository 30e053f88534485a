//! Why a file could not be adopted.

use model::Diagnostic;

use crate::notes::{Note, Place};

/// Why a file could not be adopted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither name nor content say what it is.
    #[error("it cannot be told what `{file}` is")]
    UnknownKind {
        /// The file.
        file: String,
    },
    /// It is not what it should be.
    #[error("{place}: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A limit was reached.
    #[error("{what}: at most {max} are read")]
    Limit {
        /// What there is too much of.
        what: String,
        /// How much is read.
        max: usize,
    },
    /// Nothing in it leads to a service.
    #[error("`{file}` passes no request on that a gateway could stand before")]
    Nothing {
        /// The file.
        file: String,
        /// What it says, and why none of it is a route.
        left: Vec<Note>,
    },
    /// The draft does not parse: a mistake of ours, never written.
    #[error("the draft is no valid estate; nothing was written")]
    Draft {
        /// The text that was refused.
        estate: String,
        /// Why.
        findings: Vec<Diagnostic>,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKind { .. } => {
                Some("say it: `--kind nginx`, `caddy`, `compose` or `openapi`".to_owned())
            }
            Self::Syntax { hint, .. } => hint.clone(),
            Self::Limit { .. } => Some("adopt a part of it at a time".to_owned()),
            Self::Nothing { .. } => {
                Some("`rampart init` without `--from` writes an estate to start from".to_owned())
            }
            Self::Draft { .. } => {
                Some("a smaller part of the file may do; please report this file".to_owned())
            }
        }
    }

    pub(crate) fn syntax(place: &Place, message: impl Into<String>, hint: &str) -> Self {
        Self::Syntax {
            place: place.clone(),
            message: message.into(),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        }
    }
}
