//! What texts of one place have in common: a format, a greatest length, and few values that repeat
//! across sources. Anything that could be a person's or a secret is not kept at all.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{Budget, Limits};
use crate::schema::Format;

/// Formats that are looked for, the narrower first.
const FORMATS: [(&str, Format); 8] = [
    ("date-time", Format::DateTime),
    ("date", Format::Date),
    ("time", Format::Time),
    ("uuid", Format::Uuid),
    ("ipv4", Format::Ipv4),
    ("ipv6", Format::Ipv6),
    ("email", Format::Email),
    ("uri", Format::Uri),
];

// LIMIT: characters of a value that may become part of an enum.
const VALUE: usize = 32;
// LIMIT: sources remembered of one value.
const SOURCES: usize = 8;
/// Times a format must have held before it is said.
const FORMAT_COUNT: u64 = 5;

/// Texts of one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    pub(super) count: u64,
    /// Formats that some text was not of.
    not: [bool; FORMATS.len()],
    pub(super) length_max: usize,
    /// Values, while they are few and harmless; `None` once they are not.
    values: Option<BTreeMap<String, Value>>,
}

#[derive(Debug, Clone, Default)]
struct Value {
    count: u64,
    sources: SmallVec<[u64; 4]>,
}

impl Value {
    fn add(&mut self, source: u64) {
        if self.sources.len() < SOURCES && !self.sources.contains(&source) {
            self.sources.push(source);
        }
    }
}

/// Words in names of places whose values are a person's, or a secret.
const PRIVATE: &[&str] = &[
    "name",
    "mail",
    "phone",
    "mobile",
    "address",
    "street",
    "city",
    "zip",
    "postal",
    "birth",
    "gender",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "pin",
    "key",
    "auth",
    "session",
    "cookie",
    "otp",
    "code",
    "iban",
    "card",
    "account",
    "ssn",
    "tax",
    "user",
    "login",
    "nick",
    "person",
    "owner",
    "author",
    "customer",
    "patient",
    "comment",
    "note",
    "message",
    "ip",
    "lat",
    "lon",
    "location",
    "hash",
    "sign",
    "salt",
    "nonce",
    "cvv",
    "cvc",
    "religion",
    "health",
    "diagnosis",
];

/// Whether values of a place may become known.
pub(super) fn is_private(place: &str) -> bool {
    let lower = place.to_ascii_lowercase();
    PRIVATE.iter().any(|word| lower.contains(word))
}

/// A word such as programs use: short, of plain letters, without long numbers.
fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    !text.is_empty()
        && text.len() <= VALUE
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(plain)
        && digits <= 2
}

impl Texts {
    pub(super) fn add(&mut self, text: &str, place: &str, budget: &Budget<'_>) {
        let first = self.count == 0;
        self.count = self.count.saturating_add(1);
        self.length_max = self.length_max.max(text.chars().count());
        for (not, (_, format)) in self.not.iter_mut().zip(FORMATS) {
            *not = *not || !format.text(text);
        }
        if first {
            self.values = Some(BTreeMap::new());
        }
        let Some(values) = &mut self.values else {
            return;
        };
        let known = values.contains_key(text);
        // SECURITY: one value that is no harmless word, and none of the place is kept.
        if is_private(place) || !is_word(text) || (!known && values.len() >= budget.limits.values) {
            self.values = None;
            return;
        }
        let value = values.entry(text.to_owned()).or_default();
        value.count = value.count.saturating_add(1);
        value.add(budget.source);
    }

    pub(super) fn merge(&mut self, other: Self, limits: &Limits) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other;
            return;
        }
        self.count = self.count.saturating_add(other.count);
        self.length_max = self.length_max.max(other.length_max);
        for (not, more) in self.not.iter_mut().zip(other.not) {
            *not |= more;
        }
        let both = self.values.take().zip(other.values);
        self.values = both.and_then(|(mut values, more)| {
            for (text, other) in more {
                let value = values.entry(text).or_default();
                value.count = value.count.saturating_add(other.count);
                other
                    .sources
                    .into_iter()
                    .for_each(|source| value.add(source));
            }
            (values.len() <= limits.values).then_some(values)
        });
    }

    /// The format that every text was of.
    pub(super) fn format(&self) -> Option<&'static str> {
        let found = self.not.iter().zip(FORMATS).find(|(not, _)| !**not);
        found
            .filter(|_| self.count >= FORMAT_COUNT)
            .map(|(_, (name, _))| name)
    }

    /// All values, when each came often and from several sources.
    pub(super) fn enumeration(&self, limits: &Limits) -> Option<Vec<&str>> {
        let values = self.values.as_ref().filter(|values| !values.is_empty())?;
        let sources = limits.value_sources.min(SOURCES);
        let common = |value: &Value| value.count >= 3 && value.sources.len() >= sources;
        let enough = self.count >= limits.value_count && values.values().all(common);
        enough.then(|| values.keys().map(String::as_str).collect())
    }
}
