//! The order of versions, one rule for each family of ecosystems.
//!
//! Pure functions over the text: numbers of any length, nothing that grows faster than the text,
//! no patterns. What a family's rule does not take is an error, never equal to or less than
//! anything.

mod apk;
mod deb;
mod dotted;
mod legacy;
mod maven;
mod nuget;
mod number;
mod packagist;
mod pypi;
mod rpm;
mod rubygems;
pub(crate) mod semver;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

use crate::{Ecosystem, Error};
use semver::Dialect;

/// LIMIT: bytes of a version. The longest in use are a Go module's pseudo-versions and versions
/// with a build's name, of about a hundred.
pub const VERSION_BYTES_MAX: usize = 512;

/// A version that its ecosystem's rule can place.
///
/// It borrows the text. Versions of one family have a total order: see [`Version::compare`].
#[derive(Clone)]
pub struct Version<'a> {
    text: &'a str,
    parsed: Parsed<'a>,
}

#[derive(Debug, Clone)]
enum Parsed<'a> {
    Apk(apk::Version<'a>),
    Deb(deb::Version<'a>),
    Dotted(dotted::Version<'a>),
    Maven(maven::Version<'a>),
    NuGet(nuget::Version<'a>),
    Packagist(packagist::Version<'a>),
    PyPi(pypi::Version<'a>),
    Rpm(rpm::Version<'a>),
    RubyGems(rubygems::Version<'a>),
    SemVer(semver::Version<'a>),
}

impl<'a> Version<'a> {
    /// Reads a version by its ecosystem's rule.
    ///
    /// # Errors
    /// [`Error::Version`] where the text is longer than [`VERSION_BYTES_MAX`] or the rule does not
    /// take it.
    pub fn parse(ecosystem: Ecosystem, text: &'a str) -> Result<Self, Error> {
        Self::read(text, |text| by_ecosystem(ecosystem, text))
            .map_err(|reason| Error::version(ecosystem.name(), text, reason))
    }

    /// Reads a version of a range of type `SEMVER`, whatever the ecosystem (OSV schema,
    /// `affected[].ranges[].type`).
    ///
    /// # Errors
    /// As [`Version::parse`].
    pub fn parse_semver(text: &'a str) -> Result<Self, Error> {
        let read = |text| semver::parse(text, Dialect::Plain).map(Parsed::SemVer);
        Self::read(text, read).map_err(|reason| Error::version("SemVer", text, reason))
    }

    fn read(
        text: &'a str,
        read: impl FnOnce(&'a str) -> Result<Parsed<'a>, &'static str>,
    ) -> Result<Self, &'static str> {
        if text.len() > VERSION_BYTES_MAX {
            return Err("it is longer than 512 bytes");
        }
        Ok(Self {
            text,
            parsed: read(text)?,
        })
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Whether the ecosystem's own rule of today takes it. What only an older convention places
    /// (Python versions that PEP 440 does not take) is ordered, but no verdict can stand on it.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        match &self.parsed {
            Parsed::PyPi(version) => pypi::is_pep440(version),
            _ => true,
        }
    }

    /// Which of two comes first. `Equal` is what the rule calls so: `1.0` and `1.0.0` in most
    /// ecosystems.
    ///
    /// # Errors
    /// [`Error::Families`] for versions of two families.
    pub fn compare(&self, other: &Version<'_>) -> Result<Ordering, Error> {
        Ok(match (&self.parsed, &other.parsed) {
            (Parsed::Apk(a), Parsed::Apk(b)) => apk::compare(a, b),
            (Parsed::Deb(a), Parsed::Deb(b)) => deb::compare(a, b),
            (Parsed::Dotted(a), Parsed::Dotted(b)) => dotted::compare(a, b),
            (Parsed::Maven(a), Parsed::Maven(b)) => maven::compare(a, b),
            (Parsed::NuGet(a), Parsed::NuGet(b)) => nuget::compare(a, b),
            (Parsed::Packagist(a), Parsed::Packagist(b)) => packagist::compare(a, b),
            (Parsed::PyPi(a), Parsed::PyPi(b)) => pypi::compare(a, b),
            (Parsed::Rpm(a), Parsed::Rpm(b)) => rpm::compare(a, b),
            (Parsed::RubyGems(a), Parsed::RubyGems(b)) => rubygems::compare(a, b),
            (Parsed::SemVer(a), Parsed::SemVer(b)) => semver::compare(a, b),
            _ => {
                return Err(Error::Families {
                    left: self.text.to_owned(),
                    right: other.text.to_owned(),
                });
            }
        })
    }
}

impl fmt::Debug for Version<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Version").field(&self.text).finish()
    }
}

/// Which of two versions of an ecosystem comes first.
///
/// # Errors
/// [`Error::Version`] where one of them is none.
pub fn compare(ecosystem: Ecosystem, a: &str, b: &str) -> Result<Ordering, Error> {
    Version::parse(ecosystem, a)?.compare(&Version::parse(ecosystem, b)?)
}

fn by_ecosystem(ecosystem: Ecosystem, text: &str) -> Result<Parsed<'_>, &'static str> {
    use Ecosystem as E;
    match ecosystem {
        E::Alpine => apk::parse(text).map(Parsed::Apk),
        E::AlmaLinux | E::RedHat | E::RockyLinux => rpm::parse(text).map(Parsed::Rpm),
        E::Cran => dotted::parse_cran(text).map(Parsed::Dotted),
        E::Hackage => dotted::parse_hackage(text).map(Parsed::Dotted),
        E::CratesIo | E::Go | E::Hex | E::Npm => {
            semver::parse(text, Dialect::Plain).map(Parsed::SemVer)
        }
        E::Pub => semver::parse(text, Dialect::Pub).map(Parsed::SemVer),
        E::Debian | E::Ubuntu => deb::parse(text).map(Parsed::Deb),
        E::Maven => maven::parse(text).map(Parsed::Maven),
        E::NuGet => nuget::parse(text).map(Parsed::NuGet),
        E::Packagist => packagist::parse(text).map(Parsed::Packagist),
        E::PyPi => pypi::parse(text).map(Parsed::PyPi),
        E::RubyGems => rubygems::parse(text).map(Parsed::RubyGems),
    }
}
