//! `t:parityZero7bit`: the eighth bit of every byte cleared.
//!
//! - Arguments: none.
//! - Returns: as many bytes, each below 0x80.
//! - Example: the byte 0xe1 becomes `a`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if input.is_ascii() {
        return false;
    }
    out.extend(input.iter().map(|byte| byte & 0x7f));
    true
}
