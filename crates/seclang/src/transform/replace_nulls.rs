//! `t:replaceNulls`: NUL bytes as spaces.
//!
//! - Arguments: none.
//! - Returns: as many bytes.
//! - Example: `a`, NUL, `b` becomes `a b`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memchr(0, input).is_none() {
        return false;
    }
    out.extend(
        input
            .iter()
            .map(|byte| if *byte == 0 { b' ' } else { *byte }),
    );
    true
}
