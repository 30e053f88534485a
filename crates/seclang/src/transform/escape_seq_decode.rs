//! `t:escapeSeqDecode`: escapes of ANSI C as the bytes they stand for.
//!
//! - Arguments: none.
//! - Returns: `\a \b \f \n \r \t \v \\ \? \' \"`, `\xHH` and `\OOO` decoded; of an escape that is
//!   none of these only the `\` goes; a `\` at the end stays.
//! - Example: `\x41\102` becomes `AB`.

use super::escapes;
use crate::bytes::hex_pair;

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    escapes::decode(input, out, escape)
}

fn escape(input: &[u8], from: usize, letter: u8) -> (u8, usize) {
    match letter {
        b'x' | b'X' => hex_pair(input, from + 1).map_or((letter, 1), |byte| (byte, 3)),
        b'0'..=b'7' => escapes::octal(input, from, 3),
        _ => (escapes::letter(letter), 1),
    }
}
