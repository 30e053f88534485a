//! The peers of each host, read back and held against who may exchange packets with whom.

use std::net::IpAddr;

use super::pairs::Links;
use super::{Difference, Prover};
use crate::prefix::Prefix;
use crate::read::{NotOurs, shown};
use crate::set::{Family, number};

impl Prover<'_> {
    pub(super) fn check_peers(&mut self, links: &Links) {
        let names = self.names();
        let peers = std::mem::take(&mut self.peers);
        for (at, (host, text)) in self.policy.hosts.iter().zip(peers).enumerate() {
            let mut missing = self.wanted(links, at);
            for (line, text) in (1..).zip(text.unwrap_or_default().split_terminator('\n')) {
                match self.peer(text, &names) {
                    Err(what) => self
                        .proof
                        .not_ours(&host.name, "peers", NotOurs::new(line, what)),
                    Ok((peer, addresses)) => {
                        let wanted = missing.get_mut(peer).map(std::mem::take);
                        if wanted.as_ref() == Some(&addresses) {
                            self.proof.peers += 1;
                            continue;
                        }
                        let wanted = list(&wanted.unwrap_or_default());
                        let what = format!("it has {}, and must have {wanted}", list(&addresses));
                        self.peer_differs(at, line, peer, what);
                    }
                }
            }
            for (peer, addresses) in missing.into_iter().enumerate() {
                if !addresses.is_empty() {
                    let what = format!("it is missing, and must have {}", list(&addresses));
                    self.peer_differs(at, 0, peer, what);
                }
            }
        }
    }

    /// The addresses that a host must know each host by.
    fn wanted(&self, links: &Links, host: usize) -> Vec<Vec<IpAddr>> {
        let mut wanted: Vec<Vec<IpAddr>> = vec![Vec::new(); self.policy.hosts.len()];
        for family in Family::BOTH {
            let linked = links.at(family).get(host);
            for peer in linked.into_iter().flat_map(|bits| bits.iter()) {
                let member = self.policy.hosts.get(peer);
                if let (Some(member), Some(list)) = (member, wanted.get_mut(peer)) {
                    let addresses = member.addresses.at(family).iter();
                    list.extend(addresses.map(|address| family.address(*address)));
                }
            }
        }
        wanted
    }

    /// A line: a host, and its addresses in order.
    fn peer(
        &self,
        text: &str,
        names: &std::collections::HashMap<&str, usize>,
    ) -> Result<(usize, Vec<IpAddr>), String> {
        let mut words = text.split(' ');
        let name = words.next().unwrap_or_default();
        let peer = names
            .get(name)
            .ok_or_else(|| format!("{} is no host", shown(name)))?;
        let mut addresses = Vec::new();
        for word in words {
            let prefix: Option<Prefix> = word.parse().ok();
            let host = prefix.filter(|prefix| *prefix == Prefix::host(prefix.address));
            let Some(host) = host else {
                return Err(format!("{} is no address of one host", shown(word)));
            };
            addresses.push(host.address);
        }
        if addresses.is_empty() {
            return Err(format!("{} has no addresses", shown(text)));
        }
        addresses.sort_unstable_by_key(|address| (Family::of(*address), number(*address)));
        Ok((*peer, addresses))
    }

    fn peer_differs(&mut self, host: usize, line: u32, peer: usize, what: String) {
        let name = |at: usize| {
            let host = self.policy.hosts.get(at);
            host.map_or_else(String::new, |host| host.name.clone())
        };
        let (host, peer) = (name(host), name(peer));
        self.proof.differs(Difference::Peer {
            host,
            line,
            peer,
            what,
        });
    }
}

fn list(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    if texts.is_empty() {
        "no addresses".to_owned()
    } else {
        texts.join(" ")
    }
}
