//! What transformations of escapes have in common: a `\` and what follows it become one byte.

use crate::bytes::at;

/// The byte that an escape stands for, and how long it is after its `\`. It is told the value, where the
/// escape goes on, and the byte there.
pub(super) type Escape = fn(&[u8], usize, u8) -> (u8, usize);

/// Replaces each escape. A `\` at the end stays.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>, escape: Escape) -> bool {
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

/// The letters that C and JavaScript have in common, as the bytes they stand for.
pub(super) fn letter(letter: u8) -> u8 {
    match letter {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        other => other,
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
