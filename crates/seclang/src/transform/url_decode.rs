//! `t:urlDecode`: percent-encoding of forms decoded (WHATWG URL §5).
//!
//! - Arguments: none.
//! - Returns: `%HH` as a byte and `+` as a space; a `%` without two digits stays.
//! - Example: `a%20b+c%zz` becomes `a b c%zz`.

use crate::bytes::{at, hex_pair};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memchr2(b'%', b'+', input).is_none() {
        return false;
    }
    decode(input, out);
    true
}

/// Decodes, and says how many `%` did not begin an escape.
pub(crate) fn decode(input: &[u8], out: &mut Vec<u8>) -> usize {
    let mut i = 0;
    let mut invalid = 0;
    while let Some(byte) = at(input, i) {
        match (byte, hex_pair(input, i + 1)) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                i += 3;
                continue;
            }
            (b'%', None) => {
                invalid += 1;
                out.push(byte);
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        i += 1;
    }
    invalid
}
