//! `t:normalizePath` (also `normalisePath`): a path without detours.
//!
//! - Arguments: none.
//! - Returns: without empty segments and `.`, and without `..` and the segment it takes back; `..`
//!   never leads above the root, and stays where a relative path begins with it. A `/` at the end
//!   stays.
//! - Example: `/a//b/../c/./d` becomes `/a/c/d`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    // A detour is a `.` or an empty segment, and those need a `/` unless they are the whole.
    if memchr::memchr(b'/', input).is_none() {
        return input == b".";
    }
    normalize(input, out);
    out != input
}

pub(super) fn normalize(input: &[u8], out: &mut Vec<u8>) {
    let absolute = input.first() == Some(&b'/');
    let trailing = input.last() == Some(&b'/');
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in input.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => match kept.last() {
                Some(last) if *last != b".." => {
                    kept.pop();
                }
                _ if absolute => {}
                _ => kept.push(segment),
            },
            _ => kept.push(segment),
        }
    }
    if absolute {
        out.push(b'/');
    }
    for (at, segment) in kept.iter().enumerate() {
        if at > 0 {
            out.push(b'/');
        }
        out.extend_from_slice(segment);
    }
    if trailing && !kept.is_empty() {
        out.push(b'/');
    }
}
