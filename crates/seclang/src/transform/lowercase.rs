//! `t:lowercase`: ASCII letters in lower case.
//!
//! - Arguments: none.
//! - Returns: `A` to `Z` as `a` to `z`; every other byte as it is.
//! - Example: `SELECT` becomes `select`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.iter().any(u8::is_ascii_uppercase) {
        return false;
    }
    out.extend(input.iter().map(u8::to_ascii_lowercase));
    true
}
