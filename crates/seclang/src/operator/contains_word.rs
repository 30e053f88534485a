//! `@containsWord text`: whether the text occurs in the value as a word.
//!
//! - Arguments: a text, macros expanded; case matters.
//! - Returns: true when it occurs with no letter, digit or `_` right before or after.
//! - Example: `SecRule ARGS "@containsWord select" "id:1,deny"`.

use crate::bytes::at;

pub(crate) fn matches(value: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        return true;
    }
    let part = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    memchr::memmem::find_iter(value, text).any(|begin| {
        let before = begin.checked_sub(1).and_then(|before| at(value, before));
        !part(before) && !part(at(value, begin + text.len()))
    })
}
