//! A small fleet with everything in it that a policy can have.

use std::net::IpAddr;

use crate::{
    Addressing, Day, Families, Flow, Forwarding, Host, Intent, Mode, Outside, Party, Policy, Ports,
    Protocol, Service, Target, Zone,
};

pub(crate) fn today() -> Day {
    Day::new(2026, 11, 26).unwrap()
}

pub(crate) fn zone(name: &str, within: Option<&str>) -> Zone {
    Zone {
        name: name.to_owned(),
        within: within.map(str::to_owned),
    }
}

pub(crate) fn host(name: &str, zone: &str, roles: &[&str], addresses: &[&str]) -> Host {
    Host {
        name: name.to_owned(),
        zone: zone.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        addresses: addresses
            .iter()
            .map(|one| one.parse::<IpAddr>().unwrap())
            .collect(),
        ..Host::default()
    }
}

pub(crate) fn outside(name: &str, networks: &[&str]) -> Outside {
    Outside {
        name: name.to_owned(),
        networks: networks.iter().map(|one| one.parse().unwrap()).collect(),
    }
}

pub(crate) fn party(text: &str) -> Party {
    let (kind, name) = text.split_once(' ').unwrap();
    let name = name.to_owned();
    match kind {
        "zone" => Party::Zone(name),
        "host" => Party::Host(name),
        "role" => Party::Role(name),
        "outside" => Party::Outside(name),
        other => panic!("{other}"),
    }
}

pub(crate) fn parties(texts: &[&str]) -> Vec<Party> {
    texts.iter().map(|text| party(text)).collect()
}

/// `tcp 80 443-444`, `icmp`.
pub(crate) fn ports(text: &str) -> Ports {
    let mut words = text.split(' ');
    let protocol = match words.next().unwrap() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => Protocol::Icmp,
    };
    let range = |word: &str| {
        let (low, high) = word.split_once('-').unwrap_or((word, word));
        (low.parse().unwrap(), high.parse().unwrap())
    };
    Ports {
        protocol,
        ranges: words.map(range).collect(),
    }
}

pub(crate) fn service(name: &str, at: &[&str], all: &[&str]) -> Service {
    Service {
        name: name.to_owned(),
        at: parties(at),
        ports: all.iter().map(|text| ports(text)).collect(),
        families: Families::Both,
    }
}

pub(crate) fn flow(name: &str, from: &[&str], to: Target) -> Flow {
    Flow {
        name: name.to_owned(),
        from: parties(from),
        to,
        purpose: String::new(),
        owner: String::new(),
        expires: None,
    }
}

pub(crate) fn to_service(name: &str) -> Target {
    Target::Service(name.to_owned())
}

pub(crate) fn to_ports(at: &str, all: &[&str]) -> Target {
    Target::Ports {
        at: party(at),
        ports: all.iter().map(|text| ports(text)).collect(),
        families: Families::Both,
    }
}

/// Seven hosts in four zones.
pub(crate) fn intent() -> Intent {
    let mut hosts = vec![
        host("edge-1", "edge", &["web"], &["10.0.0.1", "fd00::1"]),
        host("edge-2", "edge", &["web"], &["10.0.0.2", "fd00::2"]),
        host(
            "app-1",
            "app",
            &["api"],
            &["10.0.1.1", "10.0.1.2", "fd00:1::1"],
        ),
        host("app-2", "jobs", &["api"], &["10.0.1.9", "fd00:1::9"]),
        host("db-1", "data", &["postgres"], &["10.0.2.1", "fd00:2::1"]),
        host("db-2", "data", &["postgres"], &["10.0.2.2"]),
        host("admin", "office", &[], &["10.9.0.1", "fd00:9::1"]),
    ];
    hosts[2].addressing = Addressing::Dhcp;
    hosts[3].forwarding = Forwarding::Left;
    hosts[6].mode = Mode::Observe;
    let mut v4_only = service("metrics", &["zone app", "zone data"], &["tcp 9100-9101"]);
    v4_only.families = Families::V4;
    Intent {
        zones: vec![
            zone("edge", None),
            zone("app", None),
            zone("jobs", Some("app")),
            zone("data", None),
            zone("office", None),
        ],
        hosts,
        outsides: vec![
            outside("internet", &["0.0.0.0/0", "::/0"]),
            outside("partner", &["192.0.2.0/24", "2001:db8:5::/48"]),
        ],
        services: vec![
            service("https", &["role web"], &["tcp 80 443", "udp 443"]),
            service("api", &["role api"], &["tcp 8080-8089"]),
            service("postgres", &["role postgres"], &["tcp 5432"]),
            service("names", &["outside internet"], &["udp 53", "tcp 53"]),
            v4_only,
        ],
        flows: vec![
            flow("public", &["outside internet"], to_service("https")),
            flow("edge-api", &["zone edge"], to_service("api")),
            flow("api-db", &["role api"], to_service("postgres")),
            flow("replicate", &["role postgres"], to_service("postgres")),
            flow("names", &["zone edge", "zone app"], to_service("names")),
            flow("scrape", &["host admin"], to_service("metrics")),
            flow(
                "partner",
                &["outside partner"],
                to_ports("host app-1", &["tcp 9443"]),
            ),
            flow("ping", &["host admin"], to_ports("zone data", &["icmp"])),
        ],
        ..Intent::default()
    }
}

pub(crate) fn policy() -> Policy {
    checked(&intent())
}

pub(crate) fn checked(intent: &Intent) -> Policy {
    Policy::check(intent, today()).unwrap_or_else(|error| panic!("{error:#?}"))
}
