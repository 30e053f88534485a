//! `t:uppercase`: ASCII letters in upper case.
//!
//! - Arguments: none.
//! - Returns: `a` to `z` as `A` to `Z`; every other byte as it is.
//! - Example: `select` becomes `SELECT`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if !input.iter().any(u8::is_ascii_lowercase) {
        return false;
    }
    out.extend(input.iter().map(u8::to_ascii_uppercase));
    true
}
