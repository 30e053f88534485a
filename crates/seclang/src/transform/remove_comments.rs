//! `t:removeComments`: without comments of C, SQL, shells and HTML.
//!
//! - Arguments: none.
//! - Returns: without `/*…*/` and `<!--…-->`; from `--` or `#` on a single space is left, and for a
//!   comment that never ends one space too. The byte right after a comment is kept unread, as in
//!   ModSecurity.
//! - Example: `a/*b*/c` becomes `ac`.

use crate::bytes::{at, tail};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.iter().any(|byte| matches!(byte, b'*' | b'-' | b'#')) {
        return false;
    }
    let mut i = 0;
    let mut inside = false;
    while let Some(byte) = at(input, i) {
        let rest = tail(input, i);
        if inside {
            let closes = [b"*/".as_slice(), b"-->"];
            if let Some(end) = closes.iter().find(|end| rest.starts_with(end)) {
                inside = false;
                i += end.len();
                out.extend(input.get(i));
            }
            i += 1;
        } else if rest.starts_with(b"/*") {
            inside = true;
            i += 2;
        } else if rest.starts_with(b"<!--") {
            inside = true;
            i += 4;
        } else if rest.starts_with(b"--") || byte == b'#' {
            out.push(b' ');
            return true;
        } else {
            out.push(byte);
            i += 1;
        }
    }
    if inside {
        out.push(b' ');
    }
    out != input
}
