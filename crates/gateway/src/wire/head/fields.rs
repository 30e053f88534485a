//! Header fields: their syntax, and what those that frame or route the message say together.

use std::ops::Range;

use super::line::RequestLine;
use super::{Spot, is_all_value, is_token, is_value};
use crate::wire::framing::Framing;
use crate::wire::refusal::Refusal;

/// What the fields of one head said so far.
#[derive(Debug, Default)]
pub(super) struct Facts {
    count: usize,
    /// Where the host lies in the head.
    host: Option<Range<usize>>,
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
    websocket: bool,
}

/// Fields this module knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Host,
    ContentLength,
    TransferEncoding,
    Upgrade,
    Other,
}

impl Facts {
    /// Takes one field line in, without its CR LF, which begins at `start`; where its parts lie in
    /// the head.
    pub(super) fn field(
        &mut self,
        (line, start): (&[u8], usize),
        fields_max: usize,
    ) -> Result<Spot, Refusal> {
        let Field {
            kind,
            name,
            value,
            value_at,
        } = field(line)?;
        self.count = self.count.saturating_add(1);
        if self.count > fields_max {
            return Err(Refusal::TooManyFields);
        }
        match kind {
            FieldKind::Other => {}
            FieldKind::Host => {
                if self.host.is_some() {
                    return Err(Refusal::HostRepeated);
                }
                if !is_host(value) {
                    return Err(Refusal::HostInvalid);
                }
                let from = start.saturating_add(value_at);
                self.host = Some(from..from.saturating_add(value.len()));
            }
            FieldKind::ContentLength => {
                if self.length.is_some() {
                    return Err(Refusal::LengthRepeated);
                }
                self.length = Some(content_length(value)?);
            }
            FieldKind::TransferEncoding => {
                // A second field would make a list of two codings.
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::Coding);
                }
                self.chunked = true;
            }
            FieldKind::Upgrade if value.eq_ignore_ascii_case(b"websocket") => {
                self.upgrade |= self.websocket;
                self.websocket = true;
            }
            // An offer of HTTP/2 in clear may be passed over (RFC 9110 §7.8); the field itself
            // ends at this hop.
            FieldKind::Upgrade => self.upgrade |= !value.eq_ignore_ascii_case(b"h2c"),
        }
        let value_at = start.saturating_add(value_at);
        Ok(Spot {
            name: start..start.saturating_add(name.len()),
            value: value_at..value_at.saturating_add(value.len()),
        })
    }

    /// The `head` is whole: do its fields agree, and how does the body end?
    pub(super) fn conclude(&self, request: &RequestLine, head: &[u8]) -> Result<Framing, Refusal> {
        let host = self.host.clone().ok_or(Refusal::HostMissing)?;
        if let Some(authority) = &request.authority
            && !authority.eq_ignore_ascii_case(head.get(host).unwrap_or_default())
        {
            return Err(Refusal::HostMismatch);
        }
        if self.chunked && request.is_http10 {
            return Err(Refusal::CodingInHttp10);
        }
        if self.chunked && self.length.is_some() {
            return Err(Refusal::LengthWithCoding);
        }
        // What follows the head would be a body for one reader and frames for another.
        let has_body = self.chunked || self.length.is_some_and(|length| length > 0);
        if self.upgrade || (self.websocket && (has_body || request.is_http10)) {
            return Err(Refusal::Upgrade);
        }
        Ok(match self.length {
            _ if self.chunked => Framing::chunked(),
            None | Some(0) => Framing::None,
            Some(length) => Framing::Length(length),
        })
    }
}

/// One field line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) kind: FieldKind,
    /// Where the line begins.
    pub(crate) name: &'a [u8],
    /// Without whitespace around it.
    pub(crate) value: &'a [u8],
    /// Where in the line the value begins.
    pub(crate) value_at: usize,
}

/// Splits one field line, and checks every byte of it (RFC 9112 §5).
pub(crate) fn field(line: &[u8]) -> Result<Field<'_>, Refusal> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Refusal::Folded);
    }
    let colon = line
        .iter()
        .position(|byte| !is_token(*byte))
        .ok_or(Refusal::NoColon)?;
    let (name, rest) = line.split_at(colon);
    match rest.first() {
        Some(b':') if !name.is_empty() => {}
        Some(b' ' | b'\t') if memchr::memchr(b':', rest).is_some() => {
            return Err(Refusal::SpaceBeforeColon);
        }
        Some(b' ' | b'\t') => return Err(Refusal::NoColon),
        Some(b'\r') => return Err(Refusal::BareCarriageReturn),
        Some(byte) if byte.is_ascii_control() => return Err(Refusal::Control),
        _ => return Err(Refusal::FieldName),
    }
    let value = rest.get(1..).unwrap_or_default();
    if !is_all_value(value) {
        return Err(match value.iter().find(|byte| !is_value(**byte)) {
            Some(b'\r') => Refusal::BareCarriageReturn,
            _ => Refusal::Control,
        });
    }
    let (before, value) = trim(value);
    Ok(Field {
        kind: kind(name),
        name,
        value,
        value_at: colon.saturating_add(1).saturating_add(before),
    })
}

fn kind(name: &[u8]) -> FieldKind {
    let known: (&[u8], FieldKind) = match name.len() {
        4 => (b"host", FieldKind::Host),
        7 => (b"upgrade", FieldKind::Upgrade),
        14 => (b"content-length", FieldKind::ContentLength),
        17 => (b"transfer-encoding", FieldKind::TransferEncoding),
        _ => return FieldKind::Other,
    };
    if name.eq_ignore_ascii_case(known.0) {
        known.1
    } else {
        FieldKind::Other
    }
}

/// Without optional whitespace around it (RFC 9110 §5.6.3), and how much stood before it.
fn trim(value: &[u8]) -> (usize, &[u8]) {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |last| last + 1);
    (start, value.get(start..end).unwrap_or_default())
}

/// Digits only: no sign, no list, nothing longer than a `u64` (RFC 9110 §8.6).
pub(crate) fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    /// LIMIT: digits; 19 always fit.
    const DIGITS_MAX: usize = 19;
    if value.is_empty() || value.len() > DIGITS_MAX {
        return Err(Refusal::LengthInvalid);
    }
    value.iter().try_fold(0_u64, |sum, byte| match byte {
        b'0'..=b'9' => Ok(sum
            .saturating_mul(10)
            .saturating_add(u64::from(byte - b'0'))),
        _ => Err(Refusal::LengthInvalid),
    })
}

/// A name or address with an optional port (RFC 9110 §7.2), in the bytes hosts are made of.
pub(crate) fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value.first() {
        Some(b'[') => match memchr::memchr(b']', value) {
            Some(end) => value.split_at(end + 1),
            None => return false,
        },
        _ => match memchr::memchr(b':', value) {
            Some(colon) => value.split_at(colon),
            None => (value, [].as_slice()),
        },
    };
    is_port(port)
        && if host.first() == Some(&b'[') {
            is_ipv6(host)
        } else {
            is_name(host)
        }
}

/// Nothing, or a colon and a number up to 65535.
fn is_port(port: &[u8]) -> bool {
    let Some((colon, digits)) = port.split_first() else {
        return true;
    };
    *colon == b':'
        && (1..=5).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(digits).is_ok_and(|digits| digits.parse::<u16>().is_ok())
}

fn is_ipv6(host: &[u8]) -> bool {
    let inner = host
        .strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"));
    inner
        .and_then(|inner| std::str::from_utf8(inner).ok())
        .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_name(host: &[u8]) -> bool {
    /// LIMIT: bytes of a name (RFC 1035 §2.3.4).
    const NAME_BYTES_MAX: usize = 253;
    (1..=NAME_BYTES_MAX).contains(&host.len())
        && host
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}
