//! Numbers and addresses as text, appended: each request writes several.

use std::io::Write as _;
use std::net::IpAddr;

use bytes::Bytes;
use http::HeaderValue;

/// Characters of the longest address (RFC 4291 §2.2).
const ADDRESS_CHARS: usize = 45;

/// Appends a number.
pub(crate) fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends an address.
pub(crate) fn address(out: &mut Vec<u8>, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        // Writing to memory cannot fail.
        return out.write_fmt(format_args!("{address}")).unwrap_or_default();
    };
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        let (hundreds, rest) = (octet / 100, octet % 100);
        if hundreds > 0 {
            out.push(b'0' + hundreds);
        }
        if octet >= 10 {
            out.push(b'0' + rest / 10);
        }
        out.push(b'0' + rest % 10);
    }
}

/// An address as the value of a field.
pub(crate) fn address_value(of: IpAddr) -> Option<HeaderValue> {
    let mut text = Vec::with_capacity(ADDRESS_CHARS);
    address(&mut text, of);
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_everywhere() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "255.20.3.199",
            "100.10.9.99",
            "109.200.0.101",
            "::1",
            "2001:db8::ff00:42",
        ] {
            let mut out = Vec::new();
            address(&mut out, text.parse().unwrap());
            assert_eq!(out, text.as_bytes());
            assert_eq!(address_value(text.parse().unwrap()).unwrap(), text);
        }
    }
}
