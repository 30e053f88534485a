//! The peers of a host: those it may exchange packets with, and no others.

use std::fmt::Write as _;

use super::linked;
use crate::policy::Policy;
use crate::prefix::Prefix;
use crate::set::Family;
use crate::space::Class;

pub(super) fn text(policy: &Policy, host: Class) -> String {
    let (v4, v6) = (
        linked(policy, Family::V4, host),
        linked(policy, Family::V6, host),
    );
    let mut text = String::new();
    for (at, peer) in policy.hosts.iter().enumerate() {
        let mut has_address = false;
        for (family, linked) in [(Family::V4, &v4), (Family::V6, &v6)] {
            if !linked.contains(at) {
                continue;
            }
            for address in peer.addresses.at(family) {
                if !has_address {
                    text.push_str(&peer.name);
                    has_address = true;
                }
                let _ = write!(text, " {}", Prefix::host(family.address(*address)));
            }
        }
        if has_address {
            text.push('\n');
        }
    }
    text
}
