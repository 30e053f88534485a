//! How often: one set of counters for every limit of the process, over all workers.

use std::net::IpAddr;
use std::time::Duration;

use model::{ApiKeyId, Network, PersonId, Rate};
use net::{Decision, RateLimiter};

/// LIMIT: counters at once.
const KEYS_MAX: usize = 262_144;
/// SECURITY: who has one IPv6 address usually has the whole /64.
const IPV6_PREFIX: u8 = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Limiter(RateLimiter<Counted>);

/// What is counted. The rate is part of it: when an estate changes a rate, counting begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Counted {
    what: What,
    rate: Rate,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// Requests of an address, over all routes.
    Address(Client),
    /// Attempts of an address to sign in.
    SignIn(Client),
    /// Requests of an address to a route.
    RouteAddress(u64, Client),
    /// Requests with an API key to a route.
    RouteKey(u64, ApiKeyId),
    /// Requests of somebody to a route.
    RouteUser(u64, User),
    /// All requests to a route.
    Route(u64),
}

/// Somebody as limits see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum User {
    /// Who has an account.
    Person(PersonId),
    /// Who has none: the beginning of a digest of their id.
    Guest([u8; 16]),
}

/// An address as limits see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client(Network);

impl Client {
    /// An IPv4 address alone, an IPv6 address with its whole /64.
    pub(crate) fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { IPV6_PREFIX };
        Self(Network::around(address, prefix).unwrap_or_else(|| Network::host(address)))
    }
}

impl Limiter {
    /// No counters yet.
    pub(crate) fn new() -> Self {
        Self(RateLimiter::new(KEYS_MAX))
    }

    /// Counts one more.
    pub(crate) fn check(&self, what: What, rate: Rate, now: Duration) -> Decision {
        self.0.check(Counted { what, rate }, rate, now)
    }

    /// Forgets counters that limit nothing any more.
    pub(crate) fn sweep(&self, now: Duration) {
        self.0.sweep(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_of_one_network_count_together() {
        let limiter = Limiter::new();
        let rate = Rate {
            count: 1,
            per_ms: 60_000,
        };
        let check = |address: &str| {
            let client = Client::of(address.parse().unwrap());
            limiter
                .check(What::Address(client), rate, Duration::from_secs(1))
                .allowed
        };
        assert!(check("2001:db8:0:1::1"));
        assert!(!check("2001:db8:0:1:ffff::2"));
        assert!(check("2001:db8:0:2::1"));
        assert!(check("192.0.2.1") && check("192.0.2.2") && !check("::ffff:192.0.2.1"));
    }

    #[test]
    fn a_changed_rate_counts_anew() {
        let limiter = Limiter::new();
        let check = |count| {
            let rate = Rate {
                count,
                per_ms: 60_000,
            };
            limiter
                .check(What::Route(1), rate, Duration::from_secs(1))
                .allowed
        };
        assert!(check(1) && !check(1));
        assert!(check(2) && check(2) && !check(2));
    }
}
