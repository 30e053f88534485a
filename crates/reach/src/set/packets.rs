//! Packets, and exact sets of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::intervals::Intervals;
use super::layered::{Layered, Region};
use super::ports::{PortSet, Protocol};

/// The two kinds of addresses. What is said of one says nothing of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The family's greatest address as a number.
    #[must_use]
    pub const fn greatest(self) -> u128 {
        match self {
            Self::V4 => 0xffff_ffff,
            Self::V6 => u128::MAX,
        }
    }

    /// An address from its number, which is not above [`Self::greatest`].
    #[must_use]
    pub fn address(self, number: u128) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).into(),
            Self::V6 => Ipv6Addr::from(number).into(),
        }
    }

    /// `4` or `6`.
    pub(crate) const fn digit(self) -> &'static str {
        match self {
            Self::V4 => "4",
            Self::V6 => "6",
        }
    }

    /// What nftables calls it in a match.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::V4 => "ip",
            Self::V6 => "ip6",
        }
    }
}

/// One of something for each family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PerFamily<T> {
    pub(crate) v4: T,
    pub(crate) v6: T,
}

impl<T> PerFamily<T> {
    pub(crate) fn of(mut make: impl FnMut(Family) -> T) -> Self {
        Self {
            v4: make(Family::V4),
            v6: make(Family::V6),
        }
    }

    pub(crate) const fn at(&self, family: Family) -> &T {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    pub(crate) const fn at_mut(&mut self, family: Family) -> &mut T {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }
}

/// The number of an address within its family.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The first packet of a connection, as the policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packet {
    /// Who sends it; of the same family as `destination`.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// By which protocol.
    pub protocol: Protocol,
    /// To which port; zero for [`Protocol::Icmp`], which has none.
    pub port: u16,
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} -> {} {}",
            self.source, self.destination, self.protocol
        )?;
        if self.protocol != Protocol::Icmp {
            write!(f, " port {}", self.port)?;
        }
        Ok(())
    }
}

type Sources = Layered<Layered<PortSet>>;

/// A set of packets of both families: exact, and with one form for each set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketSet(PerFamily<Sources>);

impl PacketSet {
    /// The packets of a family from any of `sources` to any of `destinations` at any of `ports`.
    #[must_use]
    pub fn product(
        family: Family,
        sources: &Intervals<u128>,
        destinations: &Intervals<u128>,
        ports: &PortSet,
    ) -> Self {
        let within = Intervals::range(0, family.greatest());
        let inner = Layered::product(&destinations.intersection(&within), ports);
        let mut made = Self::default();
        *made.0.at_mut(family) = Layered::product(&sources.intersection(&within), &inner);
        made
    }

    /// Whether a packet is in it. One whose addresses are of two families is in no set.
    #[must_use]
    pub fn contains(&self, packet: &Packet) -> bool {
        let family = Family::of(packet.source);
        family == Family::of(packet.destination)
            && (self.0.at(family).at(number(packet.source)))
                .and_then(|inner| inner.at(number(packet.destination)))
                .is_some_and(|ports| ports.contains(packet.protocol, packet.port))
    }

    /// A packet of the set, the least there is.
    #[must_use]
    pub fn example(&self) -> Option<Packet> {
        Family::BOTH.into_iter().find_map(|family| {
            let (source, _, inner) = self.0.at(family).iter().next()?;
            let (destination, _, ports) = inner.iter().next()?;
            let (protocol, port) = ports.first()?;
            Some(Packet {
                source: family.address(source),
                destination: family.address(destination),
                protocol,
                port,
            })
        })
    }

    fn combine(&self, other: &Self, apply: impl Fn(&Sources, &Sources) -> Sources) -> Self {
        Self(PerFamily::of(|family| {
            apply(self.0.at(family), other.0.at(family))
        }))
    }
}

impl Region for PacketSet {
    fn is_empty(&self) -> bool {
        self.0.v4.is_empty() && self.0.v6.is_empty()
    }
    fn union(&self, other: &Self) -> Self {
        self.combine(other, Sources::union)
    }
    fn intersection(&self, other: &Self) -> Self {
        self.combine(other, Sources::intersection)
    }
    fn difference(&self, other: &Self) -> Self {
        self.combine(other, Sources::difference)
    }
}
