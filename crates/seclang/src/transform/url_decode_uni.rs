//! `t:urlDecodeUni`: percent-encoding of forms decoded, with the `%uHHHH` of Microsoft.
//!
//! - Arguments: none; `SecUnicodeMapFile` gives the code page.
//! - Returns: `%uHHHH` as the byte that the code page knows for it, else as its low byte
//!   (full-width forms as their ASCII twins); `%HH` as a byte; `+` as a space; what is no escape
//!   stays.
//! - Example: `%u0061%6cert` becomes `alert`.

use super::js_decode::unicode;
use super::unicode_map::UnicodeMap;
use crate::bytes::{at, hex_pair};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>, map: &UnicodeMap) -> bool {
    if memchr::memchr2(b'%', b'+', input).is_none() {
        return false;
    }
    let mut i = 0;
    while let Some(byte) = at(input, i) {
        if byte == b'%' && matches!(at(input, i + 1), Some(b'u' | b'U')) {
            if let Some(low) = unicode(input, i + 2) {
                out.push(mapped(input, i + 2, map).unwrap_or(low));
                i += 6;
            } else {
                out.extend(input.get(i..i + 2).unwrap_or_default());
                i += 2;
            }
        } else if byte == b'%'
            && let Some(decoded) = hex_pair(input, i + 1)
        {
            out.push(decoded);
            i += 3;
        } else {
            out.push(if byte == b'+' { b' ' } else { byte });
            i += 1;
        }
    }
    true
}

fn mapped(input: &[u8], from: usize, map: &UnicodeMap) -> Option<u8> {
    let high = hex_pair(input, from)?;
    let low = hex_pair(input, from + 2)?;
    map.byte(u16::from_be_bytes([high, low]))
}
