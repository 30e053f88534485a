//! `t:sqlHexDecode`: hexadecimal literals of SQL as the bytes they stand for.
//!
//! - Arguments: none.
//! - Returns: `0x` and the pairs of digits after it as bytes; a `0x` without a pair stays.
//! - Example: `0x414243` becomes `ABC`.

use crate::bytes::{at, hex_pair};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memchr2(b'x', b'X', input).is_none() {
        return false;
    }
    let mut i = 0;
    let mut changed = false;
    while let Some(byte) = at(input, i) {
        let begins = byte == b'0' && matches!(at(input, i + 1), Some(b'x' | b'X'));
        if begins && hex_pair(input, i + 2).is_some() {
            i += 2;
            while let Some(decoded) = hex_pair(input, i) {
                out.push(decoded);
                i += 2;
            }
            changed = true;
        } else {
            out.push(byte);
            i += 1;
        }
    }
    changed
}
