//! `@beginsWith text`: whether the value begins with the text.
//!
//! - Arguments: a text, macros expanded.
//! - Returns: true when the value's first bytes are the text; an empty text is always there.
//! - Example: `SecRule REQUEST_LINE "!@beginsWith GET" "id:1,deny"`.

pub(crate) fn matches(value: &[u8], text: &[u8]) -> bool {
    value.starts_with(text)
}
