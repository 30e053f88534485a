//! `t:replaceComments`: comments of C as one space each.
//!
//! - Arguments: none.
//! - Returns: `/*…*/` as a space, also one that never ends; a `*/` alone stays.
//! - Example: `UNION/**/SELECT` becomes `UNION SELECT`.

use memchr::memmem::find;

use crate::bytes::{head, tail};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if find(input, b"/*").is_none() {
        return false;
    }
    let mut rest = input;
    while let Some(begin) = find(rest, b"/*") {
        out.extend_from_slice(head(rest, begin));
        out.push(b' ');
        rest = tail(rest, begin + 2);
        rest = find(rest, b"*/").map_or(&[], |end| tail(rest, end + 2));
    }
    out.extend_from_slice(rest);
    out != input
}
