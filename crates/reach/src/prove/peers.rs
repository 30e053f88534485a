//! The peers of each host, read back and held against who may exchange packets with whom.

use std::collections::HashMap;

use ahash::RandomState;

use super::pairs::Links;
use super::{Difference, Prover};
use crate::prefix::Prefix;
use crate::read::{NotOurs, shown};
use crate::set::{Bits, Family, PerFamily, number};

/// Of which families a line has all addresses of its peer, and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Has {
    v4: bool,
    v6: bool,
}

/// A line that was read.
#[derive(Clone, Debug)]
struct Known {
    peer: usize,
    /// None when it has a part of a family's addresses, or others.
    has: Option<Has>,
}

impl<'a> Prover<'a> {
    pub(super) fn check_peers(&mut self, links: &Links) {
        let names = self.names();
        let peers = std::mem::take(&mut self.peers);
        // Hosts are given the same lines again and again.
        let mut known: HashMap<&'a str, Result<Known, String>, RandomState> = HashMap::default();
        for (at, (host, text)) in self.policy.hosts.iter().zip(peers).enumerate() {
            let mut seen = Bits::new(self.policy.hosts.len());
            for (line, text) in (1..).zip(text.unwrap_or_default().split_terminator('\n')) {
                let read = known.entry(text).or_insert_with(|| self.peer(text, &names));
                match read {
                    Err(what) => {
                        let not = NotOurs::new(line, what.clone());
                        self.proof.not_ours(&host.name, "peers", not);
                    }
                    Ok(Known { peer, has }) => {
                        let is_again = seen.contains(*peer);
                        seen.insert(*peer);
                        if !is_again && *has == Some(self.wanted(links, at, *peer)) {
                            self.proof.peers += 1;
                        } else {
                            let peer = *peer;
                            let wanted = self.list(self.wanted(links, at, peer), peer);
                            let what = format!("{} stands there, {wanted} must once", shown(text));
                            self.peer_differs(at, line, peer, what);
                        }
                    }
                }
            }
            for peer in 0..self.policy.hosts.len() {
                let wanted = self.wanted(links, at, peer);
                if (wanted.v4 || wanted.v6) && !seen.contains(peer) {
                    let what = format!(
                        "it is missing, {} must stand there",
                        self.list(wanted, peer)
                    );
                    self.peer_differs(at, 0, peer, what);
                }
            }
        }
    }

    /// The families over which a host must know another.
    fn wanted(&self, links: &Links, host: usize, peer: usize) -> Has {
        let over = |family: Family| {
            let bits = links.at(family).get(host);
            bits.is_some_and(|bits| bits.contains(peer))
        };
        Has {
            v4: over(Family::V4),
            v6: over(Family::V6),
        }
    }

    fn list(&self, has: Has, peer: usize) -> String {
        let mut texts = Vec::new();
        for family in Family::BOTH {
            let is_in = match family {
                Family::V4 => has.v4,
                Family::V6 => has.v6,
            };
            if let Some(host) = self.policy.hosts.get(peer).filter(|_| is_in) {
                let addresses = host.addresses.at(family).iter();
                texts.extend(addresses.map(|one| family.address(*one).to_string()));
            }
        }
        if texts.is_empty() {
            "nothing".to_owned()
        } else {
            format!("`{}`", texts.join(" "))
        }
    }

    /// A line: a host, and its addresses.
    fn peer(&self, text: &str, names: &HashMap<&str, usize>) -> Result<Known, String> {
        let mut words = text.split(' ');
        let name = words.next().unwrap_or_default();
        let at = names
            .get(name)
            .and_then(|at| Some((*at, self.policy.hosts.get(*at)?)));
        let (peer, host) = at.ok_or_else(|| format!("{} is no host", shown(name)))?;
        let mut addresses = PerFamily::<Vec<u128>>::default();
        for word in words {
            let prefix: Option<Prefix> = word.parse().ok();
            let one = prefix.filter(|prefix| *prefix == Prefix::host(prefix.address));
            let one = one.ok_or_else(|| format!("{} is no address of one host", shown(word)))?;
            addresses
                .at_mut(Family::of(one.address))
                .push(number(one.address));
        }
        if addresses == PerFamily::default() {
            return Err(format!("{} has no addresses", shown(text)));
        }
        let mut has = PerFamily::of(|_| false);
        let mut is_whole = true;
        for family in Family::BOTH {
            let read = addresses.at_mut(family);
            read.sort_unstable();
            *has.at_mut(family) = !read.is_empty();
            is_whole &= read.is_empty() || read == host.addresses.at(family);
        }
        let has = Has {
            v4: has.v4,
            v6: has.v6,
        };
        Ok(Known {
            peer,
            has: is_whole.then_some(has),
        })
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
