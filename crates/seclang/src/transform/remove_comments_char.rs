//! `t:removeCommentsChar`: without the signs that begin and end comments; what they hide stays.
//!
//! - Arguments: none.
//! - Returns: without `/*`, `*/`, `<!--`, `-->`, `--` and `#`.
//! - Example: `a/*b*/c` becomes `abc`.

use crate::bytes::{at, tail};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    const SIGNS: [&[u8]; 6] = [b"/*", b"*/", b"<!--", b"-->", b"--", b"#"];
    // Every sign has one of these.
    if !input.iter().any(|byte| matches!(byte, b'*' | b'-' | b'#')) {
        return false;
    }
    let mut i = 0;
    while let Some(byte) = at(input, i) {
        let rest = tail(input, i);
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(sign)) {
            i += sign.len();
        } else {
            out.push(byte);
            i += 1;
        }
    }
    out.len() != input.len()
}
