//! Ids: 128 bits, ordered by time of making, with a prefix a reader recognises (`per_01J…`).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Clock, Entropy, Timestamp};

/// What an [`Id`] names.
pub trait Kind {
    /// The text before the underscore.
    const PREFIX: &'static str;
}

/// An id of a thing of kind `K`: 48 bits of milliseconds, 80 random bits (the ULID layout),
/// written as the kind's prefix, an underscore and 26 characters of Crockford's base 32.
pub struct Id<K> {
    raw: u128,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    /// A fresh id.
    pub fn new(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
        Self::made_at(clock.now(), entropy)
    }

    /// A fresh id of something whose time is known already.
    pub fn made_at(time: Timestamp, entropy: &dyn Entropy) -> Self {
        let ms = u128::try_from(time.as_millis()).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
        let random = u128::from_be_bytes(entropy.bytes::<16>()) & ((1 << 80) - 1);
        Self::from_raw((ms << 80) | random)
    }

    /// From its 128 bits.
    #[must_use]
    pub const fn from_raw(raw: u128) -> Self {
        Self {
            raw,
            kind: PhantomData,
        }
    }

    /// Its 128 bits.
    #[must_use]
    pub const fn as_raw(self) -> u128 {
        self.raw
    }

    /// Its text, without an allocation.
    #[must_use]
    pub fn text(self) -> IdText {
        let mut bytes = [0; TEXT_BYTES];
        let prefix = K::PREFIX.as_bytes();
        for (byte, letter) in bytes.iter_mut().zip(prefix.iter().chain(b"_")) {
            *byte = *letter;
        }
        let start = prefix.len().saturating_add(1);
        if let Some((_, rest)) = bytes.split_at_mut_checked(start)
            && let Some((first, rest)) = rest.split_first_chunk_mut::<2>()
            && let Some((second, rest)) = rest.split_first_chunk_mut::<PART>()
            && let Some((third, _)) = rest.split_first_chunk_mut::<PART>()
        {
            // In parts that fit a register: every request writes its id several times.
            write_digits(self.raw >> (2 * PART_BITS), first);
            write_digits(self.raw >> PART_BITS, second);
            write_digits(self.raw, third);
        }
        IdText {
            bytes,
            length: start.saturating_add(DIGITS),
        }
    }
}

/// LIMIT: bytes of an id's text; prefixes have three.
const TEXT_BYTES: usize = 32;
/// The last digits of a number.
fn write_digits<const N: usize>(number: u128, digits: &mut [u8; N]) {
    let mut rest = u64::try_from(number & ((1 << PART_BITS) - 1)).unwrap_or(0);
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(rest & 31).unwrap_or(0);
        *digit = ALPHABET.get(index).copied().unwrap_or(b'0');
        rest >>= 5;
    }
}

/// Digits that are written at once, and their bits.
const PART: usize = 12;
const PART_BITS: u32 = 60;

/// An id as it is written.
#[derive(Clone, Copy, Debug)]
pub struct IdText {
    bytes: [u8; TEXT_BYTES],
    length: usize,
}

impl IdText {
    /// The text: ASCII alone.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: prefix and digits are ASCII.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

const ALPHABET: [u8; 32] = *b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 26;

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// A text that is not an id of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}_` and 26 characters")]
pub struct ParseIdError {
    prefix: &'static str,
    text: String,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = ParseIdError;

    fn from_str(s: &str) -> Result<Self, ParseIdError> {
        parse_digits(K::PREFIX, s)
            .map(Self::from_raw)
            .ok_or_else(|| ParseIdError {
                prefix: K::PREFIX,
                text: s.chars().take(64).collect(),
            })
    }
}

fn parse_digits(prefix: &str, s: &str) -> Option<u128> {
    let digits = s.strip_prefix(prefix)?.strip_prefix('_')?;
    if digits.len() != DIGITS {
        return None;
    }
    let mut raw: u128 = 0;
    for (i, byte) in digits.bytes().enumerate() {
        let value = ALPHABET.iter().position(|a| *a == byte)?;
        // 26 digits hold 130 bits: the first may only use three of its five.
        if i == 0 && value > 7 {
            return None;
        }
        raw = (raw << 5) | u128::try_from(value).ok()?;
    }
    Some(raw)
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.raw.cmp(&other.raw)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $alias:ident, $kind:ident, $prefix:literal;)*) => {
        /// The kinds of things that have ids.
        pub mod kinds {
            $(
                $(#[$doc])*
                #[derive(Clone, Copy, Debug)]
                pub enum $kind {}
                impl super::Kind for $kind {
                    const PREFIX: &'static str = $prefix;
                }
            )*
        }
        $( $(#[$doc])* pub type $alias = Id<kinds::$kind>; )*
    };
}

kinds! {
    /// A person with an account.
    PersonId, Person, "per";
    /// An API key.
    ApiKeyId, ApiKey, "key";
    /// A signed-in session.
    SessionId, Session, "ses";
    /// One request, from the first byte to its record.
    RequestId, Request, "req";
    /// One event of the trail.
    EventId, Event, "evt";
    /// A planned estate change.
    PlanId, Plan, "pln";
    /// A one-time enrolment link.
    EnrolmentId, Enrolment, "enr";
    /// A person's credential.
    CredentialId, Credential, "crd";
    /// A role given to a principal.
    BindingId, Binding, "bnd";
    /// A sealed segment of traffic records.
    SegmentId, Segment, "seg";
    /// A ban of an address or network.
    BanId, Ban, "ban";
    /// A key that signs access tokens or assertions.
    TokenKeyId, TokenKey, "tky";
}
