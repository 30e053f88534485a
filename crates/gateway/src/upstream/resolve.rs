//! Names of services, looked up by the machine's resolver, never on a worker's thread. What a name
//! may not lead to is refused: whoever controls a name must not reach what only the gateway can.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};

use estate::{NamedPlace, Resolve};

/// LIMIT: addresses of one name; more are left out, and that is said.
pub(super) const ADDRESSES_MAX: usize = 64;

/// What looking up came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) addresses: BTreeSet<SocketAddr>,
    /// Which were refused, and why.
    pub(super) refused: Vec<(SocketAddr, &'static str)>,
    /// How many there was no room for.
    pub(super) left_out: usize,
}

/// What a name may lead to.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    allow: Vec<model::Network>,
    /// Where the gateway itself listens.
    ours: Vec<SocketAddr>,
}

impl Guard {
    pub(super) fn new(resolve: &Resolve, ours: &[SocketAddr]) -> Self {
        Self {
            allow: resolve.allow.clone(),
            ours: ours.to_vec(),
        }
    }

    /// Keeps what a name may lead to.
    pub(super) fn sift(&self, found: impl IntoIterator<Item = SocketAddr>) -> Found {
        let mut sifted = Found::default();
        // In order, so that the same answer always keeps the same ones.
        let found: BTreeSet<SocketAddr> = found.into_iter().map(canonical).collect();
        for address in found {
            if let Some(why) = self.forbids(address) {
                sifted.refused.push((address, why));
            } else if sifted.addresses.len() >= ADDRESSES_MAX {
                sifted.left_out = sifted.left_out.saturating_add(1);
            } else {
                sifted.addresses.insert(address);
            }
        }
        sifted
    }

    /// SECURITY: a name in somebody else's hands (a hijacked or expired domain, a poisoned cache)
    /// would turn the gateway against its own machine and against the cloud's metadata service,
    /// which hands out credentials to whoever asks from here (CWE-918).
    fn forbids(&self, address: SocketAddr) -> Option<&'static str> {
        let ip = address.ip();
        if ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return Some("no machine has it");
        }
        if self.is_ours(address) {
            return Some("the gateway itself listens there");
        }
        if self.allow.iter().any(|network| network.contains(ip)) {
            return None;
        }
        if is_metadata(ip) {
            return Some("it is a metadata or link-local address");
        }
        None
    }

    fn is_ours(&self, address: SocketAddr) -> bool {
        let ip = address.ip();
        self.ours
            .iter()
            .filter(|ours| ours.port() == address.port())
            .any(|ours| {
                ours.ip().to_canonical() == ip
                    || (ours.ip().is_unspecified() && (ip.is_loopback() || is_local(ip)))
            })
    }
}

/// Whether the address is one of this machine's: then a socket can have it.
fn is_local(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

fn is_metadata(ip: IpAddr) -> bool {
    // Link-local addresses (RFC 3927, RFC 4291 §2.5.6), where every large cloud has its metadata
    // service, and those that lie elsewhere.
    const ELSEWHERE: [IpAddr; 6] = [
        IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
        IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
        IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
        IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
        IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
        IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
    ];
    let is_link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => {
            let embedded = embedded(ip);
            ip.is_unicast_link_local() || embedded.is_some_and(|ip| is_metadata(ip.into()))
        }
    };
    is_link_local || ELSEWHERE.contains(&ip)
}

/// The IPv4 address that a translator would send to (RFC 6052 §2.1, RFC 3056, RFC 4291 §2.5.5.1).
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let of = |high: u16, low: u16| {
        let [p, q] = high.to_be_bytes();
        let [r, s] = low.to_be_bytes();
        Ipv4Addr::new(p, q, r, s)
    };
    match (a, b) {
        (0x64, 0xff9b) => Some(of(g, h)),
        (0x2002, _) => Some(of(b, c)),
        (0, 0) if [c, d, e, f] == [0; 4] => Some(of(g, h)),
        _ => None,
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Asks the machine's resolver; blocks, for as long as that takes.
///
/// # Errors
/// Why there is no answer, in one line, the name first.
pub(super) fn look_up(place: &NamedPlace) -> Result<Vec<SocketAddr>, String> {
    let found = (place.name.as_str(), place.port).to_socket_addrs();
    match found {
        Ok(found) => {
            let found: Vec<_> = found.collect();
            if found.is_empty() {
                return Err(format!("`{}` has no address", place.name));
            }
            Ok(found)
        }
        Err(error) => Err(format!("`{}` is not found: {error}", place.name)),
    }
}

#[cfg(test)]
mod tests;
