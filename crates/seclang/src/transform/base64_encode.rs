//! `t:base64Encode`: the value as base64 text.
//!
//! - Arguments: none.
//! - Returns: RFC 4648 §4 text with padding, in one line.
//! - Example: `Test` becomes `VGVzdA==`.

use base64::Engine as _;

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    let text = base64::engine::general_purpose::STANDARD.encode(input);
    out.extend_from_slice(text.as_bytes());
    true
}
