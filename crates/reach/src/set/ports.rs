//! Protocols with their ports: sets of them, and a table in which equal sets have one number.

use std::collections::HashMap;
use std::fmt;

use super::intervals::Intervals;
use super::layered::Region;

/// What a packet is carried by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP, with ports.
    Tcp,
    /// UDP, with ports.
    Udp,
    /// An echo request, and nothing else of ICMP or ICMPv6: it has no port. Errors of connections
    /// pass by themselves, as RFC 4890 §4.3 wants.
    Icmp,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Icmp];

    const fn first(self) -> u32 {
        match self {
            Self::Tcp => 0,
            Self::Udp => 0x1_0000,
            Self::Icmp => 0x2_0000,
        }
    }

    const fn last(self) -> u32 {
        match self {
            Self::Tcp => 0xffff,
            Self::Udp => 0x1_ffff,
            Self::Icmp => 0x2_0000,
        }
    }

    /// Its name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of protocols with ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortSet(Intervals<u32>);

impl PortSet {
    /// The ports of a protocol from `low` to `high`, both included. For [`Protocol::Icmp`] the
    /// ports do not matter.
    #[must_use]
    pub fn range(protocol: Protocol, low: u16, high: u16) -> Self {
        let base = protocol.first();
        Self(match protocol {
            Protocol::Icmp => Intervals::range(base, base),
            Protocol::Tcp | Protocol::Udp => {
                Intervals::range(base + u32::from(low), base + u32::from(high))
            }
        })
    }

    /// Every port of every protocol.
    #[must_use]
    pub fn every() -> Self {
        Self(Intervals::range(
            Protocol::Tcp.first(),
            Protocol::Icmp.last(),
        ))
    }

    /// Whether a port of a protocol is in it.
    #[must_use]
    pub fn contains(&self, protocol: Protocol, port: u16) -> bool {
        let port = match protocol {
            Protocol::Icmp => 0,
            Protocol::Tcp | Protocol::Udp => u32::from(port),
        };
        self.0.contains(protocol.first() + port)
    }

    /// The ranges of one protocol, least first.
    #[must_use]
    pub fn ranges(&self, protocol: Protocol) -> Vec<(u16, u16)> {
        let (first, last) = (protocol.first(), protocol.last());
        let port = |number: u32| u16::try_from(number - first).unwrap_or(u16::MAX);
        (self.0.iter())
            .filter(|(low, high)| *low <= last && *high >= first)
            .map(|(low, high)| (port(low.max(first)), port(high.min(last))))
            .collect()
    }

    /// The least protocol and port in it.
    #[must_use]
    pub fn first(&self) -> Option<(Protocol, u16)> {
        let number = self.0.first()?;
        let protocol = Protocol::ALL.into_iter().find(|one| number <= one.last())?;
        Some((protocol, u16::try_from(number - protocol.first()).ok()?))
    }
}

impl Region for PortSet {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0))
    }
    fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0))
    }
    fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0))
    }
}

/// As in `tcp 80, 8000-8100; icmp`.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for protocol in Protocol::ALL {
            let ranges = self.ranges(protocol);
            if ranges.is_empty() {
                continue;
            }
            write!(f, "{between}{protocol}")?;
            between = "; ";
            if protocol == Protocol::Icmp {
                continue;
            }
            let mut before = " ";
            for (low, high) in ranges {
                write!(f, "{before}{}", PortRange(low, high))?;
                before = ", ";
            }
        }
        Ok(())
    }
}

/// `80`, or `8000-8100`: as people and nftables write it.
pub(crate) struct PortRange(pub(crate) u16, pub(crate) u16);

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(low, high) = self;
        if low == high {
            write!(f, "{low}")
        } else {
            write!(f, "{low}-{high}")
        }
    }
}

/// The number of a set of ports in its [`PortTable`].
pub(crate) type PortId = u32;

/// Sets of ports under numbers: equal sets have equal numbers, so that comparing and combining
/// them costs the same whatever is in them.
#[derive(Debug)]
pub(crate) struct PortTable {
    sets: Vec<PortSet>,
    ids: HashMap<PortSet, PortId>,
    unions: Memo,
    intersections: Memo,
}

impl PortTable {
    /// The number of the empty set.
    pub(crate) const EMPTY: PortId = 0;

    pub(crate) fn new() -> Self {
        let empty = PortSet::default();
        Self {
            sets: vec![empty.clone()],
            ids: HashMap::from([(empty, Self::EMPTY)]),
            unions: Memo::new(),
            intersections: Memo::new(),
        }
    }

    pub(crate) fn id(&mut self, set: PortSet) -> PortId {
        if let Some(id) = self.ids.get(&set) {
            return *id;
        }
        // LIMIT: no more sets than pairs of hosts, of which there are fewer than 2^32.
        let id = PortId::try_from(self.sets.len()).unwrap_or(PortId::MAX);
        self.sets.push(set.clone());
        self.ids.insert(set, id);
        id
    }

    /// The number of a set, which is copied only when it is new.
    pub(crate) fn id_of(&mut self, set: &PortSet) -> PortId {
        match self.ids.get(set) {
            Some(id) => *id,
            None => self.id(set.clone()),
        }
    }

    pub(crate) fn set(&self, id: PortId) -> &PortSet {
        const NONE: &PortSet = &PortSet(Intervals::new());
        self.sets.get(id as usize).unwrap_or(NONE)
    }

    pub(crate) fn union(&mut self, a: PortId, b: PortId) -> PortId {
        if a == b || b == Self::EMPTY {
            return a;
        }
        if a == Self::EMPTY {
            return b;
        }
        if let Some(id) = self.unions.known(a, b) {
            return id;
        }
        let id = self.id(self.set(a).union(self.set(b)));
        self.unions.keep(a, b, id);
        id
    }

    pub(crate) fn intersection(&mut self, a: PortId, b: PortId) -> PortId {
        if a == b {
            return a;
        }
        if a == Self::EMPTY || b == Self::EMPTY {
            return Self::EMPTY;
        }
        if let Some(id) = self.intersections.known(a, b) {
            return id;
        }
        let id = self.id(self.set(a).intersection(self.set(b)));
        self.intersections.keep(a, b, id);
        id
    }
}

/// What two numbers gave last, in a table that never grows: a newer answer takes the place of an
/// older one.
#[derive(Debug)]
struct Memo(Vec<(PortId, PortId, PortId)>);

impl Memo {
    // LIMIT: so many answers are remembered.
    const SLOTS: usize = 1 << 14;

    fn new() -> Self {
        // No sets have the greatest number, so these are never found.
        Self(vec![(PortId::MAX, PortId::MAX, 0); Self::SLOTS])
    }

    const fn slot(a: PortId, b: PortId) -> usize {
        let mixed = a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca6b);
        (mixed ^ mixed >> 15) as usize % Self::SLOTS
    }

    fn known(&self, a: PortId, b: PortId) -> Option<PortId> {
        let (left, right, id) = self.0.get(Self::slot(a, b))?;
        (*left == a && *right == b).then_some(*id)
    }

    fn keep(&mut self, a: PortId, b: PortId, id: PortId) {
        if let Some(slot) = self.0.get_mut(Self::slot(a, b)) {
            *slot = (a, b, id);
        }
    }
}
