//! `@ipMatch addresses`, `@ipMatchFromFile file` (also `@ipMatchF`): whether the value is an
//! address of one of these networks.
//!
//! - Arguments: addresses of IPv4 and IPv6, each with an optional `/bits`, between commas; or a
//!   file with one a line, `#` beginning a comment.
//! - Returns: true when the value is an address inside one of them. An IPv4 address in IPv6 form
//!   is the IPv4 address.
//! - Example: `SecRule REMOTE_ADDR "@ipMatch 127.0.0.1,::1,10.0.0.0/8" "id:1,pass"`.

use std::net::IpAddr;

use crate::bytes::trim;
use crate::place::Bad;

/// Networks.
#[derive(Clone, Debug)]
pub(crate) struct IpMatch {
    networks: Vec<(IpAddr, u8)>,
}

impl IpMatch {
    pub(crate) fn parse<'a>(items: impl Iterator<Item = &'a [u8]>) -> Result<Self, Bad> {
        let items = items.map(trim).filter(|item| !item.is_empty());
        let networks = items.map(network).collect::<Result<Vec<_>, _>>()?;
        if networks.is_empty() {
            return Err(Bad::new("no address is named"));
        }
        Ok(Self { networks })
    }

    /// The lines of a file.
    pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
        let lines = text.split(|byte| *byte == b'\n').map(trim);
        lines.filter(|line| !line.starts_with(b"#"))
    }

    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        let text = std::str::from_utf8(value).ok();
        let Some(address) = text.and_then(|text| text.parse::<IpAddr>().ok()) else {
            return false;
        };
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|(network, bits)| inside(address, *network, *bits))
    }
}

fn network(item: &[u8]) -> Result<(IpAddr, u8), Bad> {
    let wrong = || {
        Bad::new(format!(
            "`{}` is no address and no network",
            crate::bytes::shown(item)
        ))
        .hint("write `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/32`")
    };
    let text = std::str::from_utf8(item).map_err(|_| wrong())?;
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    if bits > most {
        return Err(wrong());
    }
    Ok((address, bits))
}

fn inside(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differs = u32::from(address) ^ u32::from(network);
            differs
                .checked_shr(32 - u32::from(bits))
                .unwrap_or_default()
                == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differs = u128::from(address) ^ u128::from(network);
            differs
                .checked_shr(128 - u32::from(bits))
                .unwrap_or_default()
                == 0
        }
        _ => false,
    }
}
