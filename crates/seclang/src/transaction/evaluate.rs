//! Rules in the order of their files: what each looks at, and whether it matches.

use std::borrow::Cow;

use super::columns::Made;
use super::store::Kept;
use super::{Hit, Transaction, ValueId};
use crate::bytes::Digits;
use crate::operator::{Groups, Operator, Test};
use crate::rules::{Gate, Part, Rule, Step, Target, What};
use crate::settings::EngineMode;
use crate::text::actions::Scope;
use crate::text::targets::Selector;
use crate::variable::{Source, Variable};
use crate::verdict::{Action, Interruption};

/// What one link looks at.
struct Look<'l, 'r> {
    rule: &'r Rule,
    operator: &'l Operator,
    target: &'l Target,
    /// The operator's argument, expanded; empty for comparisons of numbers.
    argument: &'l [u8],
    /// Their argument.
    number: i64,
    /// What `ctl:` has taken away.
    removed: &'l [&'l Selector],
}

impl Look<'_, '_> {
    fn takes(&self, name: &[u8]) -> bool {
        self.target.takes(name) && !self.is_removed(name)
    }

    /// Whether what an operator finds is kept in `TX.0` to `TX.9`.
    fn captures(&self) -> bool {
        self.rule.capture && !self.operator.negated
    }

    fn is_removed(&self, name: &[u8]) -> bool {
        let mut removed = self.removed.iter();
        removed.any(|selector| selector.takes(name))
    }
}

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

    fn target(&mut self, look: &Look<'_, 'r>) {
        // An exclusion without a name is of the whole variable.
        if look
            .removed
            .iter()
            .any(|selector| matches!(selector, Selector::All))
        {
            return;
        }
        match look.target.variable.source() {
            Source::List => self.list(look, &[look.target.variable], Part::Value),
            Source::Lists(a, b) => self.list(look, &[a, b], Part::Value),
            Source::Names(a) => self.list(look, &[a], Part::Name),
            Source::NamesOf(a, b) => self.list(look, &[a, b], Part::Name),
            Source::Scalar => self.scalar(look),
            Source::Kept => self.kept(look),
            Source::Matched => self.previous(look),
            Source::OfRule => self.of_rule(look),
        }
    }

    fn list(&mut self, look: &Look<'_, 'r>, lists: &[Variable], part: Part) {
        let mut count = 0;
        // Long lists repeat themselves; what has not matched does not match when it comes again.
        let unmatched = self.values.new_mark();
        for list in lists {
            for at in 0..self.store.list(*list).len() {
                let Some(entry) = self.store.list(*list).get(at).copied() else {
                    break;
                };
                let plain = matches!(look.target.selector, Selector::All)
                    && look.target.exclude.is_empty()
                    && look.removed.is_empty();
                if !plain && !look.takes(self.values.get(entry.name)) {
                    continue;
                }
                count += 1;
                if !look.target.count {
                    let value = match part {
                        Part::Value => entry.value,
                        Part::Name => entry.name,
                    };
                    if self.values.is_marked(value, unmatched) {
                        continue;
                    }
                    let before = self.links.hits.len();
                    self.value(look, entry.name, value);
                    if self.links.hits.len() == before {
                        self.values.mark(value, unmatched);
                    }
                }
            }
        }
        self.count(look, count);
    }

    fn scalar(&mut self, look: &Look<'_, 'r>) {
        let entry = self.store.list(look.target.variable).first().copied();
        if let Some(entry) = entry.filter(|_| !look.target.count) {
            self.value(look, ValueId::EMPTY, entry.value);
        }
        self.count(look, usize::from(entry.is_some()));
    }

    /// For `&`: tests how many there are.
    fn count(&mut self, look: &Look<'_, 'r>, count: usize) {
        if look.target.count && self.counts(look, count) {
            let name = match &look.target.selector {
                Selector::Name(name) => self.values.push(name),
                Selector::Slot(slot) => self.values.push(self.rules.names.name(*slot)),
                _ => ValueId::EMPTY,
            };
            let number = i64::try_from(count).unwrap_or(i64::MAX);
            let value = self.values.push(Digits::of(number).as_bytes());
            self.value(look, name, value);
        }
    }

    /// Whether a count is worth a closer look.
    fn counts(&self, look: &Look<'_, 'r>, count: usize) -> bool {
        let number = i64::try_from(count).unwrap_or(i64::MAX);
        self.compares(look, &Kept::Number(number))
    }

    fn kept(&mut self, look: &Look<'_, 'r>) {
        let names = &self.rules.names;
        let variable = look.target.variable;
        if let Selector::Slot(slot) = look.target.selector {
            let removes = |selector: &&Selector| match selector {
                Selector::Slot(removed) => *removed == slot,
                other => other.takes(names.name(slot)),
            };
            if look.removed.iter().any(removes) {
                return;
            }
            let kept = self.store.slot(slot);
            if look.target.count {
                let count = usize::from(kept.is_some());
                return self.count(look, count);
            }
            let Some(kept) = kept else {
                return;
            };
            if !self.compares(look, kept) {
                return;
            }
            let name = self.values.push(names.name(slot));
            let value = match kept {
                Kept::Number(number) => self.values.push(Digits::of(*number).as_bytes()),
                Kept::Bytes(bytes) => self.values.push(bytes),
            };
            return self.value(look, name, value);
        }
        let mut found = Vec::new();
        let of_slots = self.store.all(variable, &look.target.slots, names);
        for (name, kept) in of_slots {
            // Those with slots are known to be meant.
            let has_slot = variable == Variable::Tx && names.find(name).is_some();
            if (has_slot || look.target.takes(name)) && !look.is_removed(name) {
                let value = match kept {
                    Kept::Number(number) => self.values.push(Digits::of(*number).as_bytes()),
                    Kept::Bytes(bytes) => self.values.push(bytes),
                };
                found.push((self.values.push(name), value));
            }
        }
        if look.target.count {
            return self.count(look, found.len());
        }
        for (name, value) in found {
            self.value(look, name, value);
        }
    }

    /// Whether a number is worth a closer look: comparisons of numbers need no text.
    fn compares(&self, look: &Look<'_, 'r>, kept: &Kept<'_>) -> bool {
        match (&look.operator.test, look.rule.node.index()) {
            (Test::Compare(compare, ..), 0) => {
                let holds = compare(kept.number(), look.number);
                holds != look.operator.negated
            }
            _ => true,
        }
    }

    /// What the link before has matched.
    fn previous(&mut self, look: &Look<'_, 'r>) {
        let hits = match look.target.variable {
            Variable::MatchedVar | Variable::MatchedVarName => self.last.into_iter().collect(),
            Variable::MatchedVars | Variable::MatchedVarsNames => self.links.before.clone(),
            _ => {
                let severity = self.state.highest_severity.unwrap_or(u8::MAX);
                let value = self.values.push(severity.to_string().as_bytes());
                return self.value(look, ValueId::EMPTY, value);
            }
        };
        let mut count = 0;
        for hit in hits {
            let name = self.hit_name(&hit);
            if !look.takes(&name) {
                continue;
            }
            count += 1;
            if look.target.count {
                continue;
            }
            let name = self.values.push(&name);
            let value = match look.target.variable {
                Variable::MatchedVarName | Variable::MatchedVarsNames => name,
                _ => hit.value,
            };
            let is_list = look.target.variable.takes_selector();
            self.value(look, if is_list { name } else { ValueId::EMPTY }, value);
        }
        self.count(look, count);
    }

    fn of_rule(&mut self, look: &Look<'_, 'r>) {
        let Selector::Name(name) = &look.target.selector else {
            return;
        };
        let mut text = Vec::new();
        self.rule_says(name, &mut text);
        let name = self.values.push(name);
        let value = self.values.push(&text);
        self.value(look, name, value);
    }

    /// Tests a value as it came: after its transformations, or after each of them.
    fn value(&mut self, look: &Look<'_, 'r>, name: ValueId, value: ValueId) {
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
