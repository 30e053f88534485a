//! `t:trimLeft`: without white space before.
//!
//! - Arguments: none.
//! - Returns: the value without C's white space at its beginning.
//! - Example: ` a ` becomes `a `.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(crate::bytes::trim_left(input));
    out.len() != input.len()
}
