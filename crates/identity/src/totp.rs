//! Codes of an authenticator app: TOTP (RFC 6238) with SHA-1, six digits, thirty seconds, which is
//! what every app speaks.

use ::model::{Entropy, Secret, Timestamp};
use aws_lc_rs::hmac;

/// Bytes of a seed: the length of the hash (RFC 4226 §4 asks for at least 16).
pub const SEED_BYTES: usize = 20;
/// Seconds of one step.
pub const STEP_SECONDS: i64 = 30;
/// Steps a clock may be off, either way.
const SKEW_STEPS: i64 = 1;

/// A fresh seed.
#[must_use]
pub fn seed(entropy: &dyn Entropy) -> Secret<Vec<u8>> {
    Secret::new(entropy.bytes::<SEED_BYTES>().to_vec())
}

/// The six-digit code of `seed` at `step` (RFC 4226 §5.3).
#[must_use]
pub fn code(seed: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0F);
    let word = tag
        .get(offset..offset + 4)
        .and_then(|w| w.first_chunk::<4>().copied());
    let number = u32::from_be_bytes(word.unwrap_or_default()) & 0x7FFF_FFFF;
    format!("{:06}", number % 1_000_000)
}

/// The step of a moment.
#[must_use]
pub fn step(now: Timestamp) -> i64 {
    now.as_secs().div_euclid(STEP_SECONDS)
}

/// The step whose code `given` is, if it is one of the present, the one before and the one after,
/// and newer than `last`: each code works once (RFC 6238 §5.2).
#[must_use]
pub fn accept(seed: &[u8], given: &str, now: Timestamp, last: i64) -> Option<i64> {
    let present = step(now);
    let mut found = None;
    // SECURITY: every candidate is compared, in constant time, so that nothing tells which was close.
    for candidate in present - SKEW_STEPS..=present + SKEW_STEPS {
        let expected = code(seed, candidate);
        let same = subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), given.as_bytes());
        if bool::from(same) && candidate > last {
            found = Some(candidate);
        }
    }
    found
}

/// The seed as apps take it by hand: base 32 (RFC 4648 §6) without padding.
#[must_use]
pub fn seed_text(seed: &[u8]) -> String {
    base32(seed)
}

/// The address an authenticator app reads from the picture.
#[must_use]
pub fn otpauth(seed: &[u8], issuer: &str, account: &str) -> Secret<String> {
    let (issuer, account) = (percent(issuer), percent(account));
    let seed = base32(seed);
    Secret::new(format!(
        "otpauth://totp/{issuer}:{account}?secret={seed}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_SECONDS}"
    ))
}

pub(crate) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut word = [0u8; 8];
        for (to, from) in word.iter_mut().skip(3).zip(chunk) {
            *to = *from;
        }
        let word = u64::from_be_bytes(word);
        for digit in 0..(chunk.len() * 8).div_ceil(5) {
            let index = usize::try_from((word >> (35 - 5 * digit)) & 31).unwrap_or(0);
            text.push(ALPHABET.get(index).copied().map_or('A', char::from));
        }
    }
    text
}

fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_match_rfc_4226_appendix_d() {
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code_expected) in (0..).zip(expected) {
            assert_eq!(code(SEED, counter), code_expected);
        }
    }

    #[test]
    fn codes_match_rfc_6238_appendix_b_in_their_last_six_digits() {
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(
                code(SEED, step(Timestamp::from_millis(seconds * 1000))),
                expected
            );
        }
    }

    #[test]
    fn a_code_works_once_and_one_step_either_way() {
        let now = Timestamp::from_millis(1_000_000_000_000);
        let present = step(now);
        for off in -1..=1 {
            assert_eq!(
                accept(SEED, &code(SEED, present + off), now, 0),
                Some(present + off)
            );
        }
        assert_eq!(accept(SEED, &code(SEED, present - 2), now, 0), None);
        assert_eq!(
            accept(SEED, &code(SEED, present), now, present),
            None,
            "used"
        );
        assert_eq!(
            accept(SEED, &code(SEED, present - 1), now, present),
            None,
            "older"
        );
        for wrong in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(accept(SEED, wrong, now, 0), None);
        }
    }

    #[test]
    fn base_32_matches_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn otpauth_escapes_what_people_are_called() {
        let uri = otpauth(SEED, "Acme & Co", "žofie");
        assert!(
            uri.expose()
                .starts_with("otpauth://totp/Acme%20%26%20Co:%C5%BEofie?secret=GEZD")
        );
    }
}
