//! `t:htmlEntityDecode`: the entities of HTML that attacks are written with, as bytes.
//!
//! - Arguments: none.
//! - Returns: `&#xH…;`, `&#D…;` (the low byte of the number), `&quot;`, `&amp;`, `&lt;`, `&gt;` and
//!   `&nbsp;` (the byte 0xa0), each with or without its semicolon, decoded; all else as it is.
//! - Example: `&lt;script&#62` becomes `<script>`.

use crate::bytes::{at, low_byte, tail};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memchr(b'&', input).is_none() {
        return false;
    }
    let mut i = 0;
    let mut changed = false;
    while let Some(byte) = at(input, i) {
        if byte == b'&'
            && let Some((decoded, length)) = entity(tail(input, i + 1))
        {
            out.push(decoded);
            i += 1 + length;
            if at(input, i) == Some(b';') {
                i += 1;
            }
            changed = true;
        } else {
            out.push(byte);
            i += 1;
        }
    }
    changed
}

/// What the text after `&` stands for, and how long it is without its semicolon.
fn entity(text: &[u8]) -> Option<(u8, usize)> {
    if at(text, 0) == Some(b'#') {
        return match at(text, 1)? {
            b'x' | b'X' => numeric(tail(text, 2), 16).map(|(byte, n)| (byte, n + 2)),
            _ => numeric(tail(text, 1), 10).map(|(byte, n)| (byte, n + 1)),
        };
    }
    let length = text
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let name = text.get(..length)?.to_ascii_lowercase();
    let decoded = match name.as_slice() {
        b"quot" => b'"',
        b"amp" => b'&',
        b"lt" => b'<',
        b"gt" => b'>',
        b"nbsp" => 0xa0,
        _ => return None,
    };
    Some((decoded, length))
}

/// The low byte of the number, which saturates, and the count of its digits.
fn numeric(text: &[u8], base: u32) -> Option<(u8, usize)> {
    let mut value: i64 = 0;
    let mut count = 0;
    while let Some(digit) = at(text, count).and_then(|b| char::from(b).to_digit(base)) {
        value = value
            .saturating_mul(i64::from(base))
            .saturating_add(i64::from(digit));
        count += 1;
    }
    (count > 0).then(|| (low_byte(value), count))
}
