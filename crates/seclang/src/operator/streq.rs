//! `@streq text`: whether the value is the text.
//!
//! - Arguments: a text, macros expanded; case matters.
//! - Returns: true when both have the same bytes.
//! - Example: `SecRule ARGS:foo "!@streq bar" "id:1,deny"`.

pub(crate) fn matches(value: &[u8], text: &[u8]) -> bool {
    value == text
}
