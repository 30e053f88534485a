//! `@endsWith text`: whether the value ends with the text.
//!
//! - Arguments: a text, macros expanded.
//! - Returns: true when the value's last bytes are the text; an empty text is always there.
//! - Example: `SecRule REQUEST_LINE "!@endsWith HTTP/1.1" "id:1,deny"`.

pub(crate) fn matches(value: &[u8], text: &[u8]) -> bool {
    value.ends_with(text)
}
