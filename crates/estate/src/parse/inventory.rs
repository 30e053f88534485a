//! Zones, hosts, services and stores.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use ::model::Diagnostic;

use super::names::{self, Names, entries};
use super::upstream;
use crate::findings::Findings;
use crate::model::{DataStore, Host, HostHeader, Protocol, Service, Zone};
use crate::read::{Placed, Reader, plain};
use crate::upstream::NamedPlace;
use crate::values;

/// Addresses, names, and the port they share or the first has.
type Places = (Vec<SocketAddr>, Vec<NamedPlace>, u16);

pub(super) fn zones(root: &Reader<'_>) -> BTreeMap<String, Zone> {
    let one = |table: Reader<'_>| {
        let name = table.parse("name", values::name)?;
        let about = table.parse("about", plain)?;
        Some((name.clone(), Zone { name, about }))
    };
    entries(root, "zone").into_iter().filter_map(one).collect()
}

pub(super) fn hosts(
    findings: &mut Findings,
    root: &Reader<'_>,
    names: &Names,
) -> BTreeMap<String, Host> {
    let one = |table: Reader<'_>| {
        let zone = table.placed("zone", values::name);
        if let Some(zone) = &zone {
            names::check(findings, &[&names.zones], "zone", "zones", zone);
        }
        let name = table.parse("name", values::name)?;
        let address: IpAddr = table.parse("address", str::parse)?;
        let zone = zone?.value;
        Some((
            name.clone(),
            Host {
                name,
                zone,
                address,
            },
        ))
    };
    entries(root, "host").into_iter().filter_map(one).collect()
}

pub(super) fn services(
    findings: &mut Findings,
    root: &Reader<'_>,
    names: &Names,
    hosts: &BTreeMap<String, Host>,
) -> BTreeMap<String, Service> {
    let mut services = BTreeMap::new();
    for table in entries(root, "service") {
        let places = places(findings, &table, names, hosts);
        let needs = needs(findings, &table, names);
        check_tls(findings, &table);
        let reach = upstream::reach(findings, &table);
        check_resolve(findings, &table, places.as_ref());
        let service = || {
            let (endpoints, named, port) = places?;
            let name = table.parse("name", values::name)?;
            Some(Service {
                endpoints,
                named,
                hosts: table.values("hosts", values::name),
                port,
                protocol: match table.text("protocol")? {
                    "http" => Protocol::Http,
                    "https" => Protocol::Https,
                    _ => return None,
                },
                needs,
                audience: table
                    .parse("audience", plain)
                    .unwrap_or_else(|| name.clone()),
                tls_name: table.parse("tls_name", values::host),
                tls_authority: table.parse("tls_authority", plain),
                tls_certificate: table.parse("tls_certificate", plain),
                tls_key: table.parse("tls_key", plain),
                reach: reach?,
                host_header: match table.text("host_header")? {
                    "preserve" => HostHeader::Preserve,
                    "upstream" => HostHeader::Upstream,
                    _ => return None,
                },
                name,
            })
        };
        if let Some(service) = service() {
            services.insert(service.name.clone(), service);
        }
    }
    services
}

/// Where a service listens, said in one of the two ways.
fn places(
    findings: &mut Findings,
    table: &Reader<'_>,
    names: &Names,
    hosts: &BTreeMap<String, Host>,
) -> Option<Places> {
    let by_host = table.has("hosts") || table.has("port");
    let direct = table.has("address") || table.has("addresses");
    let both = (by_host && direct) || (table.has("address") && table.has("addresses"));
    if both || !(by_host || direct) {
        let message = if both {
            "a service says only once where it listens"
        } else {
            "a service must say where it listens"
        };
        let finding = Diagnostic::error("estate.service_place", head(table), message.to_owned());
        findings.push(finding.hint(
            "either `hosts = [\"…\"]` with `port = 8080`, or `address = \"127.0.0.1:8080\"`",
        ));
    }
    if direct {
        return direct_places(findings, table);
    }
    let list = table.list("hosts", values::name);
    names::check_once(findings, "hosts", &list);
    for host in &list {
        names::check(findings, &[&names.hosts], "host", "hosts", host);
    }
    if by_host && (list.is_empty() || !table.has("port")) {
        let missing = if table.has("port") { "hosts" } else { "port" };
        let message = format!("`hosts` and `port` belong together, and `{missing}` is missing");
        findings.error("estate.missing_key", head(table), message);
    }
    let port: u16 = table.count("port")?;
    let endpoint = |host: &Placed<String>| {
        hosts
            .get(&host.value)
            .map(|host| SocketAddr::new(host.address, port))
    };
    let endpoints = list.iter().filter_map(endpoint).collect();
    Some((endpoints, Vec::new(), port))
}

fn direct_places(findings: &mut Findings, table: &Reader<'_>) -> Option<Places> {
    let mut list = table.list("addresses", values::place);
    list.extend(table.placed("address", values::place));
    if list.is_empty() && table.has("addresses") {
        let message = "`addresses` is empty, so the service is nowhere".to_owned();
        findings.error("estate.service_place", table.span_of("addresses"), message);
    }
    let (mut endpoints, mut named, mut port) = (Vec::new(), Vec::new(), None);
    for place in list {
        let its_port = match place.value {
            values::Place::Fixed(address) => {
                check_endpoint(findings, address, place.span);
                endpoints.push(address);
                address.port()
            }
            values::Place::Named(name) => {
                let port = name.port;
                named.push(name);
                port
            }
        };
        port.get_or_insert(its_port);
    }
    if named.len() > NAMES_MAX {
        let message = format!(
            "{} names are to be looked up; at most {NAMES_MAX} are accepted",
            named.len()
        );
        findings.error("estate.too_many", table.span_of("addresses"), message);
    }
    Some((endpoints, named, port?))
}

/// LIMIT: names of one service that are looked up.
const NAMES_MAX: usize = 16;

fn check_endpoint(findings: &mut Findings, address: SocketAddr, span: ::model::Span) {
    let ip = address.ip();
    if address.port() == 0 || ip.is_unspecified() || ip.is_multicast() {
        let message = format!("nothing can be reached at `{address}`");
        let finding = Diagnostic::error("estate.service_place", span, message);
        findings.push(finding.hint("the address of one machine, and a port that is not 0"));
    }
}

/// What is said about looking up says nothing where nothing is looked up.
fn check_resolve(findings: &mut Findings, table: &Reader<'_>, places: Option<&Places>) {
    if table.has("resolve") && places.is_some_and(|(_, named, _)| named.is_empty()) {
        let message = "`resolve` without a name to look up".to_owned();
        let span = table.span_of("resolve");
        let finding = Diagnostic::error("estate.contradiction", span, message);
        findings.push(finding.hint("a name is written `address = \"orders.internal:8080\"`"));
    }
}

/// Where a finding about a whole entry is shown: at its name, or its header.
pub(super) fn head(table: &Reader<'_>) -> ::model::Span {
    if table.has("name") {
        return table.span_of("name");
    }
    let start = table.span.start;
    let end = table.span.end.min(start.saturating_add(9));
    ::model::Span { start, end }
}

fn needs(findings: &mut Findings, table: &Reader<'_>, names: &Names) -> Vec<String> {
    let list = table.list("needs", values::name);
    names::check_once(findings, "needs", &list);
    let own = table.text("name");
    for need in &list {
        if Some(need.value.as_str()) == own {
            let message = format!("`{}` needs itself", need.value);
            findings.error("estate.contradiction", need.span, message);
        } else {
            let known = [&names.services, &names.stores];
            names::check(
                findings,
                &known,
                "service or store",
                "services and stores",
                need,
            );
        }
    }
    list.into_iter().map(|need| need.value).collect()
}

fn check_tls(findings: &mut Findings, table: &Reader<'_>) {
    for (one, other) in [
        ("tls_certificate", "tls_key"),
        ("tls_key", "tls_certificate"),
    ] {
        if table.has(one) && !table.has(other) {
            let message = format!("`{one}` needs `{other}`");
            findings.error("estate.missing_key", table.span_of(one), message);
        }
    }
    if table.text("protocol") != Some("http") {
        return;
    }
    for key in ["tls_name", "tls_authority", "tls_certificate", "tls_key"] {
        if table.has(key) {
            let message = format!("`{key}` without TLS");
            let finding = Diagnostic::error("estate.contradiction", table.span_of(key), message);
            findings.push(finding.hint("add `protocol = \"https\"`, or leave it out"));
        }
    }
}

pub(super) fn stores(
    findings: &mut Findings,
    root: &Reader<'_>,
    names: &Names,
) -> BTreeMap<String, DataStore> {
    let one = |table: Reader<'_>| {
        let host = table.placed("host", values::name);
        if let Some(host) = &host {
            names::check(findings, &[&names.hosts], "host", "hosts", host);
        }
        let name = table.parse("name", values::name)?;
        let kind = table.parse("kind", plain)?;
        let port = table.count("port").or_else(|| usual_port(&kind));
        let host = host?.value;
        Some((
            name.clone(),
            DataStore {
                name,
                kind,
                host,
                port,
            },
        ))
    };
    entries(root, "store").into_iter().filter_map(one).collect()
}

/// The ports IANA lists for each kind.
fn usual_port(kind: &str) -> Option<u16> {
    match kind {
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        _ => None,
    }
}
