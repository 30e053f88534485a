//! Path patterns: `/api/orders/*/items`, `/static/**`.

use std::fmt;
use std::str::FromStr;

use crate::model::{PathPattern, Segment};

/// LIMIT: bytes of one pattern.
const PATTERN_BYTES_MAX: usize = 1024;
/// LIMIT: segments of one pattern.
const SEGMENTS_MAX: usize = 64;

/// Why a text is not a path pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParsePatternError {
    /// Every pattern begins at the root.
    #[error("a path begins with `/`")]
    NotAbsolute,
    /// `//` or a slash at the end.
    #[error("a path has no empty segment: no `//` inside and no `/` at its end")]
    EmptySegment,
    /// `**` somewhere else.
    #[error("`**` stands for the rest of the path, so it comes last")]
    RestNotLast,
    /// `a*`.
    #[error("`*` stands for a whole segment, not for a part of one")]
    PartialWildcard,
    /// `.` and `..` are resolved before routes are looked at.
    #[error("`.` and `..` never reach a route: the gateway refuses them")]
    DotSegment,
    /// Anything that is not one segment's plain text.
    #[error(
        "`{0}` cannot stand in a path: use letters, digits and `-._~!$&'()+,;=:@`; write other characters as they are sent, percent-encoded in upper case"
    )]
    Character(char),
    /// `%2f`, `%00`, `%41`, `%4`.
    #[error("`%` must be followed by two upper-case hexadecimal digits of a byte that needs it")]
    Encoding,
    /// Too long.
    #[error("a path has at most 1024 bytes and 64 segments")]
    TooLong,
}

impl PathPattern {
    /// Parses `/`, `/api/orders`, `/api/*/items`, `/static/**`.
    ///
    /// # Errors
    /// Why the text is not a pattern.
    pub fn parse(text: &str) -> Result<Self, ParsePatternError> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(ParsePatternError::TooLong);
        }
        let rest = text
            .strip_prefix('/')
            .ok_or(ParsePatternError::NotAbsolute)?;
        if rest.is_empty() {
            return Ok(Self {
                segments: Vec::new(),
            });
        }
        let segments = rest
            .split('/')
            .map(segment)
            .collect::<Result<Vec<_>, _>>()?;
        if segments.len() > SEGMENTS_MAX {
            return Err(ParsePatternError::TooLong);
        }
        let before_last = segments.split_last().map_or(&[][..], |(_, before)| before);
        if before_last.contains(&Segment::Rest) {
            return Err(ParsePatternError::RestNotLast);
        }
        Ok(Self { segments })
    }

    /// Whether every path that `other` matches is also matched by `self`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let mut theirs = other.segments.iter();
        for mine in &self.segments {
            match (mine, theirs.next()) {
                (Segment::Rest, _) => return true,
                (Segment::One, Some(Segment::One | Segment::Literal(_))) => {}
                (Segment::Literal(a), Some(Segment::Literal(b))) if a == b => {}
                _ => return false,
            }
        }
        theirs.next().is_none()
    }
}

fn segment(text: &str) -> Result<Segment, ParsePatternError> {
    match text {
        "" => Err(ParsePatternError::EmptySegment),
        "*" => Ok(Segment::One),
        "**" => Ok(Segment::Rest),
        "." | ".." => Err(ParsePatternError::DotSegment),
        literal => check_literal(literal).map(|()| Segment::Literal(literal.to_owned())),
    }
}

/// SECURITY: a literal must be written exactly as the canonical path has it, or it would never
/// match and what it protects would fall to another route. So `%41` (an `A`) is refused as much
/// as `%2F`, which the gateway refuses in requests (RFC 3986 §6.2.2).
fn check_literal(text: &str) -> Result<(), ParsePatternError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' => return Err(ParsePatternError::PartialWildcard),
            b'%' => {
                let high = bytes
                    .next()
                    .and_then(upper_hex)
                    .ok_or(ParsePatternError::Encoding)?;
                let low = bytes
                    .next()
                    .and_then(upper_hex)
                    .ok_or(ParsePatternError::Encoding)?;
                let decoded = high << 4 | low;
                let refused = decoded < 0x20 || matches!(decoded, b'/' | b'\\' | b'%' | 0x7f);
                if refused || is_plain(decoded) {
                    return Err(ParsePatternError::Encoding);
                }
            }
            byte if is_plain(byte) => {}
            _ => {
                let first = text
                    .chars()
                    .find(|c| !c.is_ascii() || !is_plain_or_percent(*c));
                return Err(ParsePatternError::Character(first.unwrap_or('?')));
            }
        }
    }
    Ok(())
}

fn upper_hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn is_plain_or_percent(c: char) -> bool {
    c == '%' || u8::try_from(c).is_ok_and(is_plain)
}

/// `pchar` of RFC 3986 §3.3 without `%` and `*`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte)
}

impl FromStr for PathPattern {
    type Err = ParsePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return f.write_str("/");
        }
        self.segments.iter().try_for_each(|segment| match segment {
            Segment::Literal(text) => write!(f, "/{text}"),
            Segment::One => f.write_str("/*"),
            Segment::Rest => f.write_str("/**"),
        })
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests;
