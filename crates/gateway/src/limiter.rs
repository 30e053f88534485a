//! How often and how many at once: one set of counters for every limit of the process, over all
//! workers. Where the estate names a server, gateways count together there.

mod at_once;
mod compiled;
mod together;

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::Context;
use estate::Mode;
use model::{ApiKeyId, Network, PersonId, Rate};
use net::{Decision, RateLimiter};

pub(crate) use at_once::{AtOnce, Full, Held, Permits};
pub(crate) use compiled::{By, Key, Limits, Policy, Rated, Unkeyed, compile};
pub(crate) use together::{Answer, Line, Maker, Store, StoreStats};

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
    /// Requests with one value of a key of the estate's to a route.
    RouteNamed(u64, Value),
    /// All requests to a route.
    Route(u64),
}

/// A value of a key of the estate's: the beginning of a digest of it, however long it was.
pub(crate) type Value = [u8; 16];

impl What {
    /// Adds who it is to a digest that already says under which limit: the same in every gateway.
    fn note(&self, digest: &mut Context) {
        match self {
            Self::Route(_) => {}
            Self::Address(client) | Self::SignIn(client) | Self::RouteAddress(_, client) => {
                digest.update(b"a");
                digest.update(client.0.to_string().as_bytes());
            }
            Self::RouteKey(_, key) => {
                digest.update(b"k");
                digest.update(&key.as_raw().to_be_bytes());
            }
            Self::RouteUser(_, User::Person(person)) => {
                digest.update(b"p");
                digest.update(&person.as_raw().to_be_bytes());
            }
            Self::RouteUser(_, User::Guest(guest)) => {
                digest.update(b"g");
                digest.update(guest);
            }
            Self::RouteNamed(_, value) => {
                digest.update(b"v");
                digest.update(value);
            }
        }
    }
}

/// The first half of a digest: enough that nobody finds two texts with the same one by chance, or
/// one for somebody else's.
fn half(digest: Context) -> [u8; 16] {
    let digest = digest.finish();
    let first = digest.as_ref().first_chunk();
    first.copied().unwrap_or_default()
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
        self.take(what, rate, 1, now)
    }

    /// Counts `cost` more, or nothing.
    fn take(&self, what: What, rate: Rate, cost: u32, now: Duration) -> Decision {
        self.0.take(Counted { what, rate }, rate, cost, now)
    }

    /// Counts `cost` more under each of several limits. In `block` all of them or none, so that
    /// what one refuses costs nothing of the others; in `observe` each for itself.
    pub(crate) fn take_all(
        &self,
        limits: &(impl Iterator<Item = (What, Rate)> + Clone),
        (cost, mode): (u32, Mode),
        now: Duration,
    ) -> Answer {
        let mut said = Answer::new();
        let mut refused = false;
        for (what, rate) in limits.clone() {
            if refused {
                said.push(self.look(what, rate, cost, now));
                continue;
            }
            let one = self.take(what, rate, cost, now);
            refused = !one.allowed && mode == Mode::Block;
            if refused {
                for ((what, rate), said) in limits.clone().zip(&mut said) {
                    self.give_back(what, rate, cost);
                    *said = self.look(what, rate, cost, now);
                }
            }
            said.push(one);
        }
        said
    }

    /// What [`Limiter::take`] would say.
    fn look(&self, what: What, rate: Rate, cost: u32, now: Duration) -> Decision {
        self.0.look(&Counted { what, rate }, rate, cost, now)
    }

    /// Takes back what was counted for nothing.
    fn give_back(&self, what: What, rate: Rate, cost: u32) {
        self.0.give_back(&Counted { what, rate }, rate, cost);
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
