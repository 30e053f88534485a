//! `t:hexDecode`: pairs of hexadecimal digits as bytes.
//!
//! - Arguments: none.
//! - Returns: a byte for each pair; a digit left over is dropped, and what is no digit counts as
//!   its distance from `0` or `A`, as in ModSecurity.
//! - Example: `54657374` becomes `Test`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    for pair in input.chunks_exact(2) {
        if let [high, low] = pair {
            out.push(digit(*high).wrapping_mul(16).wrapping_add(digit(*low)));
        }
    }
    true
}

fn digit(byte: u8) -> u8 {
    if byte >= b'A' {
        (byte & 0xdf).wrapping_sub(b'A').wrapping_add(10)
    } else {
        byte.wrapping_sub(b'0')
    }
}
