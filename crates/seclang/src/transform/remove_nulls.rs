//! `t:removeNulls`: without NUL bytes.
//!
//! - Arguments: none.
//! - Returns: the other bytes.
//! - Example: `a`, NUL, `b` becomes `ab`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memchr(0, input).is_none() {
        return false;
    }
    out.extend(input.iter().filter(|byte| **byte != 0));
    true
}
