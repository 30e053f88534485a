//! `t:normalizePathWin` (also `normalisePathWin`): a path of Windows without detours.
//!
//! - Arguments: none.
//! - Returns: `\` as `/`, then what `t:normalizePath` makes of it.
//! - Example: `a\b\..\c` becomes `a/c`.

use super::normalize_path::normalize;

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memchr2(b'/', b'\\', input).is_none() {
        return input == b".";
    }
    if !input.contains(&b'\\') {
        normalize(input, out);
        return out != input;
    }
    let forward: Vec<u8> = input
        .iter()
        .map(|byte| if *byte == b'\\' { b'/' } else { *byte })
        .collect();
    normalize(&forward, out);
    true
}
