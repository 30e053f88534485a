//! Services, flows and expectations.

use std::collections::BTreeMap;

use super::ends::{Ends, label};
use super::{Checked, names, part};
use crate::day::Day;
use crate::finding::Part;
use crate::intent::{Families, Flow, Party, Ports, Target};
use crate::policy::{Grant, Members, Side};
use crate::set::{Family, PerFamily, PortSet, Protocol, Region as _};

/// LIMIT: ranges of ports at one end, and characters of a text for people.
const RANGES: usize = 64;
const TEXT: usize = 500;

/// A service, resolved.
pub(super) struct Known {
    label: String,
    members: Members,
    ports: PerFamily<PortSet>,
}

impl Checked<'_> {
    pub(super) fn services(&mut self) -> BTreeMap<String, Known> {
        let all = &self.intent.services;
        names(
            "service",
            all.iter().map(|one| one.name.as_str()),
            &mut self.findings,
        );
        let mut made = BTreeMap::new();
        for (index, service) in all.iter().enumerate() {
            let place = |field: &str| part("service", index, &service.name, field);
            let known = Known {
                label: format!("service_{}", service.name),
                members: self.members(&service.at, place, "at"),
                ports: self.ports(&service.ports, service.families, place),
            };
            made.entry(service.name.clone()).or_insert(known);
        }
        made
    }

    /// The ports of an end in each family.
    fn ports(
        &mut self,
        all: &[Ports],
        families: Families,
        part: impl Fn(&str) -> Part,
    ) -> PerFamily<PortSet> {
        let mut set = PortSet::default();
        let mut room = RANGES;
        for (at, ports) in all.iter().enumerate() {
            let place = || part(&format!("ports[{at}]"));
            let count = ports.ranges.len();
            let Some(rest) = room.checked_sub(count.max(1)) else {
                let message = "there are too many ranges of ports";
                self.findings
                    .error(place(), message, format!("{RANGES} are the most"));
                break;
            };
            room = rest;
            match (ports.protocol, count) {
                (Protocol::Icmp, 0) => set = set.union(&PortSet::range(Protocol::Icmp, 0, 0)),
                (Protocol::Icmp, _) => {
                    self.findings
                        .error(place(), "icmp has no ports", "leave them out");
                }
                (_, 0) => {
                    self.findings
                        .error(place(), "no ports are named", "name one, or `1-65535`");
                }
                _ => {}
            }
            for (low, high) in ports
                .ranges
                .iter()
                .filter(|_| ports.protocol != Protocol::Icmp)
            {
                if *low == 0 || low > high {
                    let message = format!("`{low}-{high}` is no range of ports");
                    let hint = "from 1 to 65535, the lower end first";
                    self.findings.error(place(), message, hint);
                } else {
                    set = set.union(&PortSet::range(ports.protocol, *low, *high));
                }
            }
        }
        if all.is_empty() {
            self.findings.error(
                part("ports"),
                "no ports are named",
                "name a protocol and a port",
            );
        }
        PerFamily::of(|family| match (families, family) {
            (Families::V4, Family::V6) | (Families::V6, Family::V4) => PortSet::default(),
            _ => set.clone(),
        })
    }

    /// What flows permit, each with its number in the intent.
    pub(super) fn flows(
        &mut self,
        today: Day,
        services: &BTreeMap<String, Known>,
        ends: &mut Ends<'_>,
    ) -> Vec<(usize, Grant)> {
        let all = &self.intent.flows;
        names(
            "flow",
            all.iter().map(|one| one.name.as_str()),
            &mut self.findings,
        );
        let mut made = Vec::new();
        for (index, flow) in all.iter().enumerate() {
            let place = |field: &str| part("flow", index, &flow.name, field);
            self.texts(flow, place);
            let from = self.members(&flow.from, place, "from");
            let Some((to_label, to, ports)) = self.target(flow, services, place) else {
                continue;
            };
            if from.hosts.is_empty() && from.networks == 0
                || to.hosts.is_empty() && to.networks == 0
            {
                continue;
            }
            let from_label = label(&flow.from, format!("from_{}", flow.name));
            let (from, to) = (ends.side(from_label, &from), ends.side(to_label, &to));
            if let (Some(from), Some(to)) = (ends.sides.get(from), ends.sides.get(to)) {
                self.carries(from, to, &ports, place);
            }
            if let Some(day) = flow.expires.filter(|day| *day < today) {
                let message = format!("it expired with {day}, and permits nothing");
                let hint = "take it out, or give it a later day with a purpose that still holds";
                self.findings.note(place("expires"), message, hint);
                continue;
            }
            let grant = Grant {
                flow: flow.name.clone(),
                from,
                to,
                ports,
            };
            made.push((index, grant));
        }
        made
    }

    fn texts(&mut self, flow: &Flow, part: impl Fn(&str) -> Part) {
        for (field, text) in [("purpose", &flow.purpose), ("owner", &flow.owner)] {
            if text.chars().count() > TEXT || text.chars().any(char::is_control) {
                let message = "it is no text of one line";
                let hint = format!("at most {TEXT} characters, none of them control characters");
                self.findings.error(part(field), message, hint);
            }
        }
    }

    fn target(
        &mut self,
        flow: &Flow,
        services: &BTreeMap<String, Known>,
        part: impl Fn(&str) -> Part,
    ) -> Option<(String, Members, PerFamily<PortSet>)> {
        match &flow.to {
            Target::Service(name) => {
                let Some(known) = services.get(name) else {
                    let hint = crate::suggest::did_you_mean(name, services.keys());
                    let message = format!("there is no service {name:?}");
                    self.findings.error(part("to"), message, hint);
                    return None;
                };
                Some((
                    known.label.clone(),
                    known.members.clone(),
                    known.ports.clone(),
                ))
            }
            Target::Ports {
                at,
                ports,
                families,
            } => {
                let parties: &[Party] = std::slice::from_ref(at);
                let members = self.members(parties, &part, "to.at");
                let ports = self.ports(ports, *families, |field| part(&format!("to.{field}")));
                Some((label(parties, String::new()), members, ports))
            }
        }
    }

    /// Whether a flow can carry any packet that our rules would see.
    fn carries(
        &mut self,
        from: &Side,
        to: &Side,
        ports: &PerFamily<PortSet>,
        part: impl Fn(&str) -> Part,
    ) {
        let hosts = self.intent.hosts.len();
        let is_ours = |side: &Side| {
            let mut classes = Family::BOTH
                .iter()
                .flat_map(|family| side.classes.at(*family).iter());
            classes.any(|class| class < hosts)
        };
        if !is_ours(from) && !is_ours(to) {
            let message = "both ends are outside, where no rules of ours are";
            self.findings.error(
                part("to"),
                message,
                "name a host, a zone or a role at one end",
            );
            return;
        }
        let meet = Family::BOTH.into_iter().any(|family| {
            let (from, to) = (from.classes.at(family), to.classes.at(family));
            let is_loop = from.count() == 1 && from == to;
            !from.is_empty() && !to.is_empty() && !is_loop && !ports.at(family).is_empty()
        });
        // Ends or ports that are wrong have been told of.
        if !meet
            && Family::BOTH
                .iter()
                .any(|family| !ports.at(*family).is_empty())
        {
            let message =
                "no packet can go this way: the ends share no family of addresses, or are one host";
            let hint = "give both ends addresses of one family; a host always reaches itself";
            self.findings.error(part("to"), message, hint);
        }
    }

    pub(super) fn expectations(&mut self) {
        let all = &self.intent.expectations;
        names(
            "expectation",
            all.iter().map(|one| one.name.as_str()),
            &mut self.findings,
        );
        for (index, one) in all.iter().enumerate() {
            let place = |field: &str| part("expectation", index, &one.name, field);
            let packet = &one.packet;
            if Family::of(packet.source) != Family::of(packet.destination) {
                let message = format!(
                    "no packet goes from {} to {}",
                    packet.source, packet.destination
                );
                self.findings.error(
                    place("packet"),
                    message,
                    "write two addresses of one family",
                );
            }
            if (packet.port == 0) != (packet.protocol == Protocol::Icmp) {
                let message = format!("{} has no port {}", packet.protocol, packet.port);
                self.findings
                    .error(place("packet"), message, "1 to 65535, and 0 for icmp");
            }
        }
    }
}
