//! What can go wrong with the trail, by operation.

use std::path::PathBuf;

use model::ErrorKind;

/// A failed operation of the trail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no room, not even the reserve. The action was not taken.
    #[error(
        "the disk that holds the trail is full, so nothing can be recorded and nothing is done; hint: make room on it, rampart goes on by itself"
    )]
    Full,
    /// The trail cannot be written for another reason. The action was not taken.
    #[error("the trail cannot be written: {reason}")]
    Unwritable {
        /// What the system said.
        reason: String,
    },
    /// More events wait than the trail takes in.
    #[error("the trail has more events waiting than it takes in")]
    Overloaded,
    /// The trail is shutting down.
    #[error("the trail is closed")]
    Closed,
    /// A file cannot be read or made.
    #[error("cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what this program wrote.
    #[error("{} is damaged at byte {offset}: {what}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The log is shorter than a checkpoint this very folder holds.
    #[error(
        "the trail holds {size} entries, but signed for {signed}: entries were removed; hint: `rampart trail verify` says more"
    )]
    Shortened {
        /// How many there are.
        size: u64,
        /// How many there were.
        signed: u64,
    },
    /// The log does not lead to the root it signed.
    #[error(
        "the first {size} entries do not lead to the root that was signed for them: an entry was changed; hint: `rampart trail verify` says more"
    )]
    Rewritten {
        /// The size of the checkpoint.
        size: u64,
    },
    /// The store failed before anything was changed.
    #[error("the change could not be stored")]
    Store(#[source] store::Error),
    /// An event cannot be written as JSON.
    #[error("the event cannot be encoded")]
    Encode(#[source] serde_json::Error),
    /// An event is larger than an entry may be.
    #[error("the event has {bytes} bytes; an entry holds at most {max}")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
}

impl Error {
    /// What sort of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Full | Self::Unwritable { .. } | Self::Closed | Self::File { .. } => {
                ErrorKind::Unavailable
            }
            Self::Overloaded | Self::TooLarge { .. } => ErrorKind::Limit,
            Self::Damaged { .. } | Self::Shortened { .. } | Self::Rewritten { .. } => {
                ErrorKind::Corrupt
            }
            Self::Store(source) => source.kind(),
            Self::Encode(_) => ErrorKind::Internal,
        }
    }
}
