//! `t:jsDecode`: escapes of JavaScript strings as the bytes they stand for.
//!
//! - Arguments: none.
//! - Returns: `\uHHHH` as its low byte (full-width forms as their ASCII twins), `\xHH`, `\OOO`,
//!   and the single letters `a b f n r t v` decoded; before anything else the `\` goes; a `\` at
//!   the end stays.
//! - Example: `\u0061\x6cert` becomes `alert`.

use super::escape_seq_decode::octal;
use crate::bytes::{at, hex_pair};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memchr(b'\\', input).is_none() {
        return false;
    }
    let mut i = 0;
    let mut changed = false;
    while let Some(byte) = at(input, i) {
        let Some(next) = at(input, i + 1).filter(|_| byte == b'\\') else {
            out.push(byte);
            i += 1;
            continue;
        };
        changed = true;
        let (decoded, length) = escape(input, i + 1, next);
        out.push(decoded);
        i += 1 + length;
    }
    changed
}

fn escape(input: &[u8], from: usize, letter: u8) -> (u8, usize) {
    match letter {
        b'u' => unicode(input, from + 1).map_or((letter, 1), |byte| (byte, 5)),
        b'x' => hex_pair(input, from + 1).map_or((letter, 1), |byte| (byte, 3)),
        b'0'..=b'7' => {
            // Three digits only where they make one byte.
            let most = if letter > b'3' { 2 } else { 3 };
            octal(input, from, most)
        }
        b'a' => (0x07, 1),
        b'b' => (0x08, 1),
        b'f' => (0x0c, 1),
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'v' => (0x0b, 1),
        _ => (letter, 1),
    }
}

/// Four hexadecimal digits as their low byte, or as the ASCII twin of a full-width form.
pub(super) fn unicode(input: &[u8], from: usize) -> Option<u8> {
    let high = hex_pair(input, from)?;
    let low = hex_pair(input, from + 2)?;
    let full_width = high == 0xff && (0x01..0x5f).contains(&low);
    Some(if full_width { low + 0x20 } else { low })
}
