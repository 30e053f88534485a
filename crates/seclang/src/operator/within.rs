//! `@within text`: whether the value occurs in the text.
//!
//! - Arguments: a text, macros expanded; case matters.
//! - Returns: true when the text has the value somewhere; an empty value is always there.
//! - Example: `SecRule REQUEST_METHOD "!@within GET POST HEAD" "id:1,deny"`.

pub(crate) fn matches(value: &[u8], text: &[u8]) -> bool {
    crate::bytes::contains(text, value)
}
