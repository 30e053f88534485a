//! Invariants and expectations: whether they hold.

use super::closure::{Graph, Path};
use super::explain::Decision;
use crate::intent::{Verdict, Ways};
use crate::policy::Policy;

/// LIMIT: ways told of one invariant; one is enough to break it.
const WAYS: usize = 16;

/// A way that an invariant forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The invariant.
    pub invariant: String,
    /// The way.
    pub path: Path,
}

/// What came of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The expectation.
    pub name: String,
    /// What must come of its packet.
    pub expected: Verdict,
    /// What does.
    pub found: Decision,
}

impl Outcome {
    /// Whether it is as expected.
    #[must_use]
    pub const fn holds(&self) -> bool {
        matches!(self.expected, Verdict::Accept) == self.found.is_allowed()
    }
}

impl Policy {
    /// Ways that invariants forbid, at most 16 of each. A policy has none that are direct; these
    /// go over stepping stones.
    #[must_use]
    pub fn breaches(&self) -> Vec<Breach> {
        let graph = Graph::of(self);
        let mut breaches = Vec::new();
        for never in &self.invariants {
            let hops_max = match never.ways {
                Ways::Direct => Some(1),
                Ways::SteppingStones { hops_max } => hops_max,
            };
            let from = graph.all_nodes(&never.from);
            let mut room = WAYS;
            for target in graph.all_nodes(&never.to).iter() {
                let levels = graph.levels(target, hops_max);
                let reached = levels.all(&from);
                for source in reached.iter().take(room) {
                    if let Some(path) = graph.path(&levels, source, target) {
                        room -= 1;
                        breaches.push(Breach {
                            invariant: never.name.clone(),
                            path,
                        });
                    }
                }
                if room == 0 {
                    break;
                }
            }
        }
        breaches
    }

    /// What comes of the packets of all expectations, in their order.
    #[must_use]
    pub fn outcomes(&self) -> Vec<Outcome> {
        let outcomes = self.expectations.iter().map(|one| Outcome {
            name: one.name.clone(),
            expected: one.verdict,
            found: self.decide(&one.packet),
        });
        outcomes.collect()
    }
}
