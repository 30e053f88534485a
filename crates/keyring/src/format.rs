//! The sealed-value header, version 1.
//!
//! `format (1) ‖ suite (1) ‖ term (4, big endian) ‖ key id (8) ‖ nonce (24) ‖ ciphertext ‖ tag (16)`

use crate::xaes::{NONCE_BYTES, TAG_BYTES};

/// The only format so far.
pub(crate) const FORMAT: u8 = 1;
/// XAES-256-GCM.
pub(crate) const SUITE_XAES_256_GCM: u8 = 1;
/// Bytes before the ciphertext.
pub(crate) const HEADER_BYTES: usize = 1 + 1 + 4 + 8 + NONCE_BYTES;

/// What stands before a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) term: u32,
    pub(crate) key_id: [u8; 8],
    pub(crate) nonce: [u8; NONCE_BYTES],
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        let parts: [&[u8]; 4] = [
            &[FORMAT, SUITE_XAES_256_GCM],
            &self.term.to_be_bytes(),
            &self.key_id,
            &self.nonce,
        ];
        for (to, from) in out.iter_mut().zip(parts.concat()) {
            *to = from;
        }
        out
    }

    /// Splits a sealed value into its header and its ciphertext with tag.
    pub(crate) fn split(sealed: &[u8]) -> Option<(Self, &[u8])> {
        let (format, rest) = sealed.split_first()?;
        let (suite, rest) = rest.split_first()?;
        let (term, rest) = rest.split_first_chunk::<4>()?;
        let (key_id, rest) = rest.split_first_chunk::<8>()?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let known = *format == FORMAT && *suite == SUITE_XAES_256_GCM;
        (known && ciphertext.len() >= TAG_BYTES).then_some((
            Self {
                term: u32::from_be_bytes(*term),
                key_id: *key_id,
                nonce: *nonce,
            },
            ciphertext,
        ))
    }
}
