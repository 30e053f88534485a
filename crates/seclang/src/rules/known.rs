//! Rules of which is known what they do, found when rules are loaded.
//!
//! Sets of rules switch parts of themselves off by TX variables that only they set: `SecRule
//! TX:LEVEL "@lt 2" "…,skipAfter:END"`; and they begin with dozens of rules that give such variables
//! what nobody else gave them. What a variable is when a rule runs is often known beforehand. This
//! follows the rules through their phases with what is known. It leaves out those that never match,
//! and those that are always passed over; of those that always match and only set variables to what
//! is known, neighbours become one step.
//!
//! INVARIANT: it holds for every request as long as no rule that it relies on is removed while rules
//! run, and no target of one; a transaction that removes one goes on with all rules.

use std::borrow::Cow;

use super::{Control, Rule, Ruleset, Step, What};
use crate::bytes::number;
use crate::template::{Piece, Slot, Template};
use crate::text::actions::{Disruptive, KeptName, Set, SetVar};
use crate::text::ctl::Ctl;
use crate::text::targets::Selector;
use crate::transaction::Kept;
use crate::variable::Variable;

/// LIMIT: bytes of a value that is followed.
const KNOWN_BYTES_MAX: usize = 16 << 10;

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

/// What each phase has to do, and for each head whether that relies on its match.
pub(super) fn fold(rules: &Ruleset) -> ([Vec<Step>; 5], Vec<bool>) {
    let mut start = State(vec![Known::Unset; rules.names.len()]);
    let mut folded: [Vec<Step>; 5] = Default::default();
    let mut relied = vec![false; rules.rules.len()];
    let may_set = !asks_for_the_match_before(rules);
    for (phase, (order, kept)) in rules.phases.iter().zip(&mut folded).enumerate() {
        let mut walk = Walk {
            rules,
            state: start.clone(),
            exits: None,
            relied,
            may_set,
        };
        let order: Vec<u32> = order.iter().map(|step| step.first).collect();
        *kept = walk.phase(&order);
        relied = walk.relied;
        // A later phase may come without the ones before it, or after one that ended early.
        let end = walk.state;
        start = if phase == 0 { end } else { start.join(end) };
        if let Some(exits) = walk.exits {
            start = start.join(exits);
        }
    }
    (folded, relied)
}

/// Whether a rule looks at what a rule before it has matched: then a match is never without effect.
fn asks_for_the_match_before(rules: &Ruleset) -> bool {
    let is_last =
        |variable: Variable| matches!(variable, Variable::MatchedVar | Variable::MatchedVarName);
    let names_last = rules.names.variables().any(is_last);
    let heads = rules.phases.iter().flatten();
    let mut heads = heads.filter_map(|step| rules.rule(step.first));
    heads.any(|head| match &head.operator {
        // What it says itself may name it; of a rule with an operator that is its own match.
        None => names_last && says_more_than_constants(head),
        Some(_) => head.targets.iter().any(|target| is_last(target.variable)),
    })
}

fn says_more_than_constants(rule: &Rule) -> bool {
    let sets = rule.sets.iter().flat_map(|set| {
        let name = match &set.name {
            KeptName::Slot(_) => None,
            KeptName::Named(_, name) => Some(name),
        };
        let to = match &set.set {
            Set::To(to) | Set::Add(to) | Set::Subtract(to) => Some(to),
            Set::Unset => None,
        };
        name.into_iter().chain(to)
    });
    let said = rule.message.iter().chain(&rule.logdata).chain(&rule.tags);
    let keys = rule.collections.iter().map(|(_, key)| key);
    let is_variable = |piece: &Piece| matches!(piece, Piece::Variable(..));
    let mut all = sets.chain(said).chain(keys);
    all.any(|template| template.pieces.iter().any(is_variable))
        || matches!(&rule.disruptive, Disruptive::Redirect(to) if to.pieces.iter().any(is_variable))
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

/// What variables are set to.
type Sets = Vec<(Slot, Option<Kept<'static>>)>;

/// Adds a rule that only sets variables to the steps of a phase.
fn add(kept: &mut Vec<Step>, at: u32, sets: Sets) {
    let (first, mut all) = match kept.pop_if(|step| matches!(step.what, What::Set(_))) {
        Some(Step {
            first,
            what: What::Set(before),
            ..
        }) => (first, before.into_vec()),
        _ => (at, Vec::new()),
    };
    for (slot, to) in sets {
        all.retain(|(known, _)| *known != slot);
        all.push((slot, to));
    }
    kept.push(Step {
        first,
        last: at,
        what: What::Set(all.into()),
    });
}

struct Walk<'r> {
    rules: &'r Ruleset,
    state: State,
    /// What is known where the phase may have ended.
    exits: Option<State>,
    /// For each head whether what is known relies on its match.
    relied: Vec<bool>,
    /// Whether rules may become steps that only set.
    may_set: bool,
}

impl Walk<'_> {
    fn phase(&mut self, order: &[u32]) -> Vec<Step> {
        let mut kept: Vec<Step> = Vec::new();
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
            let runs = if *at < maybe {
                Answer::Unknown
            } else {
                Answer::Always
            };
            if (first, runs) == (Answer::Always, Answer::Always)
                && let Some(relied) = self.relied.get_mut(*at as usize)
            {
                *relied = true;
            }
            let whole = self.chain(head, runs);
            match self.only_sets(head, whole) {
                Some(sets) => add(&mut kept, *at, sets),
                None => kept.push(Step::ask(*at)),
            }
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

    /// What a rule that always matches has set, when that is all that it does.
    fn only_sets(&self, head: &Rule, whole: Answer) -> Option<Sets> {
        let is_plain = matches!(head.disruptive, Disruptive::Pass | Disruptive::Block)
            && !head.log
            && head.severity.is_none()
            && head.link.is_none()
            && head.skip == 0
            && !head.capture
            && head.controls.is_empty()
            && head.collections.is_empty();
        if whole != Answer::Always || !is_plain || !self.may_set {
            return None;
        }
        let slot = |set: &SetVar| match &set.name {
            KeptName::Slot(slot) => Some(*slot),
            KeptName::Named(..) => None,
        };
        let kept = |slot: Slot| match self.state.get(slot) {
            Known::Unset => Some((slot, None)),
            Known::Value(text) => Some((slot, Some(Kept::from_bytes(Cow::Owned(text.clone()))))),
            Known::Unknown => None,
        };
        head.sets.iter().map(|set| kept(slot(set)?)).collect()
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
        let text = self.state.text(template);
        let Some(text) = text.filter(|text| text.len() <= KNOWN_BYTES_MAX) else {
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
