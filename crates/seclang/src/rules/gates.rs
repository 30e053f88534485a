//! Rules that cannot match, found when rules are loaded.
//!
//! Sets of rules switch parts of themselves off by TX variables that only they set: `SecRule
//! TX:LEVEL "@lt 2" "…,skipAfter:END"`. What such a variable is when a rule runs is often known
//! beforehand. This follows the rules through their phases with what is known, and leaves out those
//! that never match, and those that are always passed over.
//!
//! INVARIANT: it holds for every request as long as no rule and no target is removed while rules
//! run; a transaction that removes one goes on with all rules.

use super::{Control, Rule, Ruleset};
use crate::bytes::number;
use crate::template::{Piece, Slot, Template};
use crate::text::actions::{Disruptive, KeptName, Set, SetVar};
use crate::text::ctl::Ctl;
use crate::text::targets::Selector;
use crate::variable::Variable;

/// What is known about a TX variable.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    Unset,
    Value(Vec<u8>),
    Unknown,
}

/// What is known about all of them.
#[derive(Clone, Debug)]
struct State(Vec<Known>);

/// Whether a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Always,
    Never,
    Unknown,
}

/// The rules of each phase that may match.
pub(super) fn folded(rules: &Ruleset) -> [Vec<u32>; 5] {
    let mut start = State(vec![Known::Unset; rules.names.len()]);
    let mut folded: [Vec<u32>; 5] = Default::default();
    for (phase, (order, kept)) in rules.phases.iter().zip(&mut folded).enumerate() {
        let mut walk = Walk {
            rules,
            state: start.clone(),
            exits: None,
        };
        *kept = walk.phase(order);
        // A later phase may come without the ones before it, or after one that ended early.
        let end = walk.state;
        start = if phase == 0 { end } else { start.join(end) };
        if let Some(exits) = walk.exits {
            start = start.join(exits);
        }
    }
    folded
}

impl State {
    fn get(&self, slot: Slot) -> &Known {
        self.0.get(slot.index()).unwrap_or(&Known::Unknown)
    }

    fn set(&mut self, slot: Slot, known: Known) {
        if let Some(place) = self.0.get_mut(slot.index()) {
            *place = known;
        }
    }

    /// What is known whichever of both it is.
    fn join(mut self, other: Self) -> Self {
        for (known, other) in self.0.iter_mut().zip(other.0) {
            if *known != other {
                *known = Known::Unknown;
            }
        }
        self
    }

    /// The text of a template, when it is known.
    fn text(&self, template: &Template) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for piece in &template.pieces {
            match piece {
                Piece::Text(plain) => text.extend_from_slice(plain),
                Piece::Tx(slot) => match self.get(*slot) {
                    Known::Unset => {}
                    Known::Value(value) => text.extend_from_slice(value),
                    Known::Unknown => return None,
                },
                Piece::Variable(..) => return None,
            }
        }
        Some(text)
    }
}

struct Walk<'r> {
    rules: &'r Ruleset,
    state: State,
    /// What is known where the phase may have ended.
    exits: Option<State>,
}

impl Walk<'_> {
    fn phase(&mut self, order: &[u32]) -> Vec<u32> {
        let mut kept = Vec::new();
        // Rules before these indices are always, or maybe, passed over.
        let (mut always, mut maybe) = (0, 0);
        for (position, at) in order.iter().enumerate() {
            let Some(head) = self.rules.rule(*at).filter(|_| *at >= always) else {
                continue;
            };
            let first = self.link(head);
            if first == Answer::Never {
                continue;
            }
            kept.push(*at);
            let runs = if *at < maybe {
                Answer::Unknown
            } else {
                Answer::Always
            };
            let whole = self.chain(head, runs);
            self.exit(head, whole);
            if whole == Answer::Never {
                continue;
            }
            let by_count = order
                .get(position + 1 + head.skip as usize)
                .copied()
                .unwrap_or(u32::MAX);
            let by_count = (head.skip > 0).then_some(by_count);
            let to = head
                .skip_to
                .into_iter()
                .chain(by_count)
                .max()
                .unwrap_or_default();
            match whole {
                Answer::Always => always = always.max(head.skip_to.unwrap_or_default()),
                _ => maybe = maybe.max(to),
            }
            if let Some(by_count) = by_count {
                maybe = maybe.max(by_count);
            }
        }
        kept
    }

    /// Follows a chain, and what its links set, as far as they match.
    fn chain(&mut self, head: &Rule, runs: Answer) -> Answer {
        let rules = self.rules;
        let mut so_far = runs;
        for link in rules.chain(head) {
            match (self.link(link), so_far) {
                (Answer::Never, _) => return Answer::Never,
                (Answer::Always, Answer::Always) => {}
                _ => so_far = Answer::Unknown,
            }
            self.sets(link, so_far);
        }
        so_far
    }

    /// Whether one link matches.
    fn link(&self, rule: &Rule) -> Answer {
        let Some(operator) = &rule.operator else {
            return Answer::Always;
        };
        let argument = match operator.template() {
            None => return Answer::Unknown,
            Some(template) => match self.state.text(template) {
                Some(text) => text,
                None => return Answer::Unknown,
            },
        };
        let mut any = Answer::Never;
        for target in &rule.targets {
            let Selector::Slot(slot) = target.selector else {
                return Answer::Unknown;
            };
            let known = self.state.get(slot);
            if target.variable != Variable::Tx || *known == Known::Unknown || rule.node.index() != 0
            {
                return Answer::Unknown;
            }
            let value = match (target.count, known) {
                (true, Known::Unset) => b"0".to_vec(),
                (true, _) => b"1".to_vec(),
                (false, Known::Value(value)) => value.clone(),
                (false, _) => continue,
            };
            if operator.holds(&value, &argument) != operator.negated {
                any = Answer::Always;
            }
        }
        any
    }

    fn sets(&mut self, rule: &Rule, runs: Answer) {
        if rule.capture {
            for slot in 0..10 {
                self.state.set(Slot(slot), Known::Unknown);
            }
        }
        // A rule with several values acts for each of them.
        let once = rule.operator.is_none() || rule.targets.len() == 1;
        for set in &rule.sets {
            let new = match runs {
                Answer::Always if once => self.value(set),
                _ => Known::Unknown,
            };
            match &set.name {
                KeptName::Slot(slot) => self.state.set(*slot, new),
                KeptName::Named(Variable::Tx, name) => self.forget(name),
                KeptName::Named(..) => {}
            }
        }
    }

    fn value(&self, set: &SetVar) -> Known {
        let KeptName::Slot(slot) = &set.name else {
            return Known::Unknown;
        };
        let (Set::To(template) | Set::Add(template) | Set::Subtract(template)) = &set.set else {
            return Known::Unset;
        };
        let Some(text) = self.state.text(template) else {
            return Known::Unknown;
        };
        let old = match self.state.get(*slot) {
            Known::Unset => 0,
            Known::Value(value) => number(value),
            Known::Unknown if matches!(set.set, Set::To(_)) => 0,
            Known::Unknown => return Known::Unknown,
        };
        let sum = match &set.set {
            Set::Add(_) => old.saturating_add(number(&text)),
            Set::Subtract(_) => old.saturating_sub(number(&text)),
            _ => return Known::Value(text),
        };
        Known::Value(sum.to_string().into_bytes())
    }

    /// Variables that a name made while rules run may mean.
    fn forget(&mut self, name: &Template) {
        let prefix = match name.pieces.first() {
            Some(Piece::Text(text)) => text.to_ascii_lowercase(),
            _ => Vec::new(),
        };
        for (at, known) in (0_u32..).zip(self.state.0.iter_mut()) {
            if self.rules.names.name(Slot(at)).starts_with(&prefix) {
                *known = Known::Unknown;
            }
        }
    }

    /// Where a phase may end, what is known there is all that is known later.
    fn exit(&mut self, head: &Rule, whole: Answer) {
        let ends = head.disruptive != Disruptive::Pass && whole != Answer::Never;
        let switches = self.rules.chain(head).flat_map(|link| &link.controls);
        let mut switches =
            switches.filter(|control| matches!(control, Control::Other(Ctl::Engine(_))));
        if ends || switches.next().is_some() {
            let exits = self.exits.take();
            self.exits = Some(match exits {
                Some(exits) => exits.join(self.state.clone()),
                None => self.state.clone(),
            });
        }
    }
}
