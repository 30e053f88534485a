//! Bearer secrets: 256 random bits as text, kept only as their SHA-256.

use ::model::snapshot::Digest;
use ::model::{Entropy, Secret};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// LIMIT: bytes of a secret that is looked up; ours have 43.
const TEXT_BYTES_MAX: usize = 256;

/// A fresh secret: 43 characters of base64url.
pub(crate) fn fresh(entropy: &dyn Entropy) -> Secret<String> {
    let bytes = Secret::new(entropy.bytes::<32>());
    Secret::new(URL_SAFE_NO_PAD.encode(bytes.expose()))
}

/// What is kept of a secret. A fast hash suffices: nobody guesses 256 bits.
pub(crate) fn digest_of(text: &str) -> Digest {
    let text = text.get(..TEXT_BYTES_MAX).unwrap_or(text);
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}
