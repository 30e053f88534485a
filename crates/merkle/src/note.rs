//! Keys of C2SP signed notes: Ed25519, named, with a key id that binds the name.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The signature type of Ed25519 in a key id and in a verifier key.
const ED25519_TYPE: u8 = 1;
/// LIMIT: bytes of a key's name.
const NAME_BYTES_MAX: usize = 255;

/// Why a key is not usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Empty, too long, or with white space or `+` in it.
    #[error("a key's name is 1 to 255 bytes without white space or `+`")]
    Name,
    /// Not `name+8 hex digits+base64`, or the parts do not belong together.
    #[error("this is not a verifier key of the form `name+hash+key`")]
    Malformed,
    /// The seed makes no key.
    #[error("the seed makes no Ed25519 key")]
    Seed,
}

/// A key that signs notes.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// The key `name` from a 32-byte seed (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// [`KeyError::Name`], [`KeyError::Seed`].
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Seed)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| KeyError::Seed)?;
        Ok(Self {
            public: VerifyingKey::new(name, public)?,
            pair,
        })
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// The signature line for `text`: `— name base64(id ‖ signature)`.
    pub(crate) fn signature_line(&self, text: &str) -> String {
        let mut bytes = self.public.id().to_vec();
        bytes.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("\u{2014} {} {}\n", self.public.name, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

/// A key that verifies notes; text form `name+hash+base64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    key: [u8; 32],
}

impl VerifyingKey {
    fn new(name: &str, key: [u8; 32]) -> Result<Self, KeyError> {
        let fits = !name.is_empty()
            && name.len() <= NAME_BYTES_MAX
            && !name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control());
        if fits {
            Ok(Self {
                name: name.to_owned(),
                key,
            })
        } else {
            Err(KeyError::Name)
        }
    }

    /// Its name, usually the log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key)`.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let bytes = [self.name.as_bytes(), &[b'\n', ED25519_TYPE], &self.key].concat();
        digest(&SHA256, &bytes)
            .as_ref()
            .first_chunk()
            .copied()
            .unwrap_or_default()
    }

    /// Whether one of the signature lines is this key's valid signature of `text`.
    pub(crate) fn signed<'a>(&self, text: &str, lines: impl Iterator<Item = &'a str>) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        lines
            .filter_map(|line| self.signature_of(line))
            .any(|signature| key.verify(text.as_bytes(), &signature).is_ok())
    }

    fn signature_of(&self, line: &str) -> Option<Vec<u8>> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        (name == self.name && *id == self.id()).then(|| signature.to_vec())
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let mut typed = vec![ED25519_TYPE];
        typed.extend_from_slice(&self.key);
        write!(f, "{}+{id:08x}+{}", self.name, STANDARD.encode(typed))
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(hash), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(KeyError::Malformed);
        };
        let typed = STANDARD.decode(encoded).map_err(|_| KeyError::Malformed)?;
        let (kind, key) = typed.split_first().ok_or(KeyError::Malformed)?;
        let key: [u8; 32] = key.try_into().map_err(|_| KeyError::Malformed)?;
        let parsed = Self::new(name, key)?;
        let id = format!("{:08x}", u32::from_be_bytes(parsed.id()));
        if *kind == ED25519_TYPE && hash == id {
            Ok(parsed)
        } else {
            Err(KeyError::Malformed)
        }
    }
}
