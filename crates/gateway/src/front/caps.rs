//! How many connections there are, in all and per address. Looked at once per connection, never
//! per request.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ahash::AHashMap;
use model::Network;

/// The counts of the whole process.
#[derive(Debug)]
pub(crate) struct Caps {
    open: AtomicUsize,
    open_max: AtomicUsize,
    per_address_max: AtomicUsize,
    addresses: Mutex<Addresses>,
}

#[derive(Debug, Default)]
struct Addresses {
    open: AHashMap<IpAddr, usize>,
    trusted: Vec<Network>,
}

/// Which cap was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Of all connections.
    All,
    /// Of the address.
    Address,
}

impl Full {
    /// A stable word for records and metrics.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::All => "connection.too_many",
            Self::Address => "connection.too_many_of_address",
        }
    }
}

/// One connection; dropping it makes room.
#[derive(Debug)]
pub(crate) struct Permit {
    caps: Arc<Caps>,
    address: Option<IpAddr>,
}

impl Caps {
    pub(crate) fn new() -> Self {
        Self {
            open: AtomicUsize::new(0),
            open_max: AtomicUsize::new(0),
            per_address_max: AtomicUsize::new(0),
            addresses: Mutex::new(Addresses::default()),
        }
    }

    /// Sets the caps. Addresses of `trusted` proxies speak for many clients and have none of
    /// their own.
    pub(crate) fn set(&self, open_max: u32, per_address_max: u32, trusted: &[Network]) {
        let count = |max: u32| usize::try_from(max).unwrap_or(usize::MAX);
        self.open_max.store(count(open_max), Ordering::Relaxed);
        self.per_address_max
            .store(count(per_address_max), Ordering::Relaxed);
        trusted.clone_into(&mut self.addresses().trusted);
    }

    /// Room for one more connection from `peer`.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Permit, Full> {
        let mut permit = self.admit_proxy()?;
        permit.name(peer)?;
        Ok(permit)
    }

    /// Room for one more connection of a proxy that will say for whom; then [`Permit::name`].
    pub(crate) fn admit_proxy(self: &Arc<Self>) -> Result<Permit, Full> {
        let open = self.open.fetch_add(1, Ordering::Relaxed);
        // From here on the permit's drop takes it back.
        let permit = Permit {
            caps: Arc::clone(self),
            address: None,
        };
        if open >= self.open_max.load(Ordering::Relaxed) {
            return Err(Full::All);
        }
        Ok(permit)
    }

    /// Open connections.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn addresses(&self) -> std::sync::MutexGuard<'_, Addresses> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// It is a connection of `client`, and counts for it from now on.
    pub(crate) fn name(&mut self, client: IpAddr) -> Result<(), Full> {
        let mut addresses = self.caps.addresses();
        if addresses
            .trusted
            .iter()
            .any(|network| network.contains(client))
        {
            return Ok(());
        }
        let key = key(client);
        let per_address_max = self.caps.per_address_max.load(Ordering::Relaxed);
        let count = addresses.open.entry(key).or_insert(0);
        let full = *count >= per_address_max;
        if !full {
            *count = count.saturating_add(1);
        } else if *count == 0 {
            addresses.open.remove(&key);
        }
        drop(addresses);
        if full {
            return Err(Full::Address);
        }
        self.address = Some(key);
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.caps.open.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let mut addresses = self.caps.addresses();
        if let Some(count) = addresses.open.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                addresses.open.remove(&address);
            }
        }
    }
}

/// One client has one IPv4 address, but a whole /64 of IPv6.
fn key(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests;
