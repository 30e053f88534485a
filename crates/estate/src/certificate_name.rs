//! What a client's certificate is known by, as `[[client]] certificates` writes it. Compared
//! whole, never by a part or a pattern.

use std::fmt;

use serde::Serialize;

use crate::values::{self, Wrong, quoted};

/// One name of a certificate, or its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub enum CertificateName {
    /// `spiffe://acme/billing`: its one URI name.
    Spiffe(String),
    /// `dns:billing.internal`: one of its DNS names.
    Dns(String),
    /// `sha256:…`: SHA-256 of its public key (SubjectPublicKeyInfo).
    Key([u8; 32]),
    /// `subject:CN=billing,O=Acme`: its whole subject, attribute by attribute.
    Subject(Vec<(String, String)>),
}

/// The attributes a subject may be written with (RFC 4514 §3).
const ATTRIBUTES: [&str; 7] = ["CN", "O", "OU", "C", "L", "ST", "DC"];
/// LIMIT: attributes of a subject.
const ATTRIBUTES_MAX: usize = 16;
/// LIMIT: bytes of a SPIFFE id (SPIFFE-ID §2.3).
const SPIFFE_BYTES_MAX: usize = 2048;

impl CertificateName {
    pub(crate) fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |hint: &str| {
            Wrong::new(format!("{} names no certificate", quoted(text))).hint(hint.to_owned())
        };
        if text.starts_with("spiffe://") {
            return spiffe(text).ok_or_else(|| {
                wrong(
                    "`spiffe://`, a trust domain in lower case and a path: `spiffe://acme/billing`",
                )
            });
        }
        match text.split_once(':') {
            Some(("dns", name)) => values::host(name)
                .map(Self::Dns)
                .map_err(|_| wrong("a host name after `dns:`, without `*`")),
            Some(("sha256", digits)) => key(digits)
                .map(Self::Key)
                .ok_or_else(|| wrong("64 hexadecimal digits after `sha256:`")),
            Some(("subject", attributes)) => subject(attributes)
                .map(Self::Subject)
                .ok_or_else(|| {
                    wrong("the whole subject: `subject:CN=billing,O=Acme`, with CN, O, OU, C, L, ST, DC")
                }),
            _ => Err(wrong(
                "one of `spiffe://…`, `dns:…`, `sha256:…` (of the public key) or `subject:CN=…`",
            )),
        }
    }
}

/// SPIFFE-ID §2: no port, no query, no fragment, no empty or dotted segment.
fn spiffe(text: &str) -> Option<CertificateName> {
    let rest = text.strip_prefix("spiffe://")?;
    let (domain, path) = rest.split_once('/')?;
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    let segment = |s: &str| {
        !matches!(s, "" | "." | "..")
            && s.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    let fine = text.len() <= SPIFFE_BYTES_MAX
        && !domain.is_empty()
        && domain.bytes().all(lower)
        && path.split('/').all(segment);
    fine.then(|| CertificateName::Spiffe(text.to_owned()))
}

fn key(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(key)
}

fn subject(text: &str) -> Option<Vec<(String, String)>> {
    let mut attributes = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim().to_ascii_uppercase();
        if !ATTRIBUTES.contains(&name.as_str()) || attributes.len() == ATTRIBUTES_MAX {
            return None;
        }
        let (value, after) = attribute(after)?;
        attributes.push((name, value));
        match after {
            None => return Some(attributes),
            Some(after) => rest = after,
        }
    }
}

/// A value up to the next comma; `\` takes the character behind it as it is.
fn attribute(text: &str) -> Option<(String, Option<&str>)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => value.push(chars.next()?.1),
            ',' => {
                let rest = text.get(at + 1..)?;
                return (!value.is_empty()).then_some((value, Some(rest)));
            }
            // Several attributes in one place: no order tells them apart.
            '+' => return None,
            char if char.is_control() => return None,
            char => value.push(char),
        }
    }
    (!value.is_empty()).then_some((value, None))
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spiffe(uri) => f.write_str(uri),
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Key(key) => {
                f.write_str("sha256:")?;
                key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Subject(attributes) => {
                f.write_str("subject:")?;
                for (at, (name, value)) in attributes.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{name}=")?;
                    for char in value.chars() {
                        if matches!(char, ',' | '+' | '\\') {
                            f.write_str("\\")?;
                        }
                        write!(f, "{char}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl From<CertificateName> for String {
    fn from(name: CertificateName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests;
