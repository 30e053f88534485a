//! Invariants: resolved, and held against each flow by itself.

use super::{Checked, names, part};
use crate::finding::Findings;
use crate::intent::Intent;
use crate::policy::{Grant, Never, Side};
use crate::set::{Bits, Family, PerFamily, Region as _};
use crate::space::Space;

impl Checked<'_> {
    pub(super) fn invariants(&mut self, spaces: &PerFamily<Space>) -> Vec<Never> {
        let all = &self.intent.invariants;
        names(
            "invariant",
            all.iter().map(|one| one.name.as_str()),
            &mut self.findings,
        );
        let mut made = Vec::new();
        for (index, one) in all.iter().enumerate() {
            let place = |field: &str| part("invariant", index, &one.name, field);
            let from = self.members(&one.from, place, "from");
            let to = self.members(&one.to, place, "to");
            made.push(Never {
                name: one.name.clone(),
                from: PerFamily::of(|family| from.classes(spaces.at(family))),
                to: PerFamily::of(|family| to.classes(spaces.at(family))),
                ways: one.ways,
            });
        }
        made
    }
}

/// Flows that permit by themselves what an invariant forbids.
pub(super) fn direct(
    intent: &Intent,
    invariants: &[Never],
    grants: &[(usize, Grant)],
    sides: &[Side],
    findings: &mut Findings,
) {
    let hosts = intent.hosts.len();
    for (index, grant) in grants {
        let (Some(from), Some(to)) = (sides.get(grant.from), sides.get(grant.to)) else {
            continue;
        };
        for never in invariants {
            let breaks = Family::BOTH.into_iter().any(|family| {
                let (from, to) = (from.classes.at(family), to.classes.at(family));
                !never.from.at(family).is_disjoint(from)
                    && !never.to.at(family).is_disjoint(to)
                    && !grant.ports.at(family).is_empty()
                    && meet(
                        &common(never.from.at(family), from),
                        &common(never.to.at(family), to),
                        hosts,
                    )
            });
            if breaks {
                let at = part("flow", *index, &grant.flow, "to");
                let message = format!("it permits what invariant `{}` forbids", never.name);
                findings.error(at, message, "narrow the flow, or the invariant");
            }
        }
    }
}

fn common(a: &Bits, b: &Bits) -> Bits {
    let mut both = a.clone();
    both.keep_common(b);
    both
}

/// Whether one of `from` and another of `to` can meet: two that are not the same, and not both
/// outside.
fn meet(from: &Bits, to: &Bits, hosts: usize) -> bool {
    let has_host = |bits: &Bits| bits.iter().next().is_some_and(|class| class < hosts);
    let is_one = from.count() == 1 && from == to;
    !from.is_empty() && !to.is_empty() && !is_one && (has_host(from) || has_host(to))
}
