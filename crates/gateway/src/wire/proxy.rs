//! The PROXY protocol, versions 1 and 2 ("The PROXY protocol", HAProxy Technologies, 2020; its
//! sections are cited): the line or block before everything else by which a proxy says for whom it
//! connects. Bytes in, an address out; never guesses: a header is whole and right, or refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// LIMIT: bytes of a header of version 1, its line end included (§2.1).
const LINE_BYTES_MAX: usize = 107;
/// LIMIT: bytes of a whole header of version 2. The format allows 64 KiB; what proxies really add
/// to an address (names, certificates' subjects) stays far below this.
pub(crate) const HEADER_BYTES_MAX: usize = 4096;
/// What version 2 begins with (§2.2); no TLS and no HTTP begins so.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// What version 1 begins with.
const WORD: &[u8] = b"PROXY ";
/// Bytes of version 2 before its addresses.
const FIXED_BYTES: usize = 16;
/// The type of the checksum among the additions (§2.2.3).
const CRC32C: u8 = 0x03;

/// What was said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// All of the header.
    All {
        /// Its bytes.
        length: usize,
        /// For whom the proxy connects; nothing when for itself, or when it does not know.
        client: Option<SocketAddr>,
    },
    /// The beginning of one.
    Part {
        /// How long it is at least.
        length: usize,
    },
}

/// Why something is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It begins like neither version: a proxy must say for whom it connects.
    Missing,
    /// It ends before its end.
    CutOff,
    /// It is longer than the limits.
    TooLong,
    /// Version 1, and not as §2.1 says.
    Line,
    /// Version 2, and not as §2.2 says.
    Block,
    /// Its checksum is another one.
    Checksum,
}

impl Refusal {
    /// A stable word for records and metrics.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Missing => "proxy.missing",
            Self::CutOff => "proxy.cut_off",
            Self::TooLong => "proxy.too_long",
            Self::Line => "proxy.line",
            Self::Block => "proxy.block",
            Self::Checksum => "proxy.checksum",
        }
    }
}

/// Reads a header that stands first in `bytes`; what stands behind it is not looked at.
pub(crate) fn parse(bytes: &[u8]) -> Result<Said, Refusal> {
    let begins = |word: &[u8]| bytes.iter().zip(word).all(|(byte, wanted)| byte == wanted);
    if begins(&SIGNATURE) {
        block(bytes)
    } else if begins(WORD) {
        line(bytes)
    } else {
        Err(Refusal::Missing)
    }
}

/// Version 1: a line of text.
fn line(bytes: &[u8]) -> Result<Said, Refusal> {
    let some = bytes.get(..LINE_BYTES_MAX).unwrap_or(bytes);
    let Some(end) = some.iter().position(|byte| *byte == b'\n') else {
        // Control characters have no place before the line's end.
        let body = some.strip_suffix(b"\r").unwrap_or(some);
        return if body.iter().any(u8::is_ascii_control) {
            Err(Refusal::Line)
        } else if some.len() == LINE_BYTES_MAX {
            Err(Refusal::TooLong)
        } else {
            let length = bytes.len().saturating_add(1);
            Ok(Said::Part { length })
        };
    };
    let text = some
        .get(WORD.len()..end)
        .and_then(|text| text.strip_suffix(b"\r"));
    let text = text.and_then(|text| std::str::from_utf8(text).ok());
    let text = text.ok_or(Refusal::Line)?;
    Ok(Said::All {
        length: end.saturating_add(1),
        client: named(text).ok_or(Refusal::Line)?,
    })
}

/// `TCP4 192.0.2.1 198.51.100.1 56324 443`, `TCP6 …`, or `UNKNOWN` and anything behind it.
fn named(text: &str) -> Option<Option<SocketAddr>> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let mut words = text.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let (source, destination) = (words.next()?, words.next()?);
    let (port, destination_port) = (words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let address: IpAddr = match family {
        "TCP4" => {
            destination.parse::<Ipv4Addr>().ok()?;
            source.parse::<Ipv4Addr>().ok()?.into()
        }
        "TCP6" => {
            destination.parse::<Ipv6Addr>().ok()?;
            source.parse::<Ipv6Addr>().ok()?.into()
        }
        _ => return None,
    };
    self::port(destination_port)?;
    Some(Some(SocketAddr::new(
        address.to_canonical(),
        self::port(port)?,
    )))
}

/// A port without a sign and without leading zeros.
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let leads = text.len() > 1 && text.starts_with('0');
    (digits && !leads).then(|| text.parse().ok())?
}

/// Version 2: a block of bytes.
fn block(bytes: &[u8]) -> Result<Said, Refusal> {
    let Some((fixed, _)) = bytes.split_first_chunk::<FIXED_BYTES>() else {
        return Ok(Said::Part {
            length: FIXED_BYTES,
        });
    };
    let [.., command, family, high, low] = *fixed;
    let length = FIXED_BYTES.saturating_add(usize::from(u16::from_be_bytes([high, low])));
    if length > HEADER_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    // What is wrong already is refused now, not when the rest is here.
    let (address_bytes, is_own) = match (command, family) {
        // LOCAL: the proxy speaks for itself, whatever it says of addresses.
        (0x20, _) => (None, true),
        // Unspecified, and local sockets: nothing that is an address here.
        (0x21, 0x00) => (None, true),
        (0x21, 0x31) => (Some(216), true),
        (0x21, 0x11) => (Some(12), false),
        (0x21, 0x21) => (Some(36), false),
        // Datagrams over a stream, and whatever is not defined.
        _ => return Err(Refusal::Block),
    };
    let needed = address_bytes.unwrap_or(0);
    if length < FIXED_BYTES.saturating_add(needed) {
        return Err(Refusal::Block);
    }
    let Some(whole) = bytes.get(..length) else {
        return Ok(Said::Part { length });
    };
    if address_bytes.is_some() {
        additions(whole, FIXED_BYTES.saturating_add(needed))?;
    }
    let client = if is_own { None } else { Some(source(whole)?) };
    Ok(Said::All { length, client })
}

/// The source that a block of addresses begins with, and its port behind both addresses.
fn source(whole: &[u8]) -> Result<SocketAddr, Refusal> {
    let addresses = whole.get(FIXED_BYTES..).unwrap_or_default();
    let port_at = |at: usize| {
        let bytes = addresses.get(at..)?.first_chunk::<2>()?;
        Some(u16::from_be_bytes(*bytes))
    };
    let is_v4 = whole.get(13) == Some(&0x11);
    let read = || {
        if is_v4 {
            let source = addresses.first_chunk::<4>()?;
            return Some(SocketAddr::new(IpAddr::from(*source), port_at(8)?));
        }
        let source = addresses.first_chunk::<16>()?;
        let address = IpAddr::from(*source).to_canonical();
        Some(SocketAddr::new(address, port_at(32)?))
    };
    read().ok_or(Refusal::Block)
}

/// Passes over the additions from `at` on (§2.2): each must be whole, and a checksum right.
fn additions(whole: &[u8], mut at: usize) -> Result<(), Refusal> {
    let mut is_checked = false;
    while at < whole.len() {
        let head = whole.get(at..).and_then(|rest| rest.first_chunk::<3>());
        let [kind, high, low] = *head.ok_or(Refusal::Block)?;
        let value = at.saturating_add(3);
        let end = value.saturating_add(usize::from(u16::from_be_bytes([high, low])));
        let content = whole.get(value..end).ok_or(Refusal::Block)?;
        if kind == CRC32C {
            let said = <[u8; 4]>::try_from(content).map_err(|_| Refusal::Block)?;
            if std::mem::replace(&mut is_checked, true) {
                return Err(Refusal::Block);
            }
            if u32::from_be_bytes(said) != checksum(whole, value) {
                return Err(Refusal::Checksum);
            }
        }
        at = end;
    }
    Ok(())
}

/// CRC-32C of the header with its own four bytes at `at` taken as zero (§2.2.3).
fn checksum(whole: &[u8], at: usize) -> u32 {
    let (before, rest) = whole.split_at_checked(at).unwrap_or_default();
    let after = rest.get(4..).unwrap_or_default();
    let sum = crc32c::crc32c(before);
    let sum = crc32c::crc32c_append(sum, &[0; 4]);
    crc32c::crc32c_append(sum, after)
}

#[cfg(test)]
mod tests;
