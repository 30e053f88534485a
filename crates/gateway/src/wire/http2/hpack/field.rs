//! One field of a request, as it was made of the bytes of a block: checked once, then kept.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Uri};

use super::ENTRY_BYTES;
use crate::wire::head::{check_path, is_host, is_token};
use crate::wire::refusal::Refusal;

/// See the module. What breaks a rule is kept as the rule: a table may hold it as well.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Name,
    pub(crate) value: Value,
    /// Bytes of its name.
    pub(super) name_bytes: usize,
    /// What it counts for (RFC 7541 §4.1; RFC 9113 §6.5.2 counts the same).
    pub(crate) size: usize,
}

/// A name that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// `:method`.
    Method,
    /// `:scheme`.
    Scheme,
    /// `:authority`.
    Authority,
    /// `:path`.
    Path,
    /// Any other that begins with a colon: no request has it (RFC 9113 §8.3).
    Pseudo,
    /// A field's.
    Of(HeaderName, Kind),
    /// Not in the letters a name may have (RFC 9113 §8.2.1).
    Broken,
}

/// Fields that a request is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Host,
    ContentLength,
    Cookie,
    Expect,
    Te,
    /// They speak about one HTTP/1 connection (RFC 9113 §8.2.2).
    Connection,
    Other,
}

/// A value that was read.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Of `:method`.
    Method(Method),
    /// Of `:scheme`: `http` or `https`.
    Scheme,
    /// Of `:path`: in origin form, or `*`.
    Path(Uri),
    /// Of `:authority`: a host. Of any other field: its value.
    Text(HeaderValue),
    /// It broke this rule.
    Broken(Refusal),
}

/// LIMIT: bytes of a method; the longest registered one has 17.
const METHOD_BYTES_MAX: usize = 32;

impl Name {
    /// A name as it stands in a block.
    pub(crate) fn read(text: &[u8]) -> Self {
        if text.first() == Some(&b':') {
            return match text {
                b":method" => Self::Method,
                b":scheme" => Self::Scheme,
                b":authority" => Self::Authority,
                b":path" => Self::Path,
                _ => Self::Pseudo,
            };
        }
        // SECURITY: the type of names takes a quotation mark, which no token has (RFC 9110 §5.6.2);
        // who reads the request as HTTP/1 would refuse it there.
        if !text.iter().all(|byte| is_token(*byte)) {
            return Self::Broken;
        }
        // Upper case is an error, not another spelling (RFC 9113 §8.2.1).
        HeaderName::from_lowercase(text).map_or(Self::Broken, |name| {
            let kind = Kind::of(&name);
            Self::Of(name, kind)
        })
    }
}

impl Kind {
    fn of(name: &HeaderName) -> Self {
        match name.as_str() {
            "host" => Self::Host,
            "content-length" => Self::ContentLength,
            "cookie" => Self::Cookie,
            "expect" => Self::Expect,
            "te" => Self::Te,
            "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade" => {
                Self::Connection
            }
            _ => Self::Other,
        }
    }
}

impl Field {
    /// Makes a field of a name that has `name_bytes` bytes, and the bytes of its value.
    pub(super) fn read(name: Name, name_bytes: usize, text: Bytes) -> Self {
        let size = ENTRY_BYTES
            .saturating_add(name_bytes)
            .saturating_add(text.len());
        let value = match &name {
            Name::Method => method(&text),
            Name::Scheme if matches!(text.as_ref(), b"http" | b"https") => Ok(Value::Scheme),
            Name::Scheme => Err(Refusal::Target),
            Name::Path => path(text),
            Name::Authority | Name::Of(_, Kind::Host) if !is_host(&text) => {
                Err(Refusal::HostInvalid)
            }
            Name::Authority | Name::Of(..) => self::text(text),
            Name::Pseudo => Err(Refusal::Pseudo),
            Name::Broken => Err(Refusal::FieldName),
        };
        Self {
            name,
            value: value.unwrap_or_else(Value::Broken),
            name_bytes,
            size,
        }
    }
}

fn method(text: &[u8]) -> Result<Value, Refusal> {
    let is_method =
        (1..=METHOD_BYTES_MAX).contains(&text.len()) && text.iter().all(|b| is_token(*b));
    Some(text)
        .filter(|_| is_method)
        .and_then(|text| Method::from_bytes(text).ok())
        .map(Value::Method)
        .ok_or(Refusal::Method)
}

fn path(text: Bytes) -> Result<Value, Refusal> {
    if text.as_ref() == b"*" {
        return Ok(Value::Path(Uri::from_static("*")));
    }
    if text.first() != Some(&b'/') {
        return Err(Refusal::Target);
    }
    check_path(&text)?;
    let path = Uri::from_maybe_shared(text).map_err(|_| Refusal::Target)?;
    Ok(Value::Path(path))
}

fn text(text: Bytes) -> Result<Value, Refusal> {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // In HTTP/1 it would be no part of the value (RFC 9113 §8.2.1).
    if is_blank(text.first()) || is_blank(text.last()) {
        return Err(Refusal::FieldValue);
    }
    let value = HeaderValue::from_maybe_shared(text).map_err(|_| Refusal::Control)?;
    Ok(Value::Text(value))
}

/// An entry of the static table (RFC 7541 appendix A), counted from 1.
pub(super) fn fixed(index: usize) -> Option<&'static Field> {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
        let read = |(name, value): &(&str, &'static str)| {
            let text = Bytes::from_static(value.as_bytes());
            Field::read(Name::read(name.as_bytes()), name.len(), text)
        };
        FIXED.iter().map(read).collect()
    });
    FIELDS.get(index.checked_sub(1)?)
}

/// Where the static table has a name that answers have.
pub(super) fn fixed_name(name: &[u8]) -> Option<usize> {
    // Behind the pseudo fields.
    const FIRST: usize = 14;
    let at = FIXED
        .iter()
        .skip(FIRST)
        .position(|(known, _)| known.as_bytes() == name)?;
    Some(at.saturating_add(FIRST).saturating_add(1))
}

/// The static table.
const FIXED: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];
