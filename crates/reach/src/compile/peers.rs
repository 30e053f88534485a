//! The peers of a host: those it may exchange packets with, and no others.

use super::linked;
use crate::policy::Policy;
use crate::prefix::Prefix;
use crate::set::{Family, PerFamily};
use crate::space::Class;

/// The addresses of each host as a line of its peers has them, with a space before each.
pub(super) fn spelled(policy: &Policy) -> Vec<PerFamily<String>> {
    let spell = |addresses: &Vec<u128>, family: Family| {
        let prefixes = addresses
            .iter()
            .map(|one| Prefix::host(family.address(*one)));
        prefixes.map(|prefix| format!(" {prefix}")).collect()
    };
    let hosts = policy.hosts.iter();
    hosts
        .map(|host| PerFamily::of(|family| spell(host.addresses.at(family), family)))
        .collect()
}

pub(super) fn text(policy: &Policy, host: Class, spelled: &[PerFamily<String>]) -> String {
    let linked = PerFamily::of(|family| linked(policy, family, host));
    let mut text = String::new();
    for (at, (peer, addresses)) in policy.hosts.iter().zip(spelled).enumerate() {
        let mut has_address = false;
        for family in Family::BOTH {
            let addresses = addresses.at(family);
            if linked.at(family).contains(at) && !addresses.is_empty() {
                if !has_address {
                    text.push_str(&peer.name);
                    has_address = true;
                }
                text.push_str(addresses);
            }
        }
        if has_address {
            text.push('\n');
        }
    }
    text
}
