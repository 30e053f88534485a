//! `t:utf8toUnicode`: characters of UTF-8 beyond ASCII as `%uhhhh`.
//!
//! - Arguments: none.
//! - Returns: every well-formed sequence of two to four bytes as `%u` and at least four
//!   hexadecimal digits; ASCII and bytes that are no UTF-8 as they are.
//! - Example: `é` becomes `%u00e9`.

use crate::bytes::head;

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if input.is_ascii() {
        return false;
    }
    for chunk in input.utf8_chunks() {
        for letter in chunk.valid().chars() {
            let code = u32::from(letter);
            let mut buffer = [0; 4];
            if code < 0x80 {
                out.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
            } else {
                out.extend_from_slice(format!("%u{code:04x}").as_bytes());
            }
        }
        out.extend_from_slice(head(chunk.invalid(), 4));
    }
    out != input
}
