//! `t:length`: how long the value is.
//!
//! - Arguments: none.
//! - Returns: the number of bytes, in decimal digits.
//! - Example: `Test` becomes `4`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(input.len().to_string().as_bytes());
    true
}
