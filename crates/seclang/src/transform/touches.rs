//! Which bytes a value must have for a transformation to change it: without them it is left as it is,
//! and need not be run.

use crate::bytes::is_space;
use crate::rules::ByteSet;

/// The bytes; none where any value may change, also the empty one.
pub(super) fn touches(name: &str) -> Option<ByteSet> {
    let spaces = || ByteSet::of_those(is_space);
    let wide = || spaces().union(ByteSet::of(b"\xa0"));
    Some(match name {
        "cmdLine" => ByteSet::of_those(|byte| byte.is_ascii_uppercase())
            .union(ByteSet::of(b"\"'\\^ ,;\t\r\n")),
        "compressWhitespace" | "removeWhitespace" => wide(),
        "cssDecode" | "escapeSeqDecode" | "jsDecode" => ByteSet::of(b"\\"),
        "htmlEntityDecode" => ByteSet::of(b"&"),
        "lowercase" => ByteSet::of_those(|byte| byte.is_ascii_uppercase()),
        "normalizePath" | "normalisePath" => ByteSet::of(b"/."),
        "normalizePathWin" | "normalisePathWin" => ByteSet::of(b"/.\\"),
        "parityZero7bit" | "utf8toUnicode" => ByteSet::of_those(|byte| !byte.is_ascii()),
        "removeComments" | "removeCommentsChar" => ByteSet::of(b"*-#"),
        "removeNulls" | "replaceNulls" => ByteSet::of(b"\0"),
        "replaceComments" => ByteSet::of(b"*"),
        "sqlHexDecode" => ByteSet::of(b"xX"),
        "trim" | "trimLeft" | "trimRight" => spaces(),
        "uppercase" => ByteSet::of_those(|byte| byte.is_ascii_lowercase()),
        "urlDecode" | "urlDecodeUni" => ByteSet::of(b"%+"),
        _ => return None,
    })
}
