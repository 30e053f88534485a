//! `t:escapeSeqDecode`: escapes of ANSI C as the bytes they stand for.
//!
//! - Arguments: none.
//! - Returns: `\a \b \f \n \r \t \v \\ \? \' \"`, `\xHH` and `\OOO` decoded; of an escape that is
//!   none of these only the `\` goes; a `\` at the end stays.
//! - Example: `\x41\102` becomes `AB`.

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

/// The byte that the escape after the `\` stands for, and how long that escape is.
fn escape(input: &[u8], from: usize, letter: u8) -> (u8, usize) {
    match letter {
        b'a' => (0x07, 1),
        b'b' => (0x08, 1),
        b'f' => (0x0c, 1),
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'v' => (0x0b, 1),
        b'x' | b'X' => hex_pair(input, from + 1).map_or((letter, 1), |byte| (byte, 3)),
        b'0'..=b'7' => octal(input, from, 3),
        _ => (letter, 1),
    }
}

/// Up to `most` octal digits at `from`: the low byte of their value, and how many there are.
pub(super) fn octal(input: &[u8], from: usize, most: usize) -> (u8, usize) {
    let mut value: u16 = 0;
    let mut count = 0;
    while count < most
        && let Some(digit @ b'0'..=b'7') = at(input, from + count)
    {
        value = value << 3 | u16::from(digit - b'0');
        count += 1;
    }
    (value.to_le_bytes()[0], count)
}
