//! The request line (RFC 9112 §3): method, target, version, and one space between them.

use std::ops::Range;

use super::is_token;
use crate::wire::refusal::Refusal;

/// What the rest of the head is judged by.
#[derive(Debug)]
pub(super) struct RequestLine {
    /// HTTP/1.0.
    pub(super) is_http10: bool,
    /// The authority of a target in absolute form.
    pub(super) authority: Option<Box<[u8]>>,
    /// Bytes of the method.
    pub(super) method: usize,
    /// Where path and query lie in the line.
    pub(super) path: Range<usize>,
}

/// LIMIT: bytes of a method; the longest registered one has 17.
const METHOD_BYTES_MAX: usize = 32;

impl RequestLine {
    pub(super) fn parse(line: &[u8]) -> Result<Self, Refusal> {
        check_bytes(line)?;
        let mut parts = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::RequestLine);
        };
        if method.is_empty()
            || method.len() > METHOD_BYTES_MAX
            || !method.iter().all(|b| is_token(*b))
        {
            return Err(Refusal::Method);
        }
        let is_http10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
                if major.is_ascii_digit() && minor.is_ascii_digit() =>
            {
                return Err(Refusal::VersionUnsupported);
            }
            _ => return Err(Refusal::Version),
        };
        if method == b"CONNECT" {
            return Err(Refusal::Connect);
        }
        let Target { authority, path } = split(method, target)?;
        let from = method.len().saturating_add(1);
        let end = from.saturating_add(target.len());
        Ok(Self {
            is_http10,
            authority: authority.map(Box::from),
            method: method.len(),
            path: end.saturating_sub(path.len())..end,
        })
    }
}

/// A request line holds visible ASCII and single spaces only.
fn check_bytes(line: &[u8]) -> Result<(), Refusal> {
    if line
        .iter()
        .fold(true, |fine, byte| fine & matches!(byte, 0x20..=0x7E))
    {
        return Ok(());
    }
    let first = line.iter().find(|byte| !matches!(byte, 0x20..=0x7E));
    Err(match first {
        Some(b'\r') => Refusal::BareCarriageReturn,
        Some(0x80..) => Refusal::Target,
        _ => Refusal::Control,
    })
}

/// A target in parts.
struct Target<'a> {
    /// When it is in absolute form.
    authority: Option<&'a [u8]>,
    /// Its last bytes: path and query.
    path: &'a [u8],
}

/// Checks the target's form (RFC 9112 §3.2).
fn split<'a>(method: &[u8], target: &'a [u8]) -> Result<Target<'a>, Refusal> {
    let origin = Target {
        authority: None,
        path: target,
    };
    if target == b"*" {
        return if method == b"OPTIONS" {
            Ok(origin)
        } else {
            Err(Refusal::Target)
        };
    }
    if target.first() == Some(&b'/') {
        return check_path(target).map(|()| origin);
    }
    let rest = strip_scheme(target).ok_or(Refusal::Target)?;
    let end = rest
        .iter()
        .position(|b| matches!(b, b'/' | b'?'))
        .unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if !super::fields::is_host(authority) {
        return Err(Refusal::Target);
    }
    // `http://host?query` has an empty path: readers differ on what it means.
    if !path.is_empty() && path.first() != Some(&b'/') {
        return Err(Refusal::Target);
    }
    check_path(path)?;
    Ok(Target {
        authority: Some(authority),
        path,
    })
}

fn strip_scheme(target: &[u8]) -> Option<&[u8]> {
    [b"http://".as_slice(), b"https://"]
        .into_iter()
        .find_map(|scheme| {
            let (start, rest) = target.split_at_checked(scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then_some(rest)
        })
}

/// Bytes of a path and query. Wider than RFC 3986 where browsers are (`|`, `{`), never so wide that
/// readers differ: no fragment, no `<`, `>`, space or byte beyond ASCII.
pub(crate) fn check_path(path: &[u8]) -> Result<(), Refusal> {
    let (path, query) = match memchr::memchr(b'?', path) {
        Some(at) => path.split_at(at),
        None => (path, [].as_slice()),
    };
    let in_path = |b: &u8| {
        matches!(b, 0x21 | b'"' | 0x24..=0x3B | 0x3D | 0x40..=0x5F | 0x61..=0x7E) && *b != 0x7F
    };
    let in_query = |b: &u8| matches!(b, 0x21 | 0x24..=0x3B | 0x3D | 0x3F..=0x7E);
    if path.iter().all(in_path) && query.iter().all(in_query) {
        Ok(())
    } else {
        Err(Refusal::Target)
    }
}
