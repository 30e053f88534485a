//! Software bills of materials: CycloneDX 1.6 and SPDX 2.3, as JSON, written and read.
//!
//! What an inventory does not say is not made up: no licences, no dependencies between packages. When
//! it is written, and under which number, the caller says. Readers stand behind
//! [`inventory::read`](crate::inventory::read), as those of lockfiles do.

pub(crate) mod cyclonedx;
pub(crate) mod spdx;
mod write;

#[cfg(test)]
mod tests;

pub use write::{write_cyclonedx, write_spdx};

/// What an SBOM says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of this document: a UUID in lower case, `8-4-4-4-12` hexadecimal digits.
    pub serial: String,
    /// When it is made: `2026-11-26T17:00:00Z`, in UTC and whole seconds.
    pub created: String,
    /// What it is about: the name of a system, a project or an image.
    pub subject: String,
    /// The version of that, where it has one.
    pub subject_version: Option<String>,
}

/// An SBOM that was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SbomError {
    /// The serial number is no UUID.
    #[error("`{0}` is no UUID in lower case")]
    Serial(String),
    /// The time is not written as it must be.
    #[error("`{0}` is no time like `2026-11-26T17:00:00Z`")]
    Created(String),
    /// What it is about has no name, or letters that no name has.
    #[error("`{0}` is no name of what a bill of materials is about")]
    Subject(String),
    /// A package has no package URL.
    #[error("the package `{name}` cannot be named in a bill of materials")]
    Package {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: crate::PurlError,
    },
    /// Too many packages.
    #[error("there are more than {most} packages")]
    TooMany {
        /// The limit.
        most: usize,
    },
}

impl SbomError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Serial(_) | Self::Created(_) | Self::Subject(_) => None,
            Self::Package { source, .. } => source.hint(),
            Self::TooMany { .. } => Some("write several documents"),
        }
    }
}
