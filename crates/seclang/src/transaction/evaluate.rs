//! Rules in the order of their files: what each looks at, and whether it matches.

use std::borrow::Cow;

use super::columns::Made;
use super::store::Kept;
use super::targets::Look;
use super::{Hit, Transaction, ValueId};
use crate::operator::{Groups, Test};
use crate::rules::{Gate, Rule, Step, What};
use crate::settings::EngineMode;
use crate::text::actions::Scope;
use crate::text::targets::Selector;
use crate::variable::Variable;
use crate::verdict::{Action, Interruption};

/// The rule that runs next after a match; zero: the one that follows.
fn goes_on_at(head: &Rule, own: u32, all: &[Step]) -> u32 {
    let marker = head.skip_to.unwrap_or_default();
    if head.skip == 0 {
        return marker;
    }
    // Rules are counted in the file, not among those that were kept.
    let follows = all.partition_point(|step| step.first <= own);
    let to = all.get(follows + head.skip as usize);
    marker.max(to.map_or(u32::MAX, |step| step.first))
}

impl<'r> Transaction<'r> {
    /// Runs the rules of a phase.
    pub(super) fn phase(&mut self, phase: u8) {
        if self.is_over(phase) {
            return;
        }
        let rules = self.rules;
        let of = |orders: &'r [Vec<Step>; 5]| {
            orders
                .get(usize::from(phase) - 1)
                .map_or(&[][..], Vec::as_slice)
        };
        let (all, folded) = (of(&rules.phases), of(&rules.folded));
        // What was folded holds when phase 1 has run from its beginning.
        self.state.unfolded |= phase > 1 && !self.state.begun;
        self.state.begun = true;
        // The place in the order; the rule to go on at, where that is another.
        let (mut at, mut from) = (0_usize, 0_u32);
        let mut is_folded = !self.state.unfolded;
        let mut order = if is_folded { folded } else { all };
        loop {
            if is_folded && self.state.unfolded {
                // Rules between the last step and the next were left out, and are not any more.
                let last = at.checked_sub(1).and_then(|last| order.get(last));
                let begin = last.map_or(0, |step| step.last + 1);
                (is_folded, order) = (false, all);
                at = all.partition_point(|step| step.first < begin);
            }
            if from > 0 {
                at = at.max(order.partition_point(|step| step.first < from));
                from = 0;
            }
            let Some(step) = order.get(at) else {
                return;
            };
            at += 1;
            let gate = match &step.what {
                What::Ask(gate) => *gate,
                What::Set(sets) => {
                    for (slot, kept) in sets {
                        self.store.set_slot(*slot, kept.as_ref().map(Kept::lent));
                    }
                    continue;
                }
            };
            let next = step.first;
            if self.state.removed.get(next as usize) == Some(&true) {
                continue;
            }
            let may_run = self.may_run(gate);
            let Some(head) = rules.rule(next).filter(|_| may_run || self.exhausted) else {
                continue;
            };
            let whole = may_run && self.chain(head, next);
            if self.exhausted {
                return self.end(Interruption {
                    rule: 0,
                    place: None,
                    phase,
                    status: 403,
                    action: Action::Deny,
                });
            }
            if !whole {
                continue;
            }
            self.matched(head, phase);
            from = goes_on_at(head, next, all);
            if self.is_over(phase) {
                return;
            }
        }
    }

    /// Whether no rule of the phase runs any more.
    fn is_over(&self, phase: u8) -> bool {
        let ended = self.interruption.is_some() && phase != 5;
        ended || self.exhausted || self.is_allowed(phase) || self.state.engine == EngineMode::Off
    }

    fn is_allowed(&self, phase: u8) -> bool {
        match self.state.allowed {
            None => false,
            Some((Scope::Phase, of)) => of == phase,
            Some((Scope::Request, _)) => phase <= 2,
            Some((Scope::Everything, _)) => phase != 5,
        }
    }

    /// Whether a rule and every link of its chain match.
    fn chain(&mut self, head: &'r Rule, at: u32) -> bool {
        self.links.hits.clear();
        self.links.raised.clear();
        self.links.first.clear();
        if !self.link(head, at) {
            return false;
        }
        if head.link.is_some() && head.log {
            self.links.first.clone_from(&self.links.hits);
        }
        let rules = self.rules;
        rules.chain(head).skip(1).all(|rule| self.link(rule, at))
    }

    fn link(&mut self, rule: &'r Rule, head: u32) -> bool {
        self.current = Some(rule);
        std::mem::swap(&mut self.links.before, &mut self.links.hits);
        self.links.hits.clear();
        let Some(operator) = &rule.operator else {
            self.on_hit(rule);
            self.on_link(rule);
            return true;
        };
        let (argument, number) = match &operator.test {
            Test::Compare(_, template, constant) => {
                let number = constant.unwrap_or_else(|| self.number(template));
                (Cow::Borrowed(&[][..]), number)
            }
            Test::Text(_, template) => (self.expanded(template), 0),
            _ => (Cow::Borrowed(&[][..]), 0),
        };
        let taken = self.taken(head);
        for target in &rule.targets {
            let of_target = taken
                .iter()
                .filter(|(variable, _)| *variable == target.variable);
            let removed: Vec<&Selector> = of_target.map(|(_, selector)| selector).collect();
            let look = Look {
                rule,
                operator,
                target,
                argument: &argument,
                number,
                removed: &removed,
            };
            if self.may_match(&look) {
                self.target(&look);
            }
        }
        if self.links.hits.is_empty() {
            return false;
        }
        self.on_link(rule);
        true
    }

    /// Targets that `ctl:` has taken from a rule.
    fn taken(&self, head: u32) -> Vec<(Variable, Selector)> {
        let removed = self.state.removed_targets.iter();
        let of_rule = removed.filter(|(rules, _)| rules.binary_search(&head).is_ok());
        of_rule
            .flat_map(|(_, targets)| targets.iter().cloned())
            .collect()
    }

    /// Whether a value of the target can match: false where none can, whatever they are.
    fn may_match(&mut self, look: &Look<'_, 'r>) -> bool {
        let (Some(bit), columns) = (look.rule.bit, &look.target.columns) else {
            return true;
        };
        if columns.is_empty() {
            return true;
        }
        let mut made = Made {
            store: &self.store,
            values: &mut self.values,
            rules: self.rules,
        };
        let mut columns = columns.iter();
        columns.any(|column| self.columns.may_match(*column, bit, &mut made))
    }

    /// Whether a rule can match at all: false where none of its targets can.
    fn may_run(&mut self, gate: Option<Gate>) -> bool {
        // SECURITY: what was not looked at must not decide; the phase ends.
        self.exhausted |= self.is_spent();
        let (Some(gate), false) = (gate, self.exhausted) else {
            return !self.exhausted;
        };
        let mut made = Made {
            store: &self.store,
            values: &mut self.values,
            rules: self.rules,
        };
        self.columns
            .group_may_match(gate.group, gate.bit, &mut made)
    }

    fn is_spent(&self) -> bool {
        self.values.spent_bytes > self.budget_bytes || self.values.are_too_many()
    }

    /// Tests a value as it came: after its transformations, or after each of them.
    pub(super) fn value(&mut self, look: &Look<'_, 'r>, name: ValueId, value: ValueId) {
        // SECURITY: what was not looked at must not decide; the phase ends.
        self.exhausted |= self.is_spent();
        if self.exhausted {
            return;
        }
        if look.rule.multi_match {
            let mut last = None;
            self.tested(look, name, value, &mut last);
            for node in self.rules.trie.path(look.rule.node) {
                let next = self.values.transformed(value, *node, self.rules);
                self.tested(look, name, next, &mut last);
            }
            return;
        }
        let value = self.values.transformed(value, look.rule.node, self.rules);
        self.tested(look, name, value, &mut None);
    }

    fn tested(
        &mut self,
        look: &Look<'_, 'r>,
        name: ValueId,
        value: ValueId,
        last: &mut Option<ValueId>,
    ) {
        if last.replace(value) == Some(value) {
            return;
        }
        if !self.values.is_candidate(value, look.rule, self.rules) {
            if look.operator.negated {
                self.hit(look, name, value, None);
            }
            return;
        }
        self.values.spend(self.values.len(value));
        let text = self.values.get(value);
        // What is told of an injection is what finds it: both are asked at once.
        let captured = matches!(look.operator.test, Test::DetectSqli) && look.captures();
        let groups = captured.then(|| look.operator.groups(text));
        let holds = match &look.operator.test {
            Test::DetectSqli if captured => groups.as_ref().is_some_and(|all| !all.is_empty()),
            Test::Compare(compare, ..) => compare(crate::bytes::number(text), look.number),
            _ => look.operator.holds(text, look.argument),
        };
        if holds != look.operator.negated {
            self.hit(look, name, value, groups);
        }
    }

    /// `groups`: what is captured, where it is known already.
    fn hit(&mut self, look: &Look<'_, 'r>, name: ValueId, value: ValueId, groups: Option<Groups>) {
        let hit = Hit {
            variable: look.target.variable,
            count: look.target.count,
            name,
            value,
        };
        self.links.hits.push(hit);
        self.last = Some(hit);
        if look.captures() {
            let groups = groups.unwrap_or_else(|| look.operator.groups(self.values.get(value)));
            self.capture(groups);
        }
        self.on_hit(look.rule);
    }
}
