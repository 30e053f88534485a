//! A policy: an intent that was found to be sound, with names resolved and addresses cut into
//! classes. All questions are answered from it; it is never changed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::check;
use crate::day::Day;
use crate::error::Error;
use crate::finding::Finding;
use crate::intent::{Addressing, Expectation, Forwarding, Intent, Mode, Party, Settings, Ways};
use crate::set::{
    Bits, Family, Intervals, Packet, PacketSet, PerFamily, PortId, PortSet, PortTable, Region as _,
    number,
};
use crate::space::{Class, Space};
use crate::suggest::did_you_mean;

/// A host, its names resolved.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) addresses: PerFamily<Vec<u128>>,
    pub(crate) mode: Mode,
    pub(crate) forwarding: Forwarding,
    pub(crate) addressing: Addressing,
}

/// One end of flows: the addresses, and how sets of them are called.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) label: String,
    pub(crate) classes: PerFamily<Bits>,
    pub(crate) addresses: PerFamily<Intervals<u128>>,
}

/// What a flow permits.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) flow: String,
    /// Numbers of sides.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) ports: PerFamily<PortSet>,
}

/// An invariant, its names resolved.
#[derive(Clone, Debug)]
pub(crate) struct Never {
    pub(crate) name: String,
    pub(crate) from: PerFamily<Bits>,
    pub(crate) to: PerFamily<Bits>,
    pub(crate) ways: Ways,
}

/// Everything that a flow can name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parties {
    pub(crate) hosts: BTreeMap<String, usize>,
    pub(crate) zones: BTreeMap<String, Bits>,
    pub(crate) roles: BTreeMap<String, Bits>,
    pub(crate) outsides: BTreeMap<String, usize>,
}

/// Hosts and outside networks.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    pub(crate) hosts: Bits,
    pub(crate) networks: u64,
}

impl Members {
    /// Their classes in a family.
    pub(crate) fn classes(&self, space: &Space) -> Bits {
        let mut classes = Bits::new(space.classes());
        for host in self.hosts.iter().filter(|host| space.has(*host)) {
            classes.insert(host);
        }
        for class in space.within(self.networks) {
            classes.insert(class);
        }
        classes
    }
}

impl Parties {
    /// Who a party is; `None` when there is no such one.
    pub(crate) fn members(&self, party: &Party) -> Option<Members> {
        let mut members = Members {
            hosts: Bits::new(self.hosts.len()),
            networks: 0,
        };
        match party {
            Party::Zone(name) => members.hosts = self.zones.get(name)?.clone(),
            Party::Role(name) => members.hosts = self.roles.get(name)?.clone(),
            Party::Host(name) => members.hosts.insert(*self.hosts.get(name)?),
            Party::Outside(name) => members.networks = 1 << (self.outsides.get(name)? % 64),
        }
        Some(members)
    }

    /// `did you mean` for a party that is not there.
    pub(crate) fn hint(&self, party: &Party) -> String {
        let name = party.name();
        match party {
            Party::Zone(_) => did_you_mean(name, self.zones.keys()),
            Party::Role(_) => did_you_mean(name, self.roles.keys()),
            Party::Host(_) => did_you_mean(name, self.hosts.keys()),
            Party::Outside(_) => did_you_mean(name, self.outsides.keys()),
        }
    }
}

/// What may reach what, proved to be consistent.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) settings: Settings,
    pub(crate) hosts: Vec<Member>,
    pub(crate) outsides: Vec<String>,
    pub(crate) parties: Parties,
    pub(crate) spaces: PerFamily<Space>,
    pub(crate) sides: Vec<Side>,
    /// Sorted by the name of the flow.
    pub(crate) grants: Vec<Grant>,
    pub(crate) outgoing: PerFamily<Vec<Vec<usize>>>,
    pub(crate) incoming: PerFamily<Vec<Vec<usize>>>,
    pub(crate) invariants: Vec<Never>,
    pub(crate) expectations: Vec<Expectation>,
    pub(crate) notes: Vec<Finding>,
}

impl Policy {
    /// Checks an intent on a day, after whose eve flows that expire permit nothing.
    ///
    /// # Errors
    /// [`Error::Intent`] with every finding, when one of them is an error.
    pub fn check(intent: &Intent, today: Day) -> Result<Self, Error> {
        check::check(intent, today).map_err(|findings| Error::Intent { findings })
    }

    /// What its author should know although it is sound: flows that have expired.
    #[must_use]
    pub fn notes(&self) -> &[Finding] {
        &self.notes
    }

    /// The names of the hosts, in the order of the intent.
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.hosts.iter().map(|host| host.name.as_str())
    }

    /// The addresses of a host; none when there is no such host.
    pub fn addresses(&self, host: &str) -> impl Iterator<Item = IpAddr> {
        let member = self
            .parties
            .hosts
            .get(host)
            .and_then(|at| self.hosts.get(*at));
        Family::BOTH.into_iter().flat_map(move |family| {
            let addresses = member.map_or(&[][..], |member| member.addresses.at(family));
            addresses
                .iter()
                .map(move |address| family.address(*address))
        })
    }

    /// Every packet that may be sent from one machine to another: the whole policy as one set. What
    /// a host sends to itself is not in it; that always passes.
    #[must_use]
    pub fn packets(&self) -> PacketSet {
        let mut all = PacketSet::default();
        for family in Family::BOTH {
            for (grant, from, to) in self.grants.iter().filter_map(|grant| self.ends(grant)) {
                let (from, to) = (from.addresses.at(family), to.addresses.at(family));
                let ports = grant.ports.at(family);
                all = all.union(&PacketSet::product(family, from, to, ports));
            }
            all = all.difference(&self.never_ours(family));
        }
        all
    }

    /// What no rule of ours sees, or no host ever sends: within a host, and between outside ends.
    fn never_ours(&self, family: Family) -> PacketSet {
        let every = PortSet::every();
        let set = |addresses: &[u128]| Intervals::from_ranges(addresses.iter().map(|a| (*a, *a)));
        let mut all = Vec::new();
        let mut never = PacketSet::default();
        for host in &self.hosts {
            let own = set(host.addresses.at(family));
            all.extend_from_slice(host.addresses.at(family));
            never = never.union(&PacketSet::product(family, &own, &own, &every));
        }
        let outside = set(&all).complement();
        never.union(&PacketSet::product(family, &outside, &outside, &every))
    }

    /// A flow's grant with both ends.
    pub(crate) fn ends<'a>(&'a self, grant: &'a Grant) -> Option<(&'a Grant, &'a Side, &'a Side)> {
        Some((
            grant,
            self.sides.get(grant.from)?,
            self.sides.get(grant.to)?,
        ))
    }

    /// The grants that begin at a class, or end at one.
    pub(crate) fn grants_at(
        &self,
        family: Family,
        direction: Direction,
        class: Class,
    ) -> impl Iterator<Item = &Grant> {
        let lists = match direction {
            Direction::Out => self.outgoing.at(family),
            Direction::In => self.incoming.at(family),
        };
        let list = lists.get(class).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|at| self.grants.get(*at))
    }

    /// What a class may send to each class, or receive from each. Outside classes only meet hosts.
    pub(crate) fn row(
        &self,
        family: Family,
        direction: Direction,
        class: Class,
        ports: &mut PortTable,
        row: &mut Vec<PortId>,
    ) {
        row.clear();
        row.resize(self.spaces.at(family).classes(), PortTable::EMPTY);
        for grant in self.grants_at(family, direction, class) {
            let Some((grant, from, to)) = self.ends(grant) else {
                continue;
            };
            let id = ports.id_of(grant.ports.at(family));
            let others = match direction {
                Direction::Out => to,
                Direction::In => from,
            };
            for other in others.classes.at(family).iter() {
                if let Some(cell) = row.get_mut(other) {
                    *cell = ports.union(*cell, id);
                }
            }
        }
        if let Some(own) = row.get_mut(class) {
            *own = PortTable::EMPTY;
        }
        if class >= self.hosts.len() {
            row.truncate(self.hosts.len());
            row.resize(self.spaces.at(family).classes(), PortTable::EMPTY);
        }
    }

    /// The class of an address.
    pub(crate) fn class_of(&self, address: IpAddr) -> Option<Class> {
        self.spaces
            .at(Family::of(address))
            .class_of(number(address))
    }

    /// What people call a class: a host's name, or the outside networks it lies in.
    pub(crate) fn class_name(&self, family: Family, class: Class) -> String {
        if let Some(host) = self.hosts.get(class) {
            return host.name.clone();
        }
        let networks = self.spaces.at(family).networks(class);
        let names = self.outsides.iter().enumerate();
        let names = names.filter(|(at, _)| networks >> at & 1 == 1);
        names
            .map(|(_, name)| name.as_str())
            .collect::<Vec<_>>()
            .join("+")
    }

    /// The flows that permit a packet between two classes.
    pub(crate) fn flows_for(&self, packet: &Packet, from: Class, to: Class) -> Vec<String> {
        let family = Family::of(packet.source);
        self.grants_at(family, Direction::Out, from)
            .filter_map(|grant| self.ends(grant))
            .filter(|(grant, _, side)| {
                side.classes.at(family).contains(to)
                    && grant
                        .ports
                        .at(family)
                        .contains(packet.protocol, packet.port)
            })
            .map(|(grant, _, _)| grant.flow.clone())
            .collect()
    }

    /// Who a party is.
    pub(crate) fn members(&self, party: &Party) -> Result<Members, Error> {
        self.parties.members(party).ok_or_else(|| Error::Unknown {
            what: party.kind(),
            name: party.name().to_owned(),
            hint: self.parties.hint(party),
        })
    }
}

/// Which way packets go, as a host sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// To the host.
    In,
    /// From the host.
    Out,
}

impl Direction {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::In, Self::Out];

    /// The hook of netfilter, and the first part of the names of our chains.
    #[must_use]
    pub const fn hook(self) -> &'static str {
        match self {
            Self::In => "input",
            Self::Out => "output",
        }
    }

    /// The first part of the names of counters.
    pub(crate) const fn short(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}
