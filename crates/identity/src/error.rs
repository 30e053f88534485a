//! What can go wrong with an operation on identity.

use std::time::Duration;

use model::{Denied, ErrorKind, Permission};

use crate::password;

/// A failed operation. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Somebody must be signed in for this.
    #[error("this needs a signed-in person")]
    NotAPerson,
    /// Only the machine's own administrator may, over the local socket.
    #[error("this needs the local administration socket")]
    NotLocal,
    /// The newest proof is too old for this.
    #[error("this needs a fresh proof: confirm with a code first")]
    StepUp,
    /// Name, password or code is wrong; which, is not said.
    #[error("the name, the password or the code is wrong")]
    WrongCredentials,
    /// Too many failures; try later.
    #[error("too many failed attempts; try again in {} s", retry_after.as_secs().max(1))]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// More sign-ins wait than can be checked.
    #[error("more sign-ins are waiting than can be checked; try again in a moment")]
    Busy,
    /// A field is malformed.
    #[error("`{field}` {problem}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The password is not good enough.
    #[error("the password {0}")]
    Password(#[from] password::Weakness),
    /// There is no such thing, or it is not the caller's to know.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The name is taken.
    #[error("the name `{0}` is taken")]
    Taken(String),
    /// A link or code was used already, has expired, or never was.
    #[error("this link or code does not work (any more)")]
    Spent,
    /// Nobody gives what they do not hold.
    #[error("you cannot give what you do not hold: `{0}`")]
    Exceeds(Permission),
    /// The change would leave nobody who can administer.
    #[error("this is the last active administrator; hint: make another one first")]
    LastAdministrator,
    /// A limit on how many there may be.
    #[error("there are {max} {what} already, the most allowed")]
    Limit {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: u32,
    },
    /// The store failed.
    #[error("identity could not be read or stored")]
    Store(#[source] ::store::Error),
    /// The trail could not record it.
    #[error("the change could not be recorded")]
    Trail(#[source] trail::Error),
    /// What is stored is not what was written.
    #[error("a stored {0} is damaged")]
    Damaged(&'static str),
    /// A defect or an exhausted machine.
    #[error("identity cannot {0}")]
    Internal(&'static str),
}

impl Error {
    /// What sort of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied(_)
            | Self::NotAPerson
            | Self::NotLocal
            | Self::StepUp
            | Self::WrongCredentials
            | Self::Exceeds(_) => ErrorKind::Denied,
            Self::TooMany { .. } | Self::Busy | Self::Limit { .. } => ErrorKind::Limit,
            Self::Invalid { .. } | Self::Password(_) => ErrorKind::Invalid,
            Self::NotFound(_) | Self::Spent => ErrorKind::NotFound,
            Self::Taken(_) | Self::LastAdministrator => ErrorKind::Conflict,
            Self::Store(source) => source.kind(),
            Self::Trail(source) => source.kind(),
            Self::Damaged(_) => ErrorKind::Corrupt,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            problem: problem.into(),
        }
    }
}

impl From<::store::Error> for Error {
    fn from(error: ::store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<trail::Error> for Error {
    fn from(error: trail::Error) -> Self {
        Self::Trail(error)
    }
}
