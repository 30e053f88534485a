//! Lockout by delay: how long after so many failures in a row.
//!
//! Counted for the account, for the address and for both together, so that one address cannot try
//! many accounts and many addresses cannot try one; nobody is locked out for good.

use std::net::IpAddr;
use std::time::Duration;

/// Failures that cost nothing (ASVS 5.0 V6.3.1, NIST SP 800-63B-4 §3.2.2).
const FREE: u32 = 4;
/// The first delay.
const FIRST: Duration = Duration::from_secs(1);
/// The first delay after wrong codes: they have a million values only.
const CODE_FIRST: Duration = Duration::from_secs(5 * 60);
/// The longest delay.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// An address is shared by many people: it may fail more often.
const ADDRESS_FREE: u32 = 20;

/// What failures are counted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    free: u32,
    first: Duration,
}

impl Bucket {
    fn new(name: String, free: u32) -> Self {
        Self {
            name,
            free,
            first: FIRST,
        }
    }

    /// Whether it counts for one account rather than for an address as a whole.
    pub(crate) fn is_of_account(&self) -> bool {
        !self.name.starts_with("address:")
    }
}

/// The buckets of one attempt. Names are hashed: what a stranger typed is not kept.
pub(crate) fn buckets(login: &str, address: Option<IpAddr>) -> Vec<Bucket> {
    let account = crate::secret_text::digest_of(login);
    let account: String = account
        .iter()
        .take(16)
        .map(|b| format!("{b:02x}"))
        .collect();
    let mut all = vec![Bucket::new(format!("account:{account}"), FREE)];
    if let Some(address) = address {
        let network = network(address);
        all.push(Bucket::new(format!("address:{network}"), ADDRESS_FREE));
        all.push(Bucket::new(format!("both:{account}:{network}"), FREE));
    }
    all
}

/// The bucket of wrong codes of one person, over all their sign-ins: five, then five minutes.
pub(crate) fn codes(person: &str) -> Bucket {
    Bucket {
        name: format!("code:{person}"),
        free: FREE,
        first: CODE_FIRST,
    }
}

/// The bucket of wrong present passwords of one person, asked for within a session.
pub(crate) fn present_password(person: &str) -> Bucket {
    Bucket::new(format!("password:{person}"), FREE)
}

/// How long the next attempt must wait after `failures` in a row.
pub(crate) fn delay(bucket: &Bucket, failures: u32) -> Duration {
    match failures.checked_sub(bucket.free) {
        None | Some(0) => Duration::ZERO,
        Some(over) => bucket
            .first
            .saturating_mul(1 << (over - 1).min(20))
            .min(LONGEST),
    }
}

/// An IPv6 customer has a whole /64 to try from.
fn network(address: IpAddr) -> String {
    let address = address.to_canonical();
    let prefix = if address.is_ipv4() { 32 } else { 64 };
    ::model::Network::around(address, prefix).map_or_else(String::new, |net| net.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_begins_with_the_fifth_failure_doubles_and_is_capped() {
        let account = &buckets("ada", None)[0];
        let seconds: Vec<_> = (0..9).map(|n| delay(account, n).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 0, 1, 2, 4, 8]);
        assert_eq!(delay(account, 1000), LONGEST);
        assert_eq!(delay(account, u32::MAX), LONGEST);
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let of = |text: &str| buckets("ada", Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
    }

    #[test]
    fn names_typed_by_strangers_are_not_kept() {
        let all = buckets("my password by mistake", Some("192.0.2.1".parse().unwrap()));
        assert!(all.iter().all(|bucket| !bucket.name.contains("mistake")));
    }
}
