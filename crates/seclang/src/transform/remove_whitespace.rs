//! `t:removeWhitespace`: without white space.
//!
//! - Arguments: none.
//! - Returns: without C's white space and the byte 0xa0.
//! - Example: `a b\tc` becomes `abc`.

use crate::bytes::is_space;

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.iter().any(|byte| is_space(*byte) || *byte == 0xa0) {
        return false;
    }
    let kept = input
        .iter()
        .filter(|byte| !is_space(**byte) && **byte != 0xa0);
    out.extend(kept);
    out.len() != input.len()
}
