//! `t:trimRight`: without white space after.
//!
//! - Arguments: none.
//! - Returns: the value without C's white space at its end.
//! - Example: ` a ` becomes ` a`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(crate::bytes::trim_right(input));
    out.len() != input.len()
}
