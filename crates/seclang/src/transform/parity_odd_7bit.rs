//! `t:parityOdd7bit`: the eighth bit of every byte as odd parity of the byte.
//!
//! - Arguments: none.
//! - Returns: as many bytes, each of 7 bits with an odd number of ones.
//! - Example: `c` (0x63) becomes the byte 0xe3.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend(input.iter().map(|byte| odd(*byte)));
    out != input
}

fn odd(byte: u8) -> u8 {
    if byte.count_ones() % 2 == 1 {
        byte & 0x7f
    } else {
        byte | 0x80
    }
}
