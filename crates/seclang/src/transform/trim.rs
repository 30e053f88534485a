//! `t:trim`: without white space before and after.
//!
//! - Arguments: none.
//! - Returns: the value without C's white space at both ends.
//! - Example: ` a b ` becomes `a b`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(crate::bytes::trim(input));
    out.len() != input.len()
}
