//! `t:parityEven7bit`: the eighth bit of every byte as even parity of the byte.
//!
//! - Arguments: none.
//! - Returns: as many bytes, each with an even number of ones.
//! - Example: `a` (0x61) becomes the byte 0xe1.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend(input.iter().map(|byte| even(*byte)));
    out != input
}

/// Odd numbers of ones among all eight bits set the eighth; even ones clear it.
pub(super) fn even(byte: u8) -> u8 {
    if byte.count_ones() % 2 == 1 {
        byte | 0x80
    } else {
        byte & 0x7f
    }
}
