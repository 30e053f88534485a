//! `@validateUrlEncoding`: whether the value's percent-encoding is broken.
//!
//! - Arguments: none.
//! - Returns: true when a `%` is not followed by two hexadecimal digits.
//! - Example: `SecRule REQUEST_URI_RAW "@validateUrlEncoding" "id:1,deny"`.

use crate::bytes::hex_pair;

pub(crate) fn matches(value: &[u8]) -> bool {
    let mut signs = memchr::memchr_iter(b'%', value);
    signs.any(|at| hex_pair(value, at + 1).is_none())
}
