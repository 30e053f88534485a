//! Networks as prefixes, and intervals of addresses as nftables writes them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::set::{Family, Intervals, number};

/// A network: an address and how many of its leading bits count. It may have bits set after those;
/// an intent with such a one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    /// An address of the network, the first if it is written well.
    pub address: IpAddr,
    /// How many bits count: up to 32 of IPv4, up to 128 of IPv6.
    pub length: u8,
}

impl Prefix {
    /// The network of one address.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        let length = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        Self { address, length }
    }

    /// The first and the last address, or `None` when the length is more than the family has.
    pub(crate) fn range(self) -> Option<(u128, u128)> {
        let family = Family::of(self.address);
        let bits = Self::host(self.address).length;
        let host_bits = u32::from(bits.checked_sub(self.length)?);
        let mask = if host_bits == 0 {
            0
        } else {
            u128::MAX.checked_shr(128 - host_bits)?
        };
        let low = number(self.address) & !mask;
        Some((low, (low | mask).min(family.greatest())))
    }

    /// The first address of the network, where another is written.
    pub(crate) fn first(self) -> Option<IpAddr> {
        let (low, _) = self.range()?;
        Some(Family::of(self.address).address(low))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// What was written is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no network, which is written `10.0.0.0/8` or `2001:db8::/32`")]
pub struct NoPrefix;

impl FromStr for Prefix {
    type Err = NoPrefix;

    fn from_str(text: &str) -> Result<Self, NoPrefix> {
        let (address, length) = text.split_once('/').ok_or(NoPrefix)?;
        let address: IpAddr = address.parse().map_err(|_| NoPrefix)?;
        let plain = (1..=3).contains(&length.len())
            && length.bytes().all(|byte| byte.is_ascii_digit())
            && (length == "0" || !length.starts_with('0'));
        let length = length.parse().ok().filter(|_| plain).ok_or(NoPrefix)?;
        let prefix = Self { address, length };
        prefix.range().map(|_| prefix).ok_or(NoPrefix)
    }
}

/// An interval as `nft list` spells it: an address, a prefix where it is exactly one, or both ends.
pub(crate) struct Spelled(pub(crate) Family, pub(crate) u128, pub(crate) u128);

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(family, low, high) = *self;
        let address = family.address(low);
        if low == high {
            return write!(f, "{address}");
        }
        let span = high ^ low;
        let is_prefix = span & span.wrapping_add(1) == 0 && low & span == 0;
        if is_prefix {
            let bits = u32::from(Prefix::host(address).length);
            let length = bits.saturating_sub(span.count_ones());
            write!(f, "{address}/{length}")
        } else {
            write!(f, "{address}-{}", family.address(high))
        }
    }
}

/// Reads what [`Spelled`] writes, and no other spelling; both ends.
pub(crate) fn read_spelled(family: Family, text: &str) -> Option<(u128, u128)> {
    let of_family = |text: &str| {
        let address: IpAddr = text.parse().ok()?;
        (Family::of(address) == family).then(|| number(address))
    };
    let (low, high) = if text.contains('/') {
        let prefix: Prefix = text.parse().ok()?;
        (Family::of(prefix.address) == family)
            .then(|| prefix.range())
            .flatten()?
    } else if let Some((low, high)) = text.split_once('-') {
        (of_family(low)?, of_family(high)?)
    } else {
        let address = of_family(text)?;
        (address, address)
    };
    // Nobody then has to know which other spellings nft reads in which way.
    let is_spelt = low <= high && Spelled(family, low, high).to_string() == text;
    is_spelt.then_some((low, high))
}

/// The elements of a set, with commas between them.
pub(crate) fn spell(family: Family, addresses: &Intervals<u128>) -> String {
    let mut text = String::new();
    for (low, high) in addresses.iter() {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&Spelled(family, low, high).to_string());
    }
    text
}
