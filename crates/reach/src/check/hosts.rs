//! Zones and hosts: where each stands, and that no address is two hosts'.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Checked, bad_name, is_name, names, part};
use crate::intent::Host;
use crate::policy::Member;
use crate::set::{Bits, Family, PerFamily, number};

/// LIMIT: zones within zones.
const DEPTH: usize = 8;
/// LIMIT: addresses of a host, and its roles.
const ADDRESSES: usize = 16;
const ROLES: usize = 16;

impl Checked<'_> {
    /// The hosts; zones and roles become known on the way.
    pub(super) fn hosts(&mut self) -> Vec<Member> {
        let around = self.zones();
        let mut owners = BTreeMap::new();
        let mut members = Vec::with_capacity(self.intent.hosts.len());
        for (index, host) in self.intent.hosts.iter().enumerate() {
            self.place(index, host, &around);
            members.push(Member {
                name: host.name.clone(),
                addresses: self.addresses(index, host, &mut owners),
                mode: host.mode,
                forwarding: host.forwarding,
                addressing: host.addressing,
            });
        }
        members
    }

    /// Each zone with all zones around it, itself first.
    fn zones(&mut self) -> BTreeMap<String, Vec<String>> {
        let zones = &self.intent.zones;
        let known = names(
            "zone",
            zones.iter().map(|zone| zone.name.as_str()),
            &mut self.findings,
        );
        let mut around = BTreeMap::new();
        for (index, zone) in zones.iter().enumerate() {
            let mut chain = vec![zone.name.clone()];
            let mut next = zone.within.as_ref();
            while let Some(outer) = next {
                let at = part("zone", index, &zone.name, "within");
                let Some(found) = known.get(outer).and_then(|at| zones.get(*at)) else {
                    if chain.len() == 1 {
                        let hint = crate::suggest::did_you_mean(outer, known.keys());
                        self.findings
                            .error(at, format!("there is no zone {outer:?}"), hint);
                    }
                    break;
                };
                if chain.contains(outer) || chain.len() == DEPTH {
                    let message = format!(
                        "`{}` lies in more than {DEPTH} zones, or in itself",
                        zone.name
                    );
                    self.findings
                        .error(at, message, "take `within` away from one of them");
                    break;
                }
                chain.push(outer.clone());
                next = found.within.as_ref();
            }
            around.insert(zone.name.clone(), chain);
        }
        let empty = Bits::new(self.intent.hosts.len());
        self.parties.zones = known
            .into_keys()
            .map(|name| (name, empty.clone()))
            .collect();
        around
    }

    /// Puts a host into its zones and roles.
    fn place(&mut self, index: usize, host: &Host, around: &BTreeMap<String, Vec<String>>) {
        match around.get(&host.zone) {
            Some(chain) => {
                for zone in chain {
                    if let Some(hosts) = self.parties.zones.get_mut(zone) {
                        hosts.insert(index);
                    }
                }
            }
            None => {
                let hint = crate::suggest::did_you_mean(&host.zone, around.keys());
                let message = format!("there is no zone {:?}", host.zone);
                self.findings
                    .error(part("host", index, &host.name, "zone"), message, hint);
            }
        }
        if host.roles.len() > ROLES {
            let message = format!("the host has {} roles", host.roles.len());
            let at = part("host", index, &host.name, "roles");
            self.findings
                .error(at, message, format!("{ROLES} are the most"));
        }
        for role in host.roles.iter().take(ROLES) {
            if !is_name(role) {
                bad_name(
                    part("host", index, &host.name, "roles"),
                    role,
                    &mut self.findings,
                );
            }
            let count = self.intent.hosts.len();
            let hosts = self.parties.roles.entry(role.clone());
            hosts.or_insert_with(|| Bits::new(count)).insert(index);
        }
    }

    fn addresses(
        &mut self,
        index: usize,
        host: &Host,
        owners: &mut BTreeMap<IpAddr, String>,
    ) -> PerFamily<Vec<u128>> {
        let mut made = PerFamily::<Vec<u128>>::default();
        if !(1..=ADDRESSES).contains(&host.addresses.len()) {
            let message = format!("the host has {} addresses", host.addresses.len());
            let at = part("host", index, &host.name, "addresses");
            self.findings
                .error(at, message, format!("give it 1 to {ADDRESSES}"));
        }
        for (at, address) in host.addresses.iter().take(ADDRESSES).enumerate() {
            let place = || part("host", index, &host.name, &format!("addresses[{at}]"));
            if let Some((what, hint)) = unfit(*address) {
                self.findings
                    .error(place(), format!("`{address}` is {what}"), hint);
            } else if let Some(owner) = owners.get(address) {
                let message = format!("`{address}` is an address of host `{owner}` already");
                let hint = "an address belongs to one host, and is written once";
                self.findings.error(place(), message, hint);
            } else {
                owners.insert(*address, host.name.clone());
                made.at_mut(Family::of(*address)).push(number(*address));
            }
        }
        made.v4.sort_unstable();
        made.v6.sort_unstable();
        made
    }
}

/// Why an address cannot be a host's, and what to write.
fn unfit(address: IpAddr) -> Option<(&'static str, &'static str)> {
    let own = "write the address that other machines reach the host at";
    match address {
        _ if address.is_unspecified() => Some(("no address", own)),
        _ if address.is_loopback() => Some(("only within the host", own)),
        _ if address.is_multicast() => Some(("a group of hosts", own)),
        IpAddr::V4(v4) if v4.octets().first() == Some(&0) => {
            Some(("no host's (RFC 1122 §3.2.1.3)", own))
        }
        IpAddr::V4(v4) if v4.octets().first() >= Some(&240) => {
            Some(("reserved (RFC 1112 §4)", own))
        }
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Some((
            "an IPv4 address in the form of IPv6 (RFC 4291 §2.5.5.2)",
            "write it as IPv4: `10.0.0.1`",
        )),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some((
            "an address of one link, of which each link may have another (RFC 4291 §2.5.6)",
            own,
        )),
        _ => None,
    }
}
