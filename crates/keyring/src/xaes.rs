//! XAES-256-GCM (C2SP): AES-256-GCM under a key derived for each 24-byte nonce, so that nonces may
//! be random for as many values as anyone will ever store.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cmac;
use zeroize::Zeroizing;

/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 24;
/// Bytes a ciphertext is longer than its plaintext.
pub(crate) const TAG_BYTES: usize = 16;

/// Encrypts; returns ciphertext and tag. `None` only when the cipher refuses the length.
pub(crate) fn seal(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    associated: &[u8],
    plaintext: &[u8],
) -> Option<Vec<u8>> {
    let (derived, inner) = derive(key, nonce)?;
    gcm_seal(&derived, inner, associated, plaintext)
}

/// Decrypts, or `None` when key, nonce, associated data or a single bit of the text differ.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    associated: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (derived, inner) = derive(key, nonce)?;
    gcm_open(&derived, inner, associated, ciphertext)
}

/// The inner AES-256-GCM (NIST SP 800-38D).
pub(crate) fn gcm_seal(
    key: &LessSafeKey,
    nonce: Nonce,
    associated: &[u8],
    plaintext: &[u8],
) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(plaintext.len() + TAG_BYTES);
    bytes.extend_from_slice(plaintext);
    key.seal_in_place_append_tag(nonce, Aad::from(associated), &mut bytes)
        .ok()?;
    Some(bytes)
}

/// The way back of [`gcm_seal`].
pub(crate) fn gcm_open(
    key: &LessSafeKey,
    nonce: Nonce,
    associated: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(ciphertext.to_vec());
    let length = key
        .open_in_place(nonce, Aad::from(associated), &mut bytes)
        .ok()?
        .len();
    bytes.truncate(length);
    Some(bytes)
}

/// The per-nonce key: two CMAC blocks over counter, label `X` and the nonce's first half
/// (NIST SP 800-108r1 counter mode); the second half is the inner nonce.
fn derive(key: &[u8; 32], nonce: &[u8; NONCE_BYTES]) -> Option<(LessSafeKey, Nonce)> {
    let (first, last) = nonce.split_first_chunk::<12>()?;
    let mac = cmac::Key::new(cmac::AES_256, key).ok()?;
    let mut derived = Zeroizing::new([0u8; 32]);
    for (counter, half) in (1u8..).zip(derived.chunks_exact_mut(16)) {
        let mut block = [0u8; 16];
        block[1] = counter;
        block[2] = b'X';
        block[4..].copy_from_slice(first);
        half.copy_from_slice(cmac::sign(&mac, &block).ok()?.as_ref());
    }
    let derived = UnboundKey::new(&AES_256_GCM, derived.as_slice()).ok()?;
    Some((
        LessSafeKey::new(derived),
        Nonce::try_assume_unique_for_key(last).ok()?,
    ))
}
