//! Why a file was not read: what is wrong, where, and what to do.

/// A file that was not read. Nothing of it counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is longer than the limit.
    #[error("the file has {bytes} bytes: {most} are read at most")]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// It holds more of something than the limit.
    #[error("line {line}: there are more than {most} {of}")]
    TooMany {
        /// Where the limit was met.
        line: u32,
        /// The limit.
        most: usize,
        /// Of what.
        of: &'static str,
    },
    /// It is not written in the syntax of its format.
    #[error("line {line}, column {column}: {what}")]
    Syntax {
        /// The line, from one.
        line: u32,
        /// The column, from one, in characters.
        column: u32,
        /// What is wrong.
        what: String,
        /// What to do.
        hint: Option<&'static str>,
    },
    /// It is of a version of its format that is not known here.
    #[error("line {line}: `{version}` is no version of {format} that is read here")]
    Version {
        /// The line that names it.
        line: u32,
        /// The version, as it was written.
        version: String,
        /// Of which format.
        format: &'static str,
        /// Which versions are read, and how to get one.
        hint: &'static str,
    },
    /// It is well-formed, and not what it should be.
    #[error("line {line}: this is no {format}: {what}")]
    Shape {
        /// The line.
        line: u32,
        /// What it should be.
        format: &'static str,
        /// What is missing.
        what: String,
    },
    /// Packages of a distribution mean nothing without its release.
    #[error("the packages of {format} need the release they belong to")]
    Release {
        /// Of which format.
        format: &'static str,
    },
    /// It says nothing by itself.
    #[error("{format} lists no packages by itself")]
    NotAlone {
        /// Of which format.
        format: &'static str,
        /// What to do.
        hint: &'static str,
    },
}

impl ReadError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TooLong { .. } | Self::TooMany { .. } => {
                Some("no lockfile that people work with is so large: look what it is")
            }
            Self::Syntax { hint, .. } => *hint,
            Self::Version { hint, .. } | Self::NotAlone { hint, .. } => Some(hint),
            Self::Shape { .. } => Some("give the file to the reader of its own format"),
            Self::Release { .. } => {
                Some("read the system's etc/os-release first, and hand on what it says")
            }
        }
    }
}
