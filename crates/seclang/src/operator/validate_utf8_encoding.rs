//! `@validateUtf8Encoding`: whether the value is no UTF-8.
//!
//! - Arguments: none.
//! - Returns: true for bytes that RFC 3629 does not allow: sequences cut short, overlong ones,
//!   surrogates, numbers beyond U+10FFFF.
//! - Example: `SecRule ARGS "@validateUtf8Encoding" "id:1,deny"`.

pub(crate) fn matches(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_err()
}
