//! `t:cssDecode`: escapes of CSS 2 (§4.1.3) as the characters they stand for.
//!
//! - Arguments: none.
//! - Returns: `\` and one to six hexadecimal digits as one byte, the last two of them (full-width
//!   forms `ff01` to `ff5e` as their ASCII twins), with one white space after them; `\` before a
//!   line feed and at the end goes; before anything else only the `\` goes.
//! - Example: `ja\76 ascript` becomes `javascript`.

use crate::bytes::{at, hex, hex_pair, is_space};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memchr(b'\\', input).is_none() {
        return false;
    }
    let mut i = 0;
    let mut changed = false;
    while let Some(byte) = at(input, i) {
        if byte != b'\\' {
            out.push(byte);
            i += 1;
            continue;
        }
        changed = true;
        i += 1;
        let digits = (0..6).take_while(|n| at(input, i + n).and_then(hex).is_some());
        match (digits.count(), at(input, i)) {
            (0, None) => {}
            (0, Some(b'\n')) => i += 1,
            (0, Some(other)) => {
                out.push(other);
                i += 1;
            }
            (count, _) => {
                out.push(escaped(input, i, count));
                i += count;
                if at(input, i).is_some_and(is_space) {
                    i += 1;
                }
            }
        }
    }
    changed
}

/// The byte that `count` digits at `from` stand for.
fn escaped(input: &[u8], from: usize, count: usize) -> u8 {
    if count == 1 {
        return at(input, from).and_then(hex).unwrap_or_default();
    }
    let end = from + count;
    let byte = hex_pair(input, end - 2).unwrap_or_default();
    let zeros = count.saturating_sub(4);
    let full_width = count >= 4
        && (0..zeros).all(|n| at(input, from + n) == Some(b'0'))
        && hex_pair(input, end - 4) == Some(0xff)
        && (0x01..0x5f).contains(&byte);
    if full_width { byte + 0x20 } else { byte }
}
