//! `t:jsDecode`: escapes of JavaScript strings as the bytes they stand for.
//!
//! - Arguments: none.
//! - Returns: `\uHHHH` as its low byte (full-width forms as their ASCII twins), `\xHH`, `\OOO`,
//!   and the single letters `a b f n r t v` decoded; before anything else the `\` goes; a `\` at
//!   the end stays.
//! - Example: `\u0061\x6cert` becomes `alert`.

use super::escapes;
use crate::bytes::hex_pair;

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    escapes::decode(input, out, escape)
}

fn escape(input: &[u8], from: usize, letter: u8) -> (u8, usize) {
    match letter {
        b'u' => unicode(input, from + 1).map_or((letter, 1), |byte| (byte, 5)),
        b'x' => hex_pair(input, from + 1).map_or((letter, 1), |byte| (byte, 3)),
        b'0'..=b'7' => {
            // Three digits only where they make one byte.
            let most = if letter > b'3' { 2 } else { 3 };
            escapes::octal(input, from, most)
        }
        _ => (escapes::letter(letter), 1),
    }
}

/// Four hexadecimal digits as their low byte, or as the ASCII twin of a full-width form.
pub(super) fn unicode(input: &[u8], from: usize) -> Option<u8> {
    let high = hex_pair(input, from)?;
    let low = hex_pair(input, from + 2)?;
    let full_width = high == 0xff && (0x01..0x5f).contains(&low);
    Some(if full_width { low + 0x20 } else { low })
}
