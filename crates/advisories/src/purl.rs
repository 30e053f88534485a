//! Package URLs (the PURL specification, ECMA-427): read, normalised by their type, printed.
//!
//! It never asks whether a package exists, and knows of types only how their names are written.

mod convert;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::text::said;

/// LIMIT: bytes of a package URL.
const PURL_BYTES: usize = 8 * 1024;
/// LIMIT: qualifiers of a package URL.
const QUALIFIERS: usize = 64;

/// A package URL: `pkg:type/namespace/name@version?qualifiers#subpath`, its parts decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

/// A text that is no package URL, or one that names no package known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PurlError {
    /// It is longer than the limit.
    #[error("the package URL has more than {most} bytes")]
    TooLong {
        /// The limit.
        most: usize,
    },
    /// It has more qualifiers than the limit.
    #[error("the package URL has more than {most} qualifiers")]
    TooMany {
        /// The limit.
        most: usize,
    },
    /// It does not begin with `pkg:`.
    #[error("a package URL begins with `pkg:`")]
    Scheme,
    /// Its type is missing, or has letters that no type has.
    #[error("`{0}` is no type of package URLs")]
    Type(String),
    /// It has no name.
    #[error("the package URL has no name")]
    Name,
    /// A qualifier is not written `key=value`, or its key has letters that no key has.
    #[error("`{0}` is no qualifier of a package URL")]
    Qualifier(String),
    /// `%` is not followed by two hexadecimal digits, or what it stands for is no UTF-8.
    #[error("`{0}` is encoded in a way that package URLs are not")]
    Encoding(String),
    /// Its type, or its namespace, belongs to no ecosystem that is known here.
    #[error("packages of `{0}` are not known here")]
    Ecosystem(String),
    /// It names no version.
    #[error("`{0}` has no version")]
    Version(String),
    /// Its name or its version is none.
    #[error("`{0}` is neither a package's name nor a version")]
    Word(String),
    /// Its `distro` is another one than its namespace.
    #[error("`distro={distro}` does not belong to `{namespace}`")]
    Distro {
        /// The qualifier.
        distro: String,
        /// The namespace.
        namespace: String,
    },
}

impl PurlError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Ecosystem(_) => None,
            Self::Version(_) => Some("name the version behind `@`"),
            Self::Distro { .. } => {
                Some("name the distribution by its namespace: `pkg:deb/debian/…`")
            }
            _ => Some("write it as `pkg:type/namespace/name@version?key=value`, all else encoded"),
        }
    }
}

/// Types whose namespaces have no capitals.
const LOWER_NAMESPACE: &[&str] = &[
    "alpm",
    "apk",
    "bitbucket",
    "composer",
    "deb",
    "github",
    "gitlab",
    "hex",
    "luarocks",
    "pypi",
    "qpkg",
    "rpm",
];

/// Types whose names have no capitals.
const LOWER_NAME: &[&str] = &[
    "alpm",
    "apk",
    "bitbucket",
    "bitnami",
    "composer",
    "deb",
    "github",
    "gitlab",
    "hex",
    "luarocks",
    "npm",
    "oci",
    "pub",
    "pypi",
];

impl Purl {
    /// A package URL of its parts, normalised as its type wants. Empty parts are none.
    ///
    /// # Errors
    /// A type or a name that is none.
    pub fn new(kind: &str, namespace: Option<&str>, name: &str) -> Result<Self, PurlError> {
        let kind = kind.to_ascii_lowercase();
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        let begins = kind
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic());
        if !begins || !kind.bytes().all(letters) {
            return Err(PurlError::Type(said(&kind)));
        }
        let namespace = namespace
            .unwrap_or_default()
            .split('/')
            .filter(|part| !part.trim().is_empty());
        let mut namespace = namespace.collect::<Vec<_>>().join("/");
        if LOWER_NAMESPACE.contains(&kind.as_str()) {
            namespace = namespace.to_lowercase();
        }
        let name = named(&kind, name.trim().trim_matches('/'));
        if name.is_empty() {
            return Err(PurlError::Name);
        }
        Ok(Self {
            kind,
            namespace: Some(namespace).filter(|text| !text.is_empty()),
            name,
            version: None,
            qualifiers: BTreeMap::new(),
            subpath: None,
        })
    }

    /// With a version; without one when it is empty.
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Self {
        let version = version.trim();
        self.version = (!version.is_empty()).then(|| match self.kind.as_str() {
            "huggingface" | "oci" => version.to_lowercase(),
            _ => version.to_owned(),
        });
        self
    }

    /// With a qualifier; one without a value is none.
    ///
    /// # Errors
    /// A key that is none, or too many of them.
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Result<Self, PurlError> {
        let key = key.trim().to_ascii_lowercase();
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let digit = key.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
        if digit || !key.bytes().all(letters) {
            return Err(PurlError::Qualifier(said(&key)));
        }
        if !value.trim().is_empty() {
            self.qualifiers.insert(key, value.to_owned());
        }
        if self.qualifiers.len() > QUALIFIERS {
            return Err(PurlError::TooMany { most: QUALIFIERS });
        }
        Ok(self)
    }

    /// With a path within the package; `.` and `..` lead nowhere in it and are left out.
    #[must_use]
    pub fn with_subpath(mut self, subpath: &str) -> Self {
        let parts = subpath
            .split('/')
            .filter(|part| !matches!(*part, "" | "." | ".."));
        let subpath = parts.collect::<Vec<_>>().join("/");
        self.subpath = Some(subpath).filter(|text| !text.is_empty());
        self
    }

    /// Its type: `npm`, `deb`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Its namespace: `@babel`, `debian`, `org.apache.commons`.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// A qualifier's value.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(String::as_str)
    }

    /// All qualifiers, in the order of their keys.
    pub fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.qualifiers
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The path within the package.
    #[must_use]
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }
}

/// A name as its type writes it.
fn named(kind: &str, name: &str) -> String {
    let name = if LOWER_NAME.contains(&kind) {
        name.to_lowercase()
    } else {
        name.to_owned()
    };
    match kind {
        "pypi" | "hackage" => name.replace('_', "-"),
        "pub" => {
            let letter = |c: char| {
                if c.is_ascii_lowercase() || c.is_ascii_digit() {
                    c
                } else {
                    '_'
                }
            };
            name.chars().map(letter).collect()
        }
        _ => name,
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        if text.len() > PURL_BYTES {
            return Err(PurlError::TooLong { most: PURL_BYTES });
        }
        let (scheme, rest) = text.trim().split_once(':').ok_or(PurlError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return Err(PurlError::Scheme);
        }
        let (rest, subpath) = split(rest, '#');
        let (rest, qualifiers) = split(rest, '?');
        unmistakable(text.trim(), subpath, qualifiers)?;
        let rest = rest.trim_matches('/');
        let (kind, rest) = rest
            .split_once('/')
            .ok_or_else(|| PurlError::Type(said(rest)))?;
        let (path, last) = rest.rsplit_once('/').unwrap_or(("", rest));
        // `@` before a slash begins a scope of npm, as many write it.
        let (name, version) = match last.rsplit_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (last, None),
        };
        // `@` elsewhere than before a scope would begin a version for some.
        if path
            .split('/')
            .any(|part| part.get(1..).is_some_and(|rest| rest.contains('@')))
        {
            return Err(PurlError::Encoding(said(path)));
        }
        let namespace = path
            .split('/')
            .map(decoded)
            .collect::<Result<Vec<_>, _>>()?
            .join("/");
        let mut purl = Self::new(kind, Some(&namespace), &decoded(name)?)?;
        if let Some(version) = version {
            purl = purl.with_version(&decoded(version)?);
        }
        for pair in qualifiers.into_iter().flat_map(|text| text.split('&')) {
            if pair.is_empty() {
                continue;
            }
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| PurlError::Qualifier(said(pair)))?;
            purl = purl.with_qualifier(key, &decoded(value)?)?;
        }
        if let Some(subpath) = subpath {
            let parts = subpath
                .split('/')
                .map(decoded)
                .collect::<Result<Vec<_>, _>>()?;
            purl = purl.with_subpath(&parts.join("/"));
        }
        Ok(purl)
    }
}

/// SECURITY: what stands for itself where it must be encoded is parted by readers in different ways,
/// and then names other packages: a second `#` or `?`, and letters that some leave out.
fn unmistakable(
    text: &str,
    subpath: Option<&str>,
    qualifiers: Option<&str>,
) -> Result<(), PurlError> {
    let stray = |part: Option<&str>| part.is_some_and(|part| part.contains(['#', '?']));
    if stray(subpath) || stray(qualifiers) || text.contains(char::is_control) {
        return Err(PurlError::Encoding(said(text)));
    }
    Ok(())
}

fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// A part with its `%XX` as what they stand for (RFC 3986 §2.1).
fn decoded(part: &str) -> Result<String, PurlError> {
    if !part.contains('%') {
        return Ok(part.to_owned());
    }
    let refuse = || PurlError::Encoding(said(part));
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit().ok_or_else(refuse)?, digit().ok_or_else(refuse)?);
        out.push(u8::try_from(high * 16 + low).map_err(|_| refuse())?);
    }
    String::from_utf8(out).map_err(|_| refuse())
}

/// What may hold slashes that are its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slash {
    Plain,
    Encoded,
}

/// A part as it is written: all but letters, digits, `.-_~` and `:` encoded.
fn encode(part: &str, slash: Slash, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in part.bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':')
            || (byte == b'/' && slash == Slash::Plain);
        if plain {
            f.write_char(char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            encode(namespace, Slash::Plain, f)?;
            f.write_char('/')?;
        }
        encode(&self.name, Slash::Encoded, f)?;
        if let Some(version) = &self.version {
            f.write_char('@')?;
            encode(version, Slash::Encoded, f)?;
        }
        for (at, (key, value)) in self.qualifiers.iter().enumerate() {
            f.write_char(if at == 0 { '?' } else { '&' })?;
            write!(f, "{key}=")?;
            encode(value, Slash::Plain, f)?;
        }
        if let Some(subpath) = &self.subpath {
            f.write_char('#')?;
            encode(subpath, Slash::Plain, f)?;
        }
        Ok(())
    }
}
