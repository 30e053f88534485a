//! Intents made out of a seed: zones, roles, services and flows as an estate has them, for tests,
//! measurements and oracles.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reach::{Families, Flow, Host, Intent, Outside, Party, Ports, Protocol, Service, Target, Zone};
use testkit::Mutator;

/// How large, and how addresses lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// How many hosts.
    pub(crate) hosts: usize,
    /// How many flows.
    pub(crate) flows: usize,
    /// How many zones.
    pub(crate) zones: usize,
    /// How many roles.
    pub(crate) roles: usize,
    /// Whether hosts of a zone have addresses that follow each other, or any.
    pub(crate) layout: Layout,
}

/// How addresses lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Hosts of a zone follow each other.
    Dense,
    /// No two follow each other.
    Scattered,
}

impl Size {
    /// As the measurements want: 300 flows, 12 zones, 60 roles.
    pub(crate) const fn usual(hosts: usize, layout: Layout) -> Self {
        Self {
            hosts,
            flows: 300,
            zones: 12,
            roles: 60,
            layout,
        }
    }
}

fn name(kind: &str, at: usize) -> String {
    format!("{kind}-{at}")
}

/// The intent of a seed.
pub(crate) fn intent(size: Size, seed: u64) -> Intent {
    let mut random = Mutator::new(seed);
    let mut intent = Intent {
        zones: zones(size),
        outsides: outsides(),
        ..Intent::default()
    };
    let mut next = vec![0_u16; size.zones];
    for at in 0..size.hosts {
        intent.hosts.push(host(size, at, &mut next, &mut random));
    }
    for at in 0..size.flows / 3 {
        intent.services.push(service(size, at, &mut random));
    }
    for at in 0..size.flows {
        intent.flows.push(flow(size, at, &mut random));
    }
    // What a draw of roles left without hosts, or with the same host at both ends, is no flow.
    let has = |party: &Party| match party {
        Party::Zone(name) => intent
            .hosts
            .iter()
            .filter(|host| host.zone == *name)
            .count(),
        Party::Role(name) => intent
            .hosts
            .iter()
            .filter(|host| host.roles.contains(name))
            .count(),
        Party::Host(_) => 1,
        Party::Outside(_) => 2,
    };
    let services = &intent.services;
    let of = |target: &Target| match target {
        Target::Service(name) => {
            services.iter().find(|one| one.name == *name).unwrap().at[0].clone()
        }
        Target::Ports { at, .. } => at.clone(),
    };
    let (good, _) = intent
        .flows
        .iter()
        .cloned()
        .partition::<Vec<Flow>, _>(|flow| {
            let (from, to) = (has(&flow.from[0]), has(&of(&flow.to)));
            from > 0 && to > 0 && (from > 1 || to > 1)
        });
    let empty: Vec<String> = (intent.services.iter())
        .filter(|service| has(&service.at[0]) == 0)
        .map(|service| service.name.clone())
        .collect();
    intent
        .services
        .retain(|service| !empty.contains(&service.name));
    intent.flows = good;
    intent
}

fn zones(size: Size) -> Vec<Zone> {
    let zone = |at: usize| Zone {
        name: name("zone", at),
        // Every fourth zone lies in the one before.
        within: (at % 4 == 3).then(|| name("zone", at - 1)),
    };
    (0..size.zones).map(zone).collect()
}

fn outsides() -> Vec<Outside> {
    let outside = |name: &str, networks: &[&str]| Outside {
        name: name.to_owned(),
        networks: networks.iter().map(|one| one.parse().unwrap()).collect(),
    };
    vec![
        outside("internet", &["0.0.0.0/0", "::/0"]),
        outside("office", &["192.0.2.0/24", "2001:db8:ff::/48"]),
    ]
}

fn host(size: Size, at: usize, next: &mut [u16], random: &mut Mutator) -> Host {
    let zone = random.below(size.zones);
    let mut number = next[zone];
    next[zone] += 1;
    if size.layout == Layout::Scattered {
        number = number * 3 + u16::try_from(random.below(2)).unwrap();
    }
    let [high, low] = (number + 1).to_be_bytes();
    let zone_byte = u8::try_from(zone).unwrap();
    let mut addresses: Vec<IpAddr> = vec![Ipv4Addr::new(10, zone_byte, high, low).into()];
    if random.below(2) == 0 {
        let zone = u16::from(zone_byte);
        addresses.push(Ipv6Addr::new(0xfd00, 0, 0, zone, 0, 0, 0, number + 1).into());
    }
    let mut roles = vec![name("role", random.below(size.roles))];
    let second = name("role", random.below(size.roles));
    if random.below(3) == 0 && !roles.contains(&second) {
        roles.push(second);
    }
    Host {
        name: name("host", at),
        zone: name("zone", zone),
        roles,
        addresses,
        ..Host::default()
    }
}

fn ports(random: &mut Mutator) -> Vec<Ports> {
    let base = [22, 80, 443, 5432, 6379, 8080, 9090, 9200][random.below(8)];
    let low = base + u16::try_from(random.below(12)).unwrap();
    let high = if random.below(4) == 0 { low + 9 } else { low };
    let protocol = if random.below(5) == 0 {
        Protocol::Udp
    } else {
        Protocol::Tcp
    };
    let mut all = vec![Ports {
        protocol,
        ranges: vec![(low, high)],
    }];
    if random.below(6) == 0 {
        all.push(Ports {
            protocol: Protocol::Icmp,
            ranges: Vec::new(),
        });
    }
    all
}

fn families(random: &mut Mutator) -> Families {
    if random.below(8) == 0 {
        Families::V4
    } else {
        Families::Both
    }
}

fn service(size: Size, at: usize, random: &mut Mutator) -> Service {
    Service {
        name: name("service", at),
        at: vec![Party::Role(name("role", random.below(size.roles)))],
        ports: ports(random),
        families: families(random),
    }
}

fn flow(size: Size, at: usize, random: &mut Mutator) -> Flow {
    let from = match random.below(20) {
        0 => Party::Outside("internet".to_owned()),
        1 => Party::Outside("office".to_owned()),
        2 => Party::Host(name("host", random.below(size.hosts))),
        3..=7 => Party::Zone(name("zone", random.below(size.zones))),
        _ => Party::Role(name("role", random.below(size.roles))),
    };
    let to = match random.below(10) {
        0 if !matches!(from, Party::Outside(_)) => Target::Ports {
            at: Party::Outside("internet".to_owned()),
            ports: ports(random),
            families: Families::Both,
        },
        1 => Target::Ports {
            at: Party::Zone(name("zone", random.below(size.zones))),
            ports: ports(random),
            families: families(random),
        },
        2 => Target::Ports {
            at: Party::Host(name("host", random.below(size.hosts))),
            ports: ports(random),
            families: Families::V4,
        },
        _ => Target::Service(name("service", random.below(size.flows / 3))),
    };
    Flow {
        name: name("flow", at),
        from: vec![from],
        to,
        purpose: String::new(),
        owner: String::new(),
        expires: None,
    }
}
