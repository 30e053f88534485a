//! `t:compressWhitespace`: runs of white space as one space.
//!
//! - Arguments: none.
//! - Returns: every run of C's white space and of the byte 0xa0 as one space.
//! - Example: `a \t b` becomes `a b`.

use crate::bytes::is_space;

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.iter().any(|byte| is_space(*byte) || *byte == 0xa0) {
        return false;
    }
    let mut inside = false;
    for byte in input {
        let space = is_space(*byte) || *byte == 0xa0;
        if !space {
            out.push(*byte);
        } else if !inside {
            out.push(b' ');
        }
        inside = space;
    }
    out != input
}
