//! `t:hexEncode`: each byte as two hexadecimal digits.
//!
//! - Arguments: none.
//! - Returns: lower-case digits.
//! - Example: `Test` becomes `54657374`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in input {
        for nibble in [byte >> 4, byte & 0x0f] {
            out.extend(DIGITS.get(usize::from(nibble)));
        }
    }
    !input.is_empty()
}
