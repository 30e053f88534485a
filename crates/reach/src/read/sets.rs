//! Sets of addresses and of ports out of texts. Hosts are given the same ones again and again, so
//! that each spelling is read once.

use std::collections::HashMap;

use ahash::RandomState;

use crate::prefix::read_spelled;
use crate::set::{Family, Intervals, PerFamily, PortId, PortSet, PortTable, Protocol, Region as _};
use crate::space::{Covered, Space};

/// A set of addresses, and which classes it has.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) addresses: Intervals<u128>,
    pub(crate) covered: Covered,
}

/// Everything read so far.
#[derive(Debug)]
pub(crate) struct Store<'a> {
    spaces: &'a PerFamily<Space>,
    pub(crate) ports: PortTable,
    pub(crate) sets: Vec<Known>,
    spellings: PerFamily<HashMap<&'a str, Option<usize>, RandomState>>,
    services: PerFamily<HashMap<&'a str, Option<PortId>, RandomState>>,
}

impl<'a> Store<'a> {
    pub(crate) fn new(spaces: &'a PerFamily<Space>) -> Self {
        Self {
            spaces,
            ports: PortTable::new(),
            sets: Vec::new(),
            spellings: PerFamily::default(),
            services: PerFamily::default(),
        }
    }

    pub(crate) fn set(&self, at: usize) -> Option<&Known> {
        self.sets.get(at)
    }

    /// The number of the set with these elements: `10.0.0.1, 10.0.1.0/24`.
    pub(super) fn addresses(&mut self, family: Family, text: &'a str) -> Option<usize> {
        if let Some(known) = self.spellings.at(family).get(text) {
            return *known;
        }
        let made = elements(family, text).map(|addresses| {
            let covered = self.spaces.at(family).cover(&addresses);
            self.sets.push(Known { addresses, covered });
            self.sets.len() - 1
        });
        self.spellings.at_mut(family).insert(text, made);
        made
    }

    /// The ports that a match names: `tcp dport 80`, `udp dport { 53, 5353-5360 }`,
    /// `icmp type echo-request`.
    pub(super) fn service(&mut self, family: Family, text: &'a str) -> Option<PortId> {
        if let Some(known) = self.services.at(family).get(text) {
            return *known;
        }
        let made = service(family, text).map(|set| self.ports.id(set));
        self.services.at_mut(family).insert(text, made);
        made
    }
}

/// Elements as they are spelt and listed: a space at both ends, and after each comma a space or a
/// new line.
fn elements(family: Family, text: &str) -> Option<Intervals<u128>> {
    let list = text.strip_prefix(' ')?.strip_suffix(' ')?;
    let read = |(at, element): (usize, &str)| {
        let element = match at {
            0 => element,
            _ => match element.strip_prefix('\n') {
                Some(next) => next.trim_start_matches([' ', '\t']),
                None => element.strip_prefix(' ')?,
            },
        };
        read_spelled(family, element)
    };
    ascending(list.split(',').enumerate().map(read))
}

fn service(family: Family, text: &str) -> Option<PortSet> {
    let icmp = match family {
        Family::V4 => "icmp type echo-request",
        Family::V6 => "icmpv6 type echo-request",
    };
    if text == icmp {
        return Some(PortSet::range(Protocol::Icmp, 0, 0));
    }
    let (protocol, ports) = match text.split_once(" dport ")? {
        ("tcp", ports) => (Protocol::Tcp, ports),
        ("udp", ports) => (Protocol::Udp, ports),
        _ => return None,
    };
    let list = match ports.strip_prefix("{ ") {
        Some(list) => list.strip_suffix(" }").filter(|list| list.contains(", "))?,
        None if ports.contains(',') => return None,
        None => ports,
    };
    let range = |text: &str| {
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        Some((u32::from(port(low)?), u32::from(port(high)?)))
    };
    let ranges = ascending(list.split(", ").map(range))?;
    let mut set = PortSet::default();
    for (low, high) in ranges.iter() {
        let (low, high) = (u16::try_from(low).ok()?, u16::try_from(high).ok()?);
        set = set.union(&PortSet::range(protocol, low, high));
    }
    Some(set)
}

fn port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = plain && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// Ranges that are sorted, apart and never touching, as they are written and listed.
fn ascending<P: crate::set::Point>(
    ranges: impl Iterator<Item = Option<(P, P)>>,
) -> Option<Intervals<P>> {
    let ranges = ranges.collect::<Option<Vec<_>>>()?;
    let set = Intervals::from_ranges(ranges.iter().copied());
    set.iter().eq(ranges).then_some(set)
}
