//! Packets to try texts with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fleet;
use super::nft::Seen;

/// Packets that tell texts apart: from and to an address of each host, of each outside network and
/// of nobody, at each port that is named; and at and beside everything that only one of both says.
pub(crate) fn packets(texts: [&str; 2]) -> Vec<Seen> {
    let mut v4: Vec<u32> = vec![0x0808_0808, 0xc000_0207];
    let mut v6: Vec<u128> = vec![0xfe80 << 112 | 1, 0x2001_0db8_0005 << 80 | 7];
    for host in fleet::intent().hosts {
        for address in host.addresses {
            match address {
                IpAddr::V4(one) => v4.push(one.to_bits()),
                IpAddr::V6(one) => v6.push(one.to_bits()),
            }
        }
    }
    let mut ports: Vec<u32> = vec![0, 53, 80, 443, 5432, 8080, 8085, 8089, 9100, 9443, 65_535];
    let lines = texts.map(|text| text.lines().collect::<Vec<_>>());
    for (one, other) in [(0, 1), (1, 0)] {
        for line in lines[one]
            .iter()
            .filter(|line| !lines[other].contains(line))
        {
            for word in line.split([' ', ',', '-', '/', '\t']) {
                if let Ok(address) = word.parse::<Ipv4Addr>() {
                    let at = address.to_bits();
                    v4.extend([at.wrapping_sub(1), at, at.wrapping_add(1)]);
                } else if let Ok(address) = word.parse::<Ipv6Addr>() {
                    let at = address.to_bits();
                    v6.extend([at.wrapping_sub(1), at, at.wrapping_add(1)]);
                } else if let Ok(port) = word.parse::<u32>() {
                    ports.extend([port.saturating_sub(1), port, port.saturating_add(1)]);
                }
            }
        }
    }
    let mut addresses: Vec<IpAddr> = v4.into_iter().map(|at| Ipv4Addr::from(at).into()).collect();
    addresses.extend(v6.into_iter().map(|at| IpAddr::from(Ipv6Addr::from(at))));
    addresses.sort_unstable();
    addresses.dedup();
    ports.retain(|port| *port <= 65_535);
    ports.sort_unstable();
    ports.dedup();
    let mut made = Vec::new();
    for near in &own(texts[0]) {
        for far in addresses
            .iter()
            .filter(|far| far.is_ipv4() == near.is_ipv4())
        {
            between("input", *far, *near, &ports, &mut made);
            between("output", *near, *far, &ports, &mut made);
        }
    }
    for far in &addresses {
        // To and from addresses that are not the host's.
        let near = if far.is_ipv4() {
            IpAddr::from([10, 77, 0, 1])
        } else {
            Ipv6Addr::from(0x77).into()
        };
        for hook in ["input", "output", "forward"] {
            between(hook, *far, near, &[53, 5432], &mut made);
            between(hook, near, *far, &[53, 5432], &mut made);
        }
    }
    made
}

fn own(text: &str) -> Vec<IpAddr> {
    let lines = text.lines().collect::<Vec<_>>();
    let sets = lines
        .windows(4)
        .filter(|lines| lines[0].trim().starts_with("set self_"));
    let elements = sets.map(|lines| {
        lines[3]
            .trim()
            .trim_start_matches("elements = { ")
            .trim_end_matches(" }")
    });
    let mut own: Vec<IpAddr> = Vec::new();
    for element in elements.flat_map(|elements| elements.split(", ")) {
        let ends = element
            .split(['-', '/'])
            .filter_map(|one| one.parse::<IpAddr>().ok());
        own.extend(ends);
    }
    own
}

const TYPES: [&str; 12] = [
    "echo-request",
    "echo-reply",
    "destination-unreachable",
    "packet-too-big",
    "time-exceeded",
    "parameter-problem",
    "redirect",
    "nd-router-advert",
    "nd-router-solicit",
    "nd-neighbor-solicit",
    "nd-neighbor-advert",
    "mld-listener-query",
];

const REPORTS: [&str; 3] = [
    "mld-listener-report",
    "mld-listener-done",
    "mld2-listener-report",
];

fn between(
    hook: &'static str,
    source: IpAddr,
    destination: IpAddr,
    ports: &[u32],
    made: &mut Vec<Seen>,
) {
    let base = Seen {
        hook,
        is_loopback: false,
        source,
        destination,
        protocol: "tcp",
        source_port: 40_000,
        port: 5432,
        icmp: "",
        hops: 64,
        state: "new",
        is_reply: false,
    };
    for port in ports {
        made.push(Seen {
            port: *port,
            ..base
        });
        made.push(Seen {
            port: *port,
            protocol: "udp",
            ..base
        });
    }
    for state in ["established", "related", "invalid", "untracked"] {
        for (is_reply, port) in [(false, 5432), (true, 5432), (false, 4), (true, 4)] {
            made.push(Seen {
                state,
                is_reply,
                port,
                ..base
            });
        }
    }
    made.push(Seen {
        is_loopback: true,
        port: 4,
        ..base
    });
    made.push(Seen {
        is_loopback: true,
        state: "invalid",
        ..base
    });
    for (source_port, port) in [
        (67, 68),
        (68, 67),
        (546, 547),
        (547, 546),
        (67, 69),
        (547, 9),
    ] {
        made.push(Seen {
            protocol: "udp",
            source_port,
            port,
            ..base
        });
    }
    messages(&base, made);
}

/// What ICMP and ICMPv6 say, known and unknown to conntrack.
fn messages(base: &Seen, made: &mut Vec<Seen>) {
    let protocol = if base.source.is_ipv4() {
        "icmp"
    } else {
        "icmpv6"
    };
    for icmp in TYPES.into_iter().chain(REPORTS) {
        for (hops, state) in [
            (255, "untracked"),
            (64, "untracked"),
            (64, "related"),
            (64, "new"),
        ] {
            made.push(Seen {
                protocol,
                icmp,
                hops,
                state,
                port: 0,
                source_port: 0,
                ..*base
            });
        }
    }
}
