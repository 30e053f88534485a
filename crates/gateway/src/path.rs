//! The one canonical form of a path, used by every step and by the service.
//!
//! What two programs could read as two different paths is refused, never repaired: encoded
//! slashes and dots, control bytes, empty segments, encodings of encodings. What means the same
//! (RFC 3986 §6.2.2) gets one spelling.

use std::borrow::Cow;
use std::fmt::Write as _;

/// LIMIT: bytes of a path.
const BYTES_MAX: usize = 16 * 1024;

/// Why a path has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathError {
    /// It does not begin with a slash.
    NotAbsolute,
    /// Longer than the limit.
    TooLong,
    /// `%2F`: a slash for some, a letter for others.
    EncodedSlash,
    /// `\` or `%5C`: a slash for some.
    Backslash,
    /// `%00`: an end for some.
    Null,
    /// Another control byte.
    Control,
    /// `.` or `..` as a segment, in any spelling, with or without parameters.
    DotSegment,
    /// `//`: one slash for some.
    EmptySegment,
    /// `%` without two hexadecimal digits.
    BadEncoding,
    /// `%25` before two hexadecimal digits: an encoding of an encoding.
    DoubleEncoding,
    /// Bytes that are no UTF-8.
    InvalidUtf8,
    /// A byte that cannot stand in a path unencoded.
    Character,
}

impl PathError {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NotAbsolute => ("path.not_absolute", "the path does not begin with a slash"),
            Self::TooLong => ("path.too_long", "the path is too long"),
            Self::EncodedSlash => ("path.encoded_slash", "an encoded slash in the path"),
            Self::Backslash => ("path.backslash", "a backslash in the path"),
            Self::Null => ("path.null", "a null byte in the path"),
            Self::Control => ("path.control", "a control byte in the path"),
            Self::DotSegment => ("path.dot_segment", "`.` or `..` as a segment of the path"),
            Self::EmptySegment => ("path.empty_segment", "an empty segment in the path"),
            Self::BadEncoding => ("path.bad_encoding", "`%` without two hexadecimal digits"),
            Self::DoubleEncoding => ("path.double_encoding", "an encoded encoding in the path"),
            Self::InvalidUtf8 => ("path.invalid_utf8", "the path is not UTF-8"),
            Self::Character => (
                "path.character",
                "a character that must be encoded in a path",
            ),
        }
    }

    /// A stable word for records and metrics.
    pub(crate) const fn code(self) -> &'static str {
        self.words().0
    }

    /// One sentence for the client.
    pub(crate) const fn text(self) -> &'static str {
        self.words().1
    }
}

/// The canonical form of `path`, which holds no query; borrowed when it is canonical already.
///
/// Characters that may stand in a segment (RFC 3986 §3.3, `pchar`) stand there literally, all
/// others percent-encoded in upper case.
pub(crate) fn canonical(path: &str) -> Result<Cow<'_, str>, PathError> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    if bytes.len() > BYTES_MAX {
        return Err(PathError::TooLong);
    }
    let is_plain = bytes.iter().all(|byte| is_pchar(*byte) || *byte == b'/');
    let settled = if is_plain {
        Cow::Borrowed(path)
    } else {
        settle(bytes)?
    };
    check_segments(&settled)?;
    match settled {
        // Equal again: only digits of encodings were looked at.
        Cow::Owned(text) if text == path => Ok(Cow::Borrowed(path)),
        settled => Ok(settled),
    }
}

fn settle(bytes: &[u8]) -> Result<Cow<'static, str>, PathError> {
    let mut out = String::with_capacity(bytes.len());
    let mut encoded: Vec<u8> = Vec::new();
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            flush(&mut out, &mut encoded)?;
            match *byte {
                b'\\' => return Err(PathError::Backslash),
                0 => return Err(PathError::Null),
                byte if byte.is_ascii_control() => return Err(PathError::Control),
                byte if byte == b'/' || is_pchar(byte) => out.push(char::from(byte)),
                _ => return Err(PathError::Character),
            }
            continue;
        }
        let (digits, after) = rest
            .split_first_chunk::<2>()
            .ok_or(PathError::BadEncoding)?;
        let decoded = hex(*digits).ok_or(PathError::BadEncoding)?;
        rest = after;
        match decoded {
            b'/' => return Err(PathError::EncodedSlash),
            b'\\' => return Err(PathError::Backslash),
            0 => return Err(PathError::Null),
            byte if byte.is_ascii_control() => return Err(PathError::Control),
            byte if is_pchar(byte) => {
                flush(&mut out, &mut encoded)?;
                out.push(char::from(byte));
            }
            byte => encoded.push(byte),
        }
    }
    flush(&mut out, &mut encoded)?;
    // Only now: the digits behind a `%25` may have been encoded themselves.
    if is_encoded_twice(&out) {
        return Err(PathError::DoubleEncoding);
    }
    Ok(Cow::Owned(out))
}

/// Whether decoding `path` leaves something that could be decoded again.
fn is_encoded_twice(path: &str) -> bool {
    path.match_indices("%25").any(|(at, encoded)| {
        let after = path.as_bytes().get(at + encoded.len()..);
        let digits = after.and_then(|after| after.first_chunk::<2>());
        digits.copied().and_then(hex).is_some()
    })
}

/// Writes bytes that stay encoded; together they must be whole characters.
fn flush(out: &mut String, encoded: &mut Vec<u8>) -> Result<(), PathError> {
    if std::str::from_utf8(encoded).is_err() {
        return Err(PathError::InvalidUtf8);
    }
    for byte in encoded.drain(..) {
        // Writing to a string cannot fail.
        write!(out, "%{byte:02X}").unwrap_or_default();
    }
    Ok(())
}

fn check_segments(path: &str) -> Result<(), PathError> {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if path != "/" && path.starts_with("//") {
        return Err(PathError::EmptySegment);
    }
    if rest.is_empty() {
        return Ok(());
    }
    let mut segments = rest.as_bytes().split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        // Some servers cut `;parameters` off before they look at the segment.
        let name = segment.split(|byte| *byte == b';').next();
        match name.unwrap_or(segment) {
            // To them nothing is left of one that is parameters alone: `/;x/a` is `//a`.
            b"" if segment.is_empty() || segments.peek().is_some() => {
                return Err(PathError::EmptySegment);
            }
            b"." | b".." => return Err(PathError::DotSegment),
            _ => {}
        }
    }
    Ok(())
}

/// RFC 3986 §3.3: unreserved, sub-delims, `:` and `@`.
const fn is_pchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
        )
}

fn hex(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

#[cfg(test)]
mod tests;
