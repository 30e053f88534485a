//! Sealing and opening under terms.

use aws_lc_rs::hkdf;
use model::{Entropy, ErrorKind, Secret};
use zeroize::Zeroizing;

use crate::RootKey;
use crate::format::{HEADER_BYTES, Header};
use crate::xaes;

/// Where a sealed value stands. It is bound into the seal: a value moved to another table, column
/// or row does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Table, or kind of file.
    pub table: &'a str,
    /// Column, or field.
    pub column: &'a str,
    /// The row's primary key as text.
    pub row: &'a str,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The value was changed, moved, cut, or sealed under another root key. One error for all of
    /// them: which one it was helps only who tries.
    #[error("the sealed value does not open here")]
    Open,
    /// The value is longer than the cipher takes (64 GiB).
    #[error("the value is too long to seal")]
    TooLong,
}

impl Error {
    /// What sort of failure this is.
    #[must_use]
    pub fn kind(self) -> ErrorKind {
        match self {
            Self::Open => ErrorKind::Corrupt,
            Self::TooLong => ErrorKind::Limit,
        }
    }
}

#[derive(Debug)]
struct Term {
    number: u32,
    id: [u8; 8],
    key: Secret<[u8; 32]>,
}

/// Seals and opens values. New values are sealed under the newest term; old terms still open.
#[derive(Debug)]
pub struct Keyring {
    root: RootKey,
    /// The one that seals. Earlier ones are derived when a value asks for them.
    newest: Term,
}

impl Keyring {
    /// A keyring at its first term.
    #[must_use]
    pub fn new(root: RootKey) -> Self {
        Self::with_terms(root, 1)
    }

    /// A keyring whose newest term is `newest` (at least 1); every earlier one opens.
    #[must_use]
    pub fn with_terms(root: RootKey, newest: u32) -> Self {
        let newest = Term::derive(&root, newest.max(1));
        Self { root, newest }
    }

    /// Seals `plaintext` for `place` under the newest term.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        place: Place<'_>,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let term = &self.newest;
        let header = Header {
            term: term.number,
            key_id: term.id,
            nonce: entropy.bytes(),
        };
        let bytes = header.to_bytes();
        let associated = associated(&bytes, place);
        let ciphertext = xaes::seal(term.key.expose(), &header.nonce, &associated, plaintext)
            .ok_or(Error::TooLong)?;
        let mut sealed = Vec::with_capacity(HEADER_BYTES + ciphertext.len());
        sealed.extend_from_slice(&bytes);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what was sealed for exactly `place`.
    ///
    /// # Errors
    /// [`Error::Open`], whatever the reason.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Error> {
        let (header, ciphertext) = Header::split(sealed).ok_or(Error::Open)?;
        let earlier;
        let term = if header.term == self.newest.number {
            &self.newest
        } else if (1..self.newest.number).contains(&header.term) {
            earlier = Term::derive(&self.root, header.term);
            &earlier
        } else {
            return Err(Error::Open);
        };
        if term.id != header.key_id {
            return Err(Error::Open);
        }
        let associated = associated(&header.to_bytes(), place);
        xaes::open(term.key.expose(), &header.nonce, &associated, ciphertext)
            .map(|mut plaintext| Secret::new(std::mem::take(&mut *plaintext)))
            .ok_or(Error::Open)
    }

    /// A key of its own for `purpose`, the same every time: for MACs and lookups, never for sealing.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Secret<[u8; 32]> {
        Secret::new(*expand(&self.root, &["rampart purpose", purpose]))
    }
}

impl Term {
    fn derive(root: &RootKey, number: u32) -> Self {
        let text = number.to_string();
        let key = expand(root, &["rampart term key", &text]);
        let id = expand(root, &["rampart term id", &text]);
        let id = id.first_chunk().copied().unwrap_or_default();
        Self {
            number,
            id,
            key: Secret::new(*key),
        }
    }
}

/// HKDF-SHA-256 (RFC 5869) from the root key. Each part of `info` is length-prefixed, so that two
/// different lists never meet in one text.
fn expand(root: &RootKey, info: &[&str]) -> Zeroizing<[u8; 32]> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"rampart keyring v1");
    let prk = salt.extract(root.0.expose());
    let info = length_prefixed(info);
    let mut out = Zeroizing::new([0; 32]);
    let filled = prk
        .expand(&[&info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(out.as_mut_slice()));
    #[expect(
        clippy::expect_used,
        reason = "HKDF-SHA-256 gives up to 8,160 bytes; 32 never fail"
    )]
    filled.expect("32 bytes are within HKDF's limit");
    out
}

fn associated(header: &[u8; HEADER_BYTES], place: Place<'_>) -> Vec<u8> {
    let mut bytes = header.to_vec();
    bytes.extend(length_prefixed(&[place.table, place.column, place.row]));
    bytes
}

fn length_prefixed(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}
