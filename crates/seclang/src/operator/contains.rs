//! `@contains text`: whether the text occurs in the value.
//!
//! - Arguments: a text, macros expanded; case matters.
//! - Returns: true when it occurs anywhere; an empty text is always there.
//! - Example: `SecRule REQUEST_LINE "@contains .php" "id:1,deny"`.

pub(crate) fn matches(value: &[u8], text: &[u8]) -> bool {
    crate::bytes::contains(value, text)
}
