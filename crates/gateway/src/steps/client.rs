//! Who sent it: the peer, or whom a trusted proxy in front names.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use model::Network;

use crate::flow::Flow;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// LIMIT: addresses of a forwarding chain that are looked at.
const CHAIN_MAX: usize = 32;

/// Settles the client's address and whether TLS protects the request.
pub(crate) fn know(flow: &mut Flow<'_>) {
    let peer = flow.connection.peer.ip().to_canonical();
    let trusted = &flow.state.estate().gateway.trusted_proxies;
    flow.client = peer;
    flow.secure = flow.connection.secure;
    if trusted.is_empty() || !contains(trusted, peer) {
        return;
    }
    flow.client = behind(&flow.head.headers, peer, trusted);
    if let Some(proto) = flow.text(&FORWARDED_PROTO) {
        flow.secure = proto.eq_ignore_ascii_case("https");
    }
}

/// Whether the peer is a proxy that the estate trusts.
pub(crate) fn is_trusted(flow: &Flow<'_>) -> bool {
    let peer = flow.connection.peer.ip().to_canonical();
    contains(&flow.state.estate().gateway.trusted_proxies, peer)
}

/// The nearest address that no trusted proxy owns, read from the end: everything before it is
/// only what somebody untrusted says.
fn behind(headers: &HeaderMap, peer: IpAddr, trusted: &[Network]) -> IpAddr {
    let mut nearest = peer;
    let values = headers.get_all(FORWARDED_FOR);
    let chain: Vec<&str> = values
        .iter()
        .map(|value| value.to_str().unwrap_or(""))
        .flat_map(|value| value.split(','))
        .collect();
    for text in chain.iter().rev().take(CHAIN_MAX) {
        let Some(address) = parse(text.trim()) else {
            break;
        };
        nearest = address;
        if !contains(trusted, address) {
            break;
        }
    }
    nearest
}

/// An address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let address = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<std::net::SocketAddr>().map(|at| at.ip()));
    address.ok().map(|address| address.to_canonical())
}

fn contains(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(chain: &str) -> String {
        let mut headers = HeaderMap::new();
        for line in chain.split('|').filter(|line| !line.is_empty()) {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        behind(&headers, "10.0.0.1".parse().unwrap(), &trusted).to_string()
    }

    #[test]
    fn nearest_untrusted_address_counts_whatever_stands_before_it() {
        assert_eq!(client("203.0.113.9"), "203.0.113.9");
        assert_eq!(client("1.2.3.4, 203.0.113.9"), "203.0.113.9");
        assert_eq!(client("203.0.113.9, 10.0.0.2"), "203.0.113.9");
        assert_eq!(client("1.2.3.4|203.0.113.9, 10.0.0.2"), "203.0.113.9");
        assert_eq!(client("203.0.113.9:4711"), "203.0.113.9");
    }

    #[test]
    fn nonsense_ends_the_chain_at_the_last_known_address() {
        assert_eq!(client(""), "10.0.0.1");
        assert_eq!(client("unknown"), "10.0.0.1");
        assert_eq!(client("203.0.113.9, unknown, 10.0.0.2"), "10.0.0.2");
    }
}
