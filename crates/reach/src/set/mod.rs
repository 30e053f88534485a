//! Exact sets: intervals of numbers, layers of them, and packets made of both. It knows nothing of
//! zones or firewalls.

mod bits;
mod intervals;
mod layered;
mod packets;
mod ports;
#[cfg(test)]
mod tests;

pub(crate) use bits::Bits;
pub use intervals::{Intervals, Point};
pub use layered::{Layered, Region};
pub use packets::{Family, Packet, PacketSet};
pub(crate) use packets::{PerFamily, number};
pub(crate) use ports::PortRange;
pub(crate) use ports::{PortId, PortTable};
pub use ports::{PortSet, Protocol};
