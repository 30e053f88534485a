//! What can go wrong with the ban list.

use model::{BanId, Denied, ErrorKind};

/// See the module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// There is no such ban.
    #[error("there is no ban `{0}`")]
    NotFound(BanId),
    /// There are too many.
    #[error("there are {0} bans already; lift some, or ban networks instead of addresses")]
    Limit(usize),
    /// The database failed.
    #[error("the ban list cannot be read or written")]
    Store(#[from] store::Error),
    /// The trail failed.
    #[error("the change cannot be recorded")]
    Trail(#[from] trail::Error),
}

impl Error {
    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied(_) => ErrorKind::Denied,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Limit(_) => ErrorKind::Limit,
            Self::Store(error) => error.kind(),
            Self::Trail(error) => error.kind(),
        }
    }
}
