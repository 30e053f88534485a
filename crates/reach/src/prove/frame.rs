//! What must hold at every host: the frame around the rules of flows, line by line.

use super::{Difference, Prover};
use crate::compile::frame::{BaseChain, Frame};
use crate::policy::{Direction, Member};
use crate::prefix::spell;
use crate::read::{HostRules, shown};
use crate::set::Family;

impl Prover<'_> {
    /// Frames of all texts that could be read.
    pub(super) fn frames(&mut self) {
        let rules = std::mem::take(&mut self.rules);
        for (host, rules) in self.policy.hosts.iter().zip(&rules) {
            if let Some(rules) = rules {
                self.frame(host, rules);
            }
        }
        self.rules = rules;
    }

    fn frame(&mut self, host: &Member, rules: &HostRules<'_>) {
        let frame = Frame::of(self.policy, host);
        let mut differs = |line: u32, found: String, wanted: &str| {
            self.proof.differs(Difference::Frame {
                host: host.name.clone(),
                line,
                found,
                wanted: wanted.to_owned(),
            });
        };
        for wanted in &frame.chains {
            match rules.bases.iter().find(|base| base.hook == wanted.hook) {
                None => differs(
                    rules.lines,
                    "the end".to_owned(),
                    &format!("chain {}", wanted.hook),
                ),
                Some(base) => {
                    if base.policy != wanted.policy {
                        let text = format!("policy {}", wanted.policy);
                        differs(base.line, shown(&format!("policy {}", base.policy)), &text);
                    }
                    lines(wanted, base, &mut differs);
                }
            }
        }
        for base in &rules.bases {
            if !frame.chains.iter().any(|wanted| wanted.hook == base.hook) {
                differs(base.line, format!("chain {}", base.hook), "}");
            }
        }
        for counter in &frame.counters {
            if !rules.counters.contains(counter) {
                differs(
                    rules.lines,
                    "the end".to_owned(),
                    &format!("counter {counter} {{"),
                );
            }
        }
        for chain in &rules.chains {
            let is_wanted = frame.own.at(chain.family).is_some();
            if !is_wanted {
                let name = format!("{}_{}", chain.direction.hook(), chain.family.digit());
                differs(chain.line, format!("chain {name}"), "}");
            }
        }
        self.own(host, rules, &frame);
    }

    /// The sets of the host's own addresses, and the chains for them.
    fn own(&mut self, host: &Member, rules: &HostRules<'_>, frame: &Frame) {
        for family in Family::BOTH {
            let Some(wanted) = frame.own.at(family) else {
                continue;
            };
            let name = format!("self_{}", family.digit());
            let mut differs = |line: u32, found: String, wanted: String| {
                self.proof.differs(Difference::Frame {
                    host: host.name.clone(),
                    line,
                    found,
                    wanted,
                });
            };
            let spelled = format!("set {name} {{ {} }}", spell(family, wanted));
            match rules.sets.get(name.as_str()) {
                Some((of, line, number)) => {
                    let found = self.store.set(*number).map(|known| &known.addresses);
                    if *of != family || found != Some(wanted) {
                        let found = found.map_or_else(String::new, |set| spell(*of, set));
                        differs(*line, shown(&found), spelled);
                    }
                }
                None => differs(rules.lines, "the end".to_owned(), spelled),
            }
            for direction in Direction::BOTH {
                let is_there = rules
                    .chains
                    .iter()
                    .any(|chain| chain.direction == direction && chain.family == family);
                if !is_there {
                    let name = format!("chain {}_{}", direction.hook(), family.digit());
                    differs(rules.lines, "the end".to_owned(), name);
                }
            }
        }
    }
}

/// The first line of a chain that is not as it must be.
fn lines(
    wanted: &BaseChain,
    base: &crate::read::Base<'_>,
    differs: &mut impl FnMut(u32, String, &str),
) {
    let mut found = base.lines.iter();
    for line in &wanted.lines {
        match found.next() {
            Some((_, text)) if text == line => {}
            Some((at, text)) => return differs(*at, shown(text), line),
            None => return differs(base.line, "the end of the chain".to_owned(), line),
        }
    }
    if let Some((at, text)) = found.next() {
        differs(*at, shown(text), "}");
    }
}
