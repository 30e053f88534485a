//! Ecosystems: where a package's name and version mean something.

use std::fmt;
use std::str::FromStr;

use crate::text::said;

/// An ecosystem, by the names of the OSV schema (`affected[].package.ecosystem`, version 1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Ecosystem {
    /// Alpine Linux packages (`apk`).
    Alpine,
    /// AlmaLinux packages (`rpm`).
    AlmaLinux,
    /// R packages.
    Cran,
    /// Rust crates.
    CratesIo,
    /// Debian packages, by the name of their source package.
    Debian,
    /// Go modules.
    Go,
    /// Haskell packages.
    Hackage,
    /// Erlang and Elixir packages.
    Hex,
    /// Maven artifacts: `group:artifact`.
    Maven,
    /// npm packages.
    Npm,
    /// .NET packages.
    NuGet,
    /// PHP packages of Composer: `vendor/name`.
    Packagist,
    /// Dart packages.
    Pub,
    /// Python packages, by their normalised name (PEP 503).
    PyPi,
    /// Red Hat packages (`rpm`).
    RedHat,
    /// Rocky Linux packages (`rpm`).
    RockyLinux,
    /// Ruby gems.
    RubyGems,
    /// Ubuntu packages, by the name of their source package.
    Ubuntu,
}

/// Every ecosystem with its name.
const NAMES: &[(Ecosystem, &str)] = &[
    (Ecosystem::Alpine, "Alpine"),
    (Ecosystem::AlmaLinux, "AlmaLinux"),
    (Ecosystem::Cran, "CRAN"),
    (Ecosystem::CratesIo, "crates.io"),
    (Ecosystem::Debian, "Debian"),
    (Ecosystem::Go, "Go"),
    (Ecosystem::Hackage, "Hackage"),
    (Ecosystem::Hex, "Hex"),
    (Ecosystem::Maven, "Maven"),
    (Ecosystem::Npm, "npm"),
    (Ecosystem::NuGet, "NuGet"),
    (Ecosystem::Packagist, "Packagist"),
    (Ecosystem::Pub, "Pub"),
    (Ecosystem::PyPi, "PyPI"),
    (Ecosystem::RedHat, "Red Hat"),
    (Ecosystem::RockyLinux, "Rocky Linux"),
    (Ecosystem::RubyGems, "RubyGems"),
    (Ecosystem::Ubuntu, "Ubuntu"),
];

impl Ecosystem {
    /// Its name in the OSV schema.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(ecosystem, _)| *ecosystem == self)
            .map_or("", |(_, name)| name)
    }
}

/// An ecosystem, with the release where it has several: `Debian:12`, `Alpine:v3.20`, `npm`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Which ecosystem.
    pub ecosystem: Ecosystem,
    /// Which release of it, as the OSV schema writes it after the colon.
    pub release: Option<String>,
}

/// A text that names no ecosystem known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ecosystem known here")]
pub struct ParseScopeError(String);

impl Scope {
    /// An ecosystem without releases, or all of them.
    #[must_use]
    pub fn of(ecosystem: Ecosystem) -> Self {
        Self {
            ecosystem,
            release: None,
        }
    }
}

impl FromStr for Scope {
    type Err = ParseScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, release) = match text.split_once(':') {
            Some((name, release)) => (name, Some(release)),
            None => (text, None),
        };
        let known = NAMES.iter().find(|(_, known)| *known == name);
        let usable = release.is_none_or(|release| !release.is_empty());
        match known {
            Some((ecosystem, _)) if usable => Ok(Self {
                ecosystem: *ecosystem,
                release: release.map(str::to_owned),
            }),
            _ => Err(ParseScopeError(said(text))),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.ecosystem.name())?;
        match &self.release {
            Some(release) => write!(f, ":{release}"),
            None => Ok(()),
        }
    }
}
