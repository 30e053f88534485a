//! `@strmatch text`: whether the text occurs in the value.
//!
//! - Arguments: a text, macros expanded; case matters.
//! - Returns: what `@contains` returns.
//! - Example: `SecRule REQUEST_HEADERS:User-Agent "@strmatch WebZIP" "id:1,deny"`.

pub(crate) fn matches(value: &[u8], text: &[u8]) -> bool {
    crate::bytes::contains(value, text)
}
