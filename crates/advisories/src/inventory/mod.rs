//! Inventories: which packages, of which versions, a file names. Readers of lockfiles, of package
//! databases and of requirements; bytes in, packages and gaps out.
//!
//! They never open a file, follow a reference to another one, ask a registry or run a tool. What a
//! file names and a reader cannot tell is a [`Gap`]; a version of a format that is not known
//! here is refused, for it may mean something else.

mod builder;
mod error;
mod format;
mod graph;
mod xml;

mod apk;
mod bun;
mod cabal;
mod cargo;
mod composer;
mod dotnet_deps;
mod dpkg;
mod gemfile;
mod go;
mod gradle;
mod maven;
mod mix;
mod npm;
mod nuget;
pub mod os_release;
mod pdm;
mod pipfile;
mod pnpm;
mod poetry;
mod pubspec;
mod pylock;
mod python;
mod renv;
mod requirements;
mod rpm;
mod stack;
mod uv;
mod yarn;
mod yarn_berry;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::fmt;

pub use error::ReadError;
pub use format::{Format, recognise};
pub use go::check_go_sums;

pub(crate) use builder::{Builder, Draft, at_commit, is_word};
pub(crate) use python::repository;

use crate::{Package, Scope, document};

/// What a file names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Packages in the order of the file, each once: name and version of the same origin that come
    /// again are merged, with the first line.
    pub packages: Vec<Package>,
    /// What else is known of a package, by its place in `packages`.
    pub details: BTreeMap<usize, Details>,
    /// What could not be told, in the order of the file.
    pub gaps: Vec<Gap>,
    /// How many gaps more there were than the limit.
    pub gaps_dropped: usize,
}

/// What is known of a package that matching does not ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Digests of the package's own file. None where the format names several files of a version,
    /// or digests something else than a file.
    pub digests: Vec<Digest>,
    /// The machine it is built for, as its distribution writes it.
    pub architecture: Option<String>,
}

/// A digest of a package's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    /// How it is made.
    pub algorithm: Algorithm,
    /// Its bytes, in lower-case hexadecimal.
    pub hex: String,
}

/// How a digest is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-1, which registries of npm and Packagist still name.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Something that a file names and its reader cannot tell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// The line, from one; 0 where it is about the whole file.
    pub line: u32,
    /// Why.
    pub why: Why,
    /// What it is about, as the file writes it: on one line, at most 120 letters.
    pub subject: String,
    /// What is not told.
    pub message: String,
}

/// Why something is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Why {
    /// No one version is named.
    Unpinned,
    /// It lies in a folder or a file of its own, and no version is named.
    Local,
    /// It is named by an address or a commit, and no version is.
    NoVersion,
    /// Another file says it, which is not followed.
    Elsewhere,
    /// A property that is not set in this file.
    Unresolved,
    /// An entry that is not written as its format has it.
    Malformed,
    /// Two entries, or two files, contradict each other.
    Conflict,
    /// Of a kind, or an ecosystem, that is not known here.
    Unsupported,
}

impl Why {
    /// As a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unpinned => "unpinned",
            Self::Local => "local",
            Self::NoVersion => "no-version",
            Self::Elsewhere => "elsewhere",
            Self::Unresolved => "unresolved",
            Self::Malformed => "malformed",
            Self::Conflict => "conflict",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        write!(
            f,
            "`{}`: {} ({})",
            self.subject,
            self.message,
            self.why.word()
        )
    }
}

/// How files are read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The distribution and release that a package database belongs to: what
    /// [`os_release::OsRelease::scope`] says. Lockfiles need none.
    pub scope: Option<Scope>,
    /// How much is read.
    pub limits: Limits,
}

/// How much of a file is read. What is beyond is an error, but for gaps, which are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// LIMIT: bytes of a file.
    pub bytes: usize,
    /// LIMIT: values of a tree: of JSON, TOML, YAML or XML.
    pub values: usize,
    /// LIMIT: levels of nesting of such a tree, at most 200.
    pub depth: usize,
    /// LIMIT: packages.
    pub packages: usize,
    /// LIMIT: gaps that are kept.
    pub gaps: usize,
}

impl Limits {
    fn document(&self) -> document::Limits {
        document::Limits {
            bytes: self.bytes,
            values: self.values,
            depth: self.depth,
        }
    }
}

/// Levels of nesting that the stack of a thread is sure to hold.
const DEPTH_MAX: usize = 200;

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            values: 2_000_000,
            depth: DEPTH_MAX,
            packages: 500_000,
            gaps: 10_000,
        }
    }
}

/// Reads a file of a format.
///
/// # Errors
/// A file that is too large, is not written in its format, or is of an unknown version of it.
pub fn read(format: Format, bytes: &[u8], options: &Options) -> Result<Inventory, ReadError> {
    let mut options = options.clone();
    options.limits.depth = options.limits.depth.min(DEPTH_MAX);
    options.limits.document().take(bytes.len())?;
    let mut builder = Builder::new(format, options);
    (format.reader())(bytes, &mut builder)?;
    Ok(builder.finish())
}
