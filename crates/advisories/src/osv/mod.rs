//! Advisories, as the OSV schema 1.7 writes them, and as RustSec does.
//!
//! Unknown fields are passed over; what is known is read strictly, and an advisory that says
//! something else than the schema is an error with file, field and line.

mod read;
mod requirement;
mod rustsec;
mod severity;
#[cfg(test)]
pub(crate) mod tests;

pub use rustsec::Collection;
pub use severity::{Rating, Severity};

use model::Timestamp;

use crate::document::{self, Bad, Dialect, Limits};
use crate::{Error, Scope};

/// An advisory: what is vulnerable, in which versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// Its name: `RUSTSEC-2024-0001`, `GHSA-…`, `DSA-…`.
    pub id: String,
    /// When it was last changed.
    pub modified: Timestamp,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was taken back.
    pub withdrawn: Option<Timestamp>,
    /// Names of the same vulnerability elsewhere.
    pub aliases: Vec<String>,
    /// Names of vulnerabilities that have to do with it, but are others.
    pub related: Vec<String>,
    /// Names of vulnerabilities upstream that it is about.
    pub upstream: Vec<String>,
    /// One line of what it is.
    pub summary: String,
    /// How severe it is.
    pub severity: Vec<Severity>,
    /// How severe its publisher calls it in a word.
    pub rating: Option<Rating>,
    /// What it is about.
    pub affected: Vec<Affected>,
    /// Where more is said.
    pub references: Vec<Reference>,
    /// What it tells where it is no vulnerability: `unmaintained`, `unsound`, `notice` (RustSec).
    pub informational: Option<String>,
}

/// Something that an advisory is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// The package; nothing where only a repository is named.
    pub package: Option<AffectedPackage>,
    /// In which ranges of versions.
    pub ranges: Vec<Range>,
    /// In which versions, besides.
    pub versions: Vec<String>,
    /// How severe it is here.
    pub severity: Vec<Severity>,
    /// How severe its publisher calls it here in a word.
    pub rating: Option<Rating>,
}

/// The package that an advisory is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedPackage {
    /// Its ecosystem, as it is written.
    pub ecosystem: String,
    /// The same, where this crate knows it.
    pub scope: Option<Scope>,
    /// Its name.
    pub name: String,
}

/// Versions between events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// How its versions are ordered.
    pub kind: RangeKind,
    /// The repository, for `GIT`.
    pub repository: Option<String>,
    /// Where being affected begins and ends, in no order.
    pub events: Vec<Event>,
}

/// How the versions of a range are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RangeKind {
    /// As Semantic Versioning says.
    SemVer,
    /// As the package's ecosystem says.
    Ecosystem,
    /// They are commits, ordered by their repository.
    Git,
}

/// Where being affected begins or ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// From this version on; `0` is before every version.
    Introduced(String),
    /// Before this version.
    Fixed(String),
    /// Up to this version, and with it.
    LastAffected(String),
    /// Nothing is said of this version and later ones.
    Limit(String),
}

/// Where more is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it is: `ADVISORY`, `FIX`, `WEB`.
    pub kind: String,
    /// Its address.
    pub address: String,
}

impl Advisory {
    /// Reads one in JSON. `file` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Advisory`] with field and line, where the text is no JSON, is longer or deeper than the
    /// limits, or says something that the schema does not.
    pub fn from_json(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        document::json(bytes, Dialect::Strict, &Limits::ADVISORIES)
            .map_err(Bad::from)
            .and_then(|node| read::advisory(&node))
            .map_err(|bad| wrong(file, &bad))
    }

    /// Reads one in YAML, as PyPA publishes them.
    ///
    /// # Errors
    /// As [`Advisory::from_json`].
    pub fn from_yaml(file: &str, text: &str) -> Result<Self, Error> {
        document::yaml(text.as_bytes(), &Limits::ADVISORIES)
            .map_err(Bad::from)
            .and_then(|node| read::advisory(&node))
            .map_err(|bad| wrong(file, &bad))
    }

    /// Reads one of RustSec: Markdown that begins with a block of TOML.
    ///
    /// # Errors
    /// As [`Advisory::from_json`].
    pub fn from_rustsec(file: &str, text: &str, collection: Collection) -> Result<Self, Error> {
        rustsec::read(text, collection).map_err(|bad| wrong(file, &bad))
    }

    /// Its score of ten in tenths, by the newest kind of vector that says one; the highest of these.
    #[must_use]
    pub fn score_tenths(&self) -> Option<u8> {
        severity::score(&self.severity)
    }
}

impl Affected {
    /// The score of ten in tenths that is said of this package alone.
    #[must_use]
    pub fn score_tenths(&self) -> Option<u8> {
        severity::score(&self.severity)
    }
}

fn wrong(file: &str, bad: &Bad) -> Error {
    Error::Advisory {
        file: file.to_owned(),
        place: bad.place(),
        problem: bad.problem.clone(),
    }
}
