//! How a command ended, as the shell sees it.

use std::process::{ExitCode, Termination};

use model::ErrorKind;

/// The exit codes; they are a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, and the answer is yes.
    Ok = 0,
    /// The command worked, and the answer is no: findings, denied, not intact.
    No = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The operation failed.
    Failed = 3,
    /// Some of it was done.
    Partly = 4,
}

impl Exit {
    /// What the help of every command ends with.
    pub(crate) const HELP: &'static str = "EXIT CODES\n  0  done\n  1  the answer is no: findings, \
        denied\n  2  wrong usage or configuration\n  3  the operation failed\n  4  partly done";

    /// As a number.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Invalid => Self::Usage,
            ErrorKind::Denied => Self::No,
            ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Limit
            | ErrorKind::Unavailable
            | ErrorKind::Corrupt
            | ErrorKind::Internal => Self::Failed,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
