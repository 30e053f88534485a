//! `@detectSQLi`: whether the value is an SQL injection, by its tokens.
//!
//! - Arguments: none.
//! - Returns: true when the tokens, folded, are a known attack; `TX.0` is their fingerprint. The
//!   verdicts are those of libinjection.
//! - Example: `SecRule ARGS "@detectSQLi" "id:1,capture,deny"`.

use crate::injection;

/// The fingerprint of an injection.
pub(crate) fn matches(value: &[u8]) -> Option<Vec<u8>> {
    if is_word(value) { None } else { asked(value) }
}

/// A single word or number is one token, and no fingerprint of one such token is known as an attack.
///
/// A word goes on beyond a `.` unless what is before it is a keyword: `json` is none, and no keyword
/// has a `.`, so the names of values in JSON are one word each.
pub(crate) fn is_word(value: &[u8]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match value.first() {
        None => true,
        Some(b'0'..=b'9') => is_number(value),
        Some(_) if value.starts_with(b"json.") => {
            value.iter().all(|byte| part(byte) || *byte == b'.')
        }
        Some(_) => value.iter().all(part),
    }
}

fn is_number(value: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    match crate::bytes::split_once(value, b'.') {
        None => digits(value),
        Some((whole, part)) => digits(whole) && digits(part) && !part.is_empty(),
    }
}

/// By its tokens, whatever it looks like.
pub(super) fn asked(value: &[u8]) -> Option<Vec<u8>> {
    injection::sql(value).map(|print| print.letters().to_vec())
}
