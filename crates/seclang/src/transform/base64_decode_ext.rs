//! `t:base64DecodeExt`: what base64 text says, with whatever stands between its letters left out.
//!
//! - Arguments: none.
//! - Returns: the decoded bytes. Bytes outside the alphabet are skipped, `=` ends the text.
//! - Example: `P.HNjcmlwd D4=` becomes `<script>`.

use super::base64_decode::{Bits, sextet};

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    let mut bits = Bits::default();
    let text = input.iter().take_while(|byte| **byte != b'=');
    for sextet in text.filter_map(|byte| sextet(*byte)) {
        bits.push(sextet, out);
    }
    true
}
