//! Bans that come and go while a host runs: in a table of their own, which replacing a policy does
//! not touch (sets are not shared between tables).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The table of bans, for `nft -f -`. It may be applied any number of times: chains are made anew
/// (`flush table` empties chains, and leaves the elements of sets), bans stay. It is asked before
/// the policy, about every packet, so that a ban ends connections there are.
///
/// Networks are looked up by the address with its last bits cut off: they never overlap.
pub const BANS: &str = "\
table inet rampart_bans
flush table inet rampart_bans
table inet rampart_bans {
	set ban_4 {
		type ipv4_addr
		size 65536
		flags timeout
	}
	set ban_4_24 {
		type ipv4_addr
		size 65536
		flags timeout
	}
	set ban_6 {
		type ipv6_addr
		size 65536
		flags timeout
	}
	set ban_6_64 {
		type ipv6_addr
		size 65536
		flags timeout
	}
	chain banned {
		ip saddr @ban_4 counter drop
		ip saddr & 255.255.255.0 @ban_4_24 counter drop
		ip6 saddr @ban_6 counter drop
		ip6 saddr & ffff:ffff:ffff:ffff:: @ban_6_64 counter drop
	}
	chain input {
		type filter hook input priority -20; policy accept;
		iifname != \"lo\" jump banned
	}
	chain forward {
		type filter hook forward priority -20; policy accept;
		jump banned
	}
}
";

/// Whom a ban is for. Texts for `nft -f -`, each one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ban {
    /// One address.
    Address(IpAddr),
    /// The network around an address: 256 addresses of IPv4, the /64 of IPv6, of which one host
    /// usually has all.
    Network(IpAddr),
}

impl Ban {
    /// Bans for so long from now on, whether or not there is a ban already. At least a second, at
    /// most a year.
    #[must_use]
    pub fn text(self, timeout_s: u32) -> String {
        // LIMIT: every ban ends.
        let timeout_s = timeout_s.clamp(1, 365 * 86_400);
        let (set, element) = self.element();
        // Adding what is there would leave its old timeout.
        format!(
            "add element inet rampart_bans {set} {{ {element} }}\n\
             delete element inet rampart_bans {set} {{ {element} }}\n\
             add element inet rampart_bans {set} {{ {element} timeout {timeout_s}s }}\n"
        )
    }

    /// Takes a ban back, whether or not there is one.
    #[must_use]
    pub fn lift_text(self) -> String {
        let (set, element) = self.element();
        format!(
            "add element inet rampart_bans {set} {{ {element} }}\n\
             delete element inet rampart_bans {set} {{ {element} }}\n"
        )
    }

    fn element(self) -> (&'static str, IpAddr) {
        match self {
            Self::Address(address @ IpAddr::V4(_)) => ("ban_4", address),
            Self::Address(address @ IpAddr::V6(_)) => ("ban_6", address),
            Self::Network(IpAddr::V4(v4)) => {
                ("ban_4_24", Ipv4Addr::from(u32::from(v4) & !0xff).into())
            }
            Self::Network(IpAddr::V6(v6)) => (
                "ban_6_64",
                Ipv6Addr::from(u128::from(v6) >> 64 << 64).into(),
            ),
        }
    }
}
