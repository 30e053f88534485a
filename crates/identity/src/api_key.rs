//! The text of an API key: `rk_<prefix>_<secret>_<check>`.
//!
//! The prefix is shown in lists, the secret has 256 bits, the check catches slips before anything
//! is looked up and lets scanners tell a key from a word.

use ::model::{Entropy, Secret};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters of the prefix.
const PREFIX_CHARS: usize = 8;
/// Characters of the secret: 43 of base 62 hold 256 bits.
const SECRET_CHARS: usize = 43;
/// Characters of the check: six of base 62 hold 32 bits.
const CHECK_CHARS: usize = 6;

/// A fresh key: its prefix and its whole text.
pub(crate) fn fresh(entropy: &dyn Entropy) -> (String, Secret<String>) {
    let prefix = random_text(entropy, PREFIX_CHARS);
    let body = format!("rk_{prefix}_{}", random_text(entropy, SECRET_CHARS));
    let check = check(&body);
    (prefix, Secret::new(format!("{body}_{check}")))
}

/// Whether a text has the form of a key and its check matches.
pub(crate) fn is_well_formed(text: &str) -> bool {
    let Some((body, found)) = text.rsplit_once('_') else {
        return false;
    };
    let mut parts = body.split('_');
    let (Some("rk"), Some(prefix), Some(secret), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let base62 = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric());
    prefix.len() == PREFIX_CHARS
        && secret.len() == SECRET_CHARS
        && base62(prefix)
        && base62(secret)
        && check(body) == found
}

/// Uniform characters: bytes that would favour some are thrown away.
fn random_text(entropy: &dyn Entropy, chars: usize) -> String {
    let mut text = String::with_capacity(chars);
    while text.len() < chars {
        let byte = entropy.bytes::<1>()[0];
        if let Some(letter) = ALPHABET.get(usize::from(byte % 64)) {
            text.push(char::from(*letter));
        }
    }
    text
}

/// CRC-32 (IEEE 802.3) in base 62, most significant digit first.
fn check(body: &str) -> String {
    let mut rest = crc32(body.as_bytes());
    let mut digits = Vec::with_capacity(CHECK_CHARS);
    for _ in 0..CHECK_CHARS {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        digits.push(ALPHABET.get(digit).copied().map_or('0', char::from));
        rest /= 62;
    }
    digits.iter().rev().collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = 0u32.wrapping_sub(crc & 1);
            (crc >> 1) ^ (0xEDB8_8320 & carry)
        })
    };
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use testkit::SeededEntropy;

    use super::*;

    #[test]
    fn a_fresh_key_is_well_formed_and_every_slip_is_caught() {
        let (prefix, text) = fresh(&SeededEntropy::new(1));
        let text = text.expose();
        assert!(text.starts_with(&format!("rk_{prefix}_")), "{text}");
        assert_eq!(text.len(), 2 + 1 + 8 + 1 + 43 + 1 + 6);
        assert!(is_well_formed(text));
        for at in 0..text.len() {
            let mut slip = text.clone().into_bytes();
            slip[at] = if slip[at] == b'x' { b'y' } else { b'x' };
            assert!(
                !is_well_formed(&String::from_utf8(slip).unwrap()),
                "position {at}"
            );
        }
        for wrong in ["", "rk_", "rk_a_b_c", "____"] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_check_is_the_standard_crc_32() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
