//! What a target of a rule means: the values of its variable, and which of them are looked at.

use super::store::Kept;
use super::{Transaction, ValueId};
use crate::bytes::Digits;
use crate::operator::{Operator, Test};
use crate::rules::{Part, Rule, Target};
use crate::text::targets::Selector;
use crate::variable::{Source, Variable};

/// What one link looks at.
pub(super) struct Look<'l, 'r> {
    pub(super) rule: &'r Rule,
    pub(super) operator: &'l Operator,
    pub(super) target: &'l Target,
    /// The operator's argument, expanded; empty for comparisons of numbers.
    pub(super) argument: &'l [u8],
    /// Their argument.
    pub(super) number: i64,
    /// What `ctl:` has taken away.
    pub(super) removed: &'l [&'l Selector],
}

impl Look<'_, '_> {
    fn takes(&self, name: &[u8]) -> bool {
        self.target.takes(name) && !self.is_removed(name)
    }

    /// Whether what an operator finds is kept in `TX.0` to `TX.9`.
    pub(super) fn captures(&self) -> bool {
        self.rule.capture && !self.operator.negated
    }

    fn is_removed(&self, name: &[u8]) -> bool {
        let mut removed = self.removed.iter();
        removed.any(|selector| selector.takes(name))
    }
}

impl<'r> Transaction<'r> {
    pub(super) fn target(&mut self, look: &Look<'_, 'r>) {
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
                if !plain {
                    self.values.spend(self.values.len(entry.name));
                    if !look.takes(self.values.get(entry.name)) {
                        continue;
                    }
                }
                count += 1;
                if !look.target.count {
                    let value = match part {
                        Part::Value => entry.value,
                        Part::Name => entry.name,
                    };
                    if self.values.is_marked(value, unmatched) {
                        self.values.spend(0);
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
        let (mut found, mut count) = (Vec::new(), 0);
        let of_slots = self.store.all(variable, &look.target.slots, names);
        for (name, kept) in of_slots {
            // Those with slots are known to be meant.
            let has_slot = variable == Variable::Tx && names.find(name).is_some();
            if (!has_slot && !look.target.takes(name)) || look.is_removed(name) {
                continue;
            }
            count += 1;
            // What is only counted is not copied.
            if !look.target.count {
                let value = match kept {
                    Kept::Number(number) => self.values.push(Digits::of(*number).as_bytes()),
                    Kept::Bytes(bytes) => self.values.push(bytes),
                };
                found.push((self.values.push(name), value));
            }
        }
        if look.target.count {
            return self.count(look, count);
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
}
