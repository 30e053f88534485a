//! `@detectSQLi`: whether the value is an SQL injection, by its tokens.
//!
//! - Arguments: none.
//! - Returns: true when the tokens, folded, are a known attack; `TX.0` is their fingerprint. The
//!   verdicts are those of libinjection.
//! - Example: `SecRule ARGS "@detectSQLi" "id:1,capture,deny"`.

use std::panic::catch_unwind;

/// The fingerprint of an injection.
pub(crate) fn matches(value: &[u8]) -> Option<Vec<u8>> {
    if is_word(value) { None } else { asked(value) }
}

/// A single word or number is one token, and no fingerprint of one such token is known as an attack.
pub(super) fn is_word(value: &[u8]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match value.first() {
        None => true,
        Some(b'0'..=b'9') => value.iter().all(u8::is_ascii_digit),
        Some(_) => value.iter().all(part),
    }
}

/// What the library says.
pub(super) fn asked(value: &[u8]) -> Option<Vec<u8>> {
    // SECURITY: a defect in the library must not let a value pass, nor end the process: a panic is
    // an injection without a fingerprint.
    let verdict = catch_unwind(|| {
        let found = libinjectionrs::detect_sqli(value);
        let print = found.fingerprint.as_ref();
        let print = print.map(|print| print.to_string().into_bytes());
        found.is_injection().then(|| print.unwrap_or_default())
    });
    verdict.unwrap_or_else(|_| Some(Vec::new()))
}
