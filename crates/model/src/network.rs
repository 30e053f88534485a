//! An address range: `10.0.0.0/8`, `2001:db8::/32`, or one address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A block of IP addresses in CIDR notation. The address is the block's first; host bits are
/// refused when parsing, so that `10.0.0.7/8` cannot be meant two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The block that holds only `address`.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            address,
            prefix: width(address),
        }
    }

    /// The block of `prefix` bits around `address`; `None` when the prefix is too long.
    #[must_use]
    pub fn around(address: IpAddr, prefix: u8) -> Option<Self> {
        let address = address.to_canonical();
        let width = width(address);
        let host_bits = width.checked_sub(prefix)?;
        let kept = bits(address).checked_shr(u32::from(host_bits)).unwrap_or(0);
        let first = kept.checked_shl(u32::from(host_bits)).unwrap_or(0);
        let address = match address {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(first).ok()?.into()),
            IpAddr::V6(_) => IpAddr::V6(first.into()),
        };
        Some(Self { address, prefix })
    }

    /// The first address.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// How many leading bits are fixed.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether `address` lies inside. IPv4-mapped IPv6 addresses count as IPv4.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && Self::around(address, self.prefix) == Some(self)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == width(self.address) {
            self.address.fmt(f)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

/// A text that is not an address range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseNetworkError {
    /// Not an address, or a prefix that is no number in range.
    #[error("`{0}` is not an address or a range such as `10.0.0.0/8`")]
    Malformed(String),
    /// Bits are set behind the prefix.
    #[error("`{given}` has bits behind its prefix; the range is `{meant}`")]
    HostBits {
        /// What was written.
        given: String,
        /// The range it lies in.
        meant: Network,
    },
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseNetworkError::Malformed(s.chars().take(64).collect());
        let Some((address, prefix)) = s.split_once('/') else {
            return s.parse().map(Self::host).map_err(|_| malformed());
        };
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        let prefix: u8 = prefix.parse().map_err(|_| malformed())?;
        let meant = Self::around(address, prefix).ok_or_else(malformed)?;
        if meant.address != address {
            return Err(ParseNetworkError::HostBits {
                given: s.to_owned(),
                meant,
            });
        }
        Ok(meant)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
