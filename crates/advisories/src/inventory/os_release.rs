//! `os-release` (os-release(5)): which distribution and release a system is, so that its packages
//! are compared with advisories about it and no other.

use super::ReadError;
use crate::text::{is_treacherous, lines, utf8};
use crate::{Ecosystem, Scope};

/// LIMIT: bytes of the file.
const FILE_BYTES: usize = 64 * 1024;

/// LIMIT: bytes of a release's number.
const NUMBER_BYTES: usize = 32;

/// What an `os-release` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OsRelease {
    /// `ID`: `debian`, `alpine`. `linux` where it is not set, as os-release(5) says.
    pub id: String,
    /// `VERSION_ID`: `12`, `3.20.3`. Development branches have none.
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`: `bookworm`.
    pub version_codename: Option<String>,
    /// `VERSION`: for people; Ubuntu says `LTS` only there.
    pub version: Option<String>,
}

/// Names of releases, which stand in place of numbers where a release has none yet, and in package
/// URLs.
const CODENAMES: &[(Ecosystem, &str, &str)] = &[
    (Ecosystem::Debian, "buster", "10"),
    (Ecosystem::Debian, "bullseye", "11"),
    (Ecosystem::Debian, "bookworm", "12"),
    (Ecosystem::Debian, "trixie", "13"),
    (Ecosystem::Debian, "forky", "14"),
    (Ecosystem::Debian, "duke", "15"),
    (Ecosystem::Ubuntu, "bionic", "18.04"),
    (Ecosystem::Ubuntu, "focal", "20.04"),
    (Ecosystem::Ubuntu, "jammy", "22.04"),
    (Ecosystem::Ubuntu, "noble", "24.04"),
];

fn number_of(ecosystem: Ecosystem, codename: &str) -> Option<&'static str> {
    let known = |(of, name, _): &&(Ecosystem, &str, &str)| *of == ecosystem && *name == codename;
    CODENAMES.iter().find(known).map(|(.., number)| *number)
}

impl OsRelease {
    /// Reads the file: lines of `NAME=value`, quoted as a shell does. Of a name that comes twice the
    /// last counts, as for a shell.
    ///
    /// # Errors
    /// More than 64 KiB, or no UTF-8.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        if bytes.len() > FILE_BYTES {
            return Err(ReadError::TooLong {
                bytes: bytes.len(),
                most: FILE_BYTES,
            });
        }
        let mut release = Self {
            id: "linux".to_owned(),
            ..Self::default()
        };
        for (_, line) in lines(utf8(bytes)?) {
            let line = line.trim();
            let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            let value = unquoted(value);
            let usable = !value.is_empty() && !value.chars().any(is_treacherous);
            let some = usable.then(|| value.clone());
            match name {
                "ID" if usable => release.id = value.to_ascii_lowercase(),
                "VERSION_ID" => release.version_id = some,
                "VERSION_CODENAME" => release.version_codename = some,
                "VERSION" => release.version = some,
                _ => {}
            }
        }
        Ok(release)
    }

    /// The scope of its packages, in the words of the OSV schema; nothing for a distribution that is
    /// not known here. One that is like another (`ID_LIKE`) builds its own packages, and is not it.
    ///
    /// Of Red Hat the release is left out: advisories name products by CPE.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        let number = self.number();
        let major = number.and_then(|text| text.split('.').next());
        let (ecosystem, release) = match self.id.as_str() {
            "debian" => (
                Ecosystem::Debian,
                major.map(str::to_owned).or_else(|| self.by_codename()),
            ),
            "ubuntu" => (Ecosystem::Ubuntu, self.ubuntu()),
            "alpine" => (Ecosystem::Alpine, self.alpine()),
            "almalinux" => (Ecosystem::AlmaLinux, major.map(str::to_owned)),
            "rocky" => (Ecosystem::RockyLinux, major.map(str::to_owned)),
            "rhel" => (Ecosystem::RedHat, None),
            _ => return None,
        };
        Some(Scope { ecosystem, release })
    }

    /// SECURITY: a scope stands in reports, and is compared with those of advisories by its text.
    fn number(&self) -> Option<&str> {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let number = self.version_id.as_deref();
        number.filter(|text| text.len() <= NUMBER_BYTES && text.bytes().all(letters))
    }

    fn by_codename(&self) -> Option<String> {
        let codename = self.version_codename.as_deref()?;
        number_of(Ecosystem::Debian, codename).map(str::to_owned)
    }

    fn ubuntu(&self) -> Option<String> {
        let number = self.number()?;
        let lts = self
            .version
            .as_deref()
            .is_some_and(|text| text.contains("LTS"));
        Some(if lts {
            format!("{number}:LTS")
        } else {
            number.to_owned()
        })
    }

    /// `v3.20`; `edge` has a number with a date or a word behind.
    fn alpine(&self) -> Option<String> {
        let number = self.number()?;
        if number.contains(['_', 'a']) {
            return Some("edge".to_owned());
        }
        let mut parts = number.split('.');
        Some(format!("v{}.{}", parts.next()?, parts.next()?))
    }
}

/// The release that a number or a codename means, in the words of the OSV schema; none for a branch
/// that has none yet.
pub(crate) fn release_of(ecosystem: Ecosystem, text: &str) -> Option<String> {
    // Some write Alpine's releases as its folders are called.
    let text = text
        .strip_prefix('v')
        .filter(|_| ecosystem == Ecosystem::Alpine)
        .unwrap_or(text);
    let text = number_of(ecosystem, text).unwrap_or(text);
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    let (version_id, version_codename) = match is_number {
        true => (Some(text.to_owned()), None),
        false => (None, Some(text.to_owned())),
    };
    let id = match ecosystem {
        Ecosystem::Debian => "debian",
        Ecosystem::Ubuntu => "ubuntu",
        Ecosystem::Alpine if text == "edge" => return Some("edge".to_owned()),
        Ecosystem::Alpine => "alpine",
        Ecosystem::AlmaLinux => "almalinux",
        Ecosystem::RockyLinux => "rocky",
        _ => return None,
    };
    let release = OsRelease {
        id: id.to_owned(),
        version_id,
        version_codename,
        version: (id == "ubuntu" && is_long_term(text)).then(|| "LTS".to_owned()),
    };
    release.scope()?.release
}

/// Ubuntu supports for long what it releases in April of even years.
fn is_long_term(number: &str) -> bool {
    let year = number
        .split_once('.')
        .filter(|(_, month)| month.starts_with("04"));
    year.and_then(|(year, _)| year.parse::<u32>().ok())
        .is_some_and(|year| year % 2 == 0)
}

/// A value without a shell's quotes.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    if let Some(inside) = value
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
    {
        return inside.to_owned();
    }
    let inside = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let mut out = String::new();
    let mut escaped = false;
    for letter in inside.unwrap_or(value).chars() {
        if letter == '\\' && !escaped {
            escaped = true;
            continue;
        }
        out.push(letter);
        escaped = false;
    }
    out
}
