//! Proves that what hosts are given permits exactly what the policy does: no packet more, none
//! fewer. It reads the texts, and asks the compiler nothing.

mod difference;
mod exact;
mod frame;
mod pairs;
mod peers;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use difference::{Difference, Unproved};

use crate::compile::Artefact;
use crate::intent::{Forwarding, Mode};
use crate::policy::Policy;
use crate::read::{Form, HostRules, NotOurs, Store, read};

/// What a proof came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Ordered pairs of hosts, counted once for each family both have addresses of, between which
    /// exactly the packets of the policy pass.
    pub pairs: u64,
    /// Such pairs between which others pass, or fewer.
    pub pairs_differing: u64,
    /// Hosts whose rules about everything outside the estate are those of the policy, counted for
    /// each direction and family.
    pub outside: u64,
    /// Peers with exactly the addresses they must have.
    pub peers: u64,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What could not be read, and is therefore not proved.
    pub unproved: Vec<Unproved>,
    /// Differences that are not listed because there are too many.
    pub left_out: u64,
    /// Hosts that observe: the proof is about what they would drop. Nothing is dropped there yet.
    pub observing: Vec<String>,
    /// Hosts whose forwarding is left to other rules: nothing is proved about that.
    pub forwarding_left: Vec<String>,
}

impl Proof {
    // LIMIT: differences listed of one proof; the others are counted.
    const MOST: usize = 1_000;

    /// Whether everything was read, and nothing differs.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.differences.is_empty()
            && self.unproved.is_empty()
            && self.left_out == 0
            && self.pairs_differing == 0
    }

    fn differs(&mut self, difference: Difference) {
        if self.differences.len() < Self::MOST {
            self.differences.push(difference);
        } else {
            self.left_out += 1;
        }
    }

    fn not_ours(&mut self, host: &str, text: &'static str, not: NotOurs) {
        if self.unproved.len() < Self::MOST {
            self.unproved.push(Unproved {
                host: host.to_owned(),
                text,
                line: not.line,
                what: not.what,
            });
        } else {
            self.left_out += 1;
        }
    }
}

/// Texts that are being proved.
struct Prover<'a> {
    policy: &'a Policy,
    store: Store<'a>,
    /// Of each host of the policy; none where there is no text, or one that is not ours.
    rules: Vec<Option<HostRules<'a>>>,
    peers: Vec<Option<&'a str>>,
    proof: Proof,
}

impl Policy {
    /// Proves what is to be applied.
    ///
    /// What it says is about our table and WireGuard's AllowedIPs. Other tables can only drop more
    /// of what passes ours, but for what rewrites addresses (NAT); that, programs at XDP or tc,
    /// other network namespaces and whoever is root on a host are outside of it.
    #[must_use]
    pub fn prove(&self, artefacts: &[Artefact]) -> Proof {
        let mut prover = Prover::new(self);
        let mut seen = vec![false; self.hosts.len()];
        for artefact in artefacts {
            let at = self.parties.hosts.get(&artefact.host);
            match at.and_then(|at| Some((*at, seen.get_mut(*at)?))) {
                None => {
                    let what = "the policy has no such host";
                    prover
                        .proof
                        .not_ours(&artefact.host, "rules", NotOurs::new(0, what));
                }
                Some((_, true)) => {
                    let what = "the host is there twice";
                    prover
                        .proof
                        .not_ours(&artefact.host, "rules", NotOurs::new(0, what));
                }
                Some((at, seen)) => {
                    *seen = true;
                    prover.add(at, &artefact.host, &artefact.rules, Form::Applied);
                    if let Some(peers) = prover.peers.get_mut(at) {
                        *peers = Some(&artefact.peers);
                    }
                }
            }
        }
        for (host, _) in self.hosts.iter().zip(seen).filter(|(_, seen)| !seen) {
            prover.proof.not_ours(
                &host.name,
                "rules",
                NotOurs::new(0, "the host has no rules"),
            );
        }
        prover.finish()
    }

    /// Holds what a host has, as `nft list table inet rampart` prints it, against the policy:
    /// whether somebody changed it. Only that host's own rules are looked at.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] when there is no such host.
    pub fn drift(&self, host: &str, listing: &str) -> Result<Proof, crate::Error> {
        let party = crate::intent::Party::Host(host.to_owned());
        let at = self
            .members(&party)?
            .hosts
            .iter()
            .next()
            .unwrap_or(usize::MAX);
        let mut prover = Prover::new(self);
        prover.add(at, host, listing, Form::Listed);
        prover.frames();
        prover.sides();
        Ok(prover.proof)
    }
}

impl<'a> Prover<'a> {
    fn new(policy: &'a Policy) -> Self {
        Self {
            policy,
            store: Store::new(&policy.spaces),
            rules: vec![None; policy.hosts.len()],
            peers: vec![None; policy.hosts.len()],
            proof: Proof::default(),
        }
    }

    fn add(&mut self, at: usize, host: &str, text: &'a str, form: Form) {
        match (read(text, form, &mut self.store), self.rules.get_mut(at)) {
            (Ok(rules), Some(slot)) => *slot = Some(rules),
            (Ok(_), None) => {}
            (Err(not), _) => self.proof.not_ours(host, "rules", not),
        }
    }

    fn finish(mut self) -> Proof {
        self.frames();
        let links = self.pairs();
        self.check_peers(&links);
        let named = |test: fn(&crate::policy::Member) -> bool| {
            let hosts = self.policy.hosts.iter().filter(|host| test(host));
            hosts.map(|host| host.name.clone()).collect()
        };
        self.proof.observing = named(|host| host.mode == Mode::Observe);
        self.proof.forwarding_left = named(|host| host.forwarding == Forwarding::Left);
        self.proof
    }

    /// Hosts by name.
    fn names(&self) -> HashMap<&'a str, usize> {
        let hosts = self.policy.hosts.iter().enumerate();
        hosts.map(|(at, host)| (host.name.as_str(), at)).collect()
    }
}
