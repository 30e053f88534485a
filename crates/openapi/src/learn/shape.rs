//! The shape of JSON values and of texts, merged from many.

use std::collections::BTreeMap;

use super::texts::Texts;
use super::{Budget, Limits};
use crate::number::Decimal;
use crate::schema::Types;
use crate::tree::{Kind, Tree};

// LIMIT: bytes of a name that is remembered.
pub(super) const NAME_BYTES: usize = 128;

/// What values of one place look like.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) null: u64,
    pub(super) boolean: u64,
    pub(super) integer: u64,
    /// Numbers with a fraction.
    pub(super) number: u64,
    pub(super) range: Option<(Decimal, Decimal)>,
    pub(super) texts: Texts,
    pub(super) array: u64,
    pub(super) items: Option<Box<Self>>,
    pub(super) object: u64,
    pub(super) properties: BTreeMap<String, (u64, Self)>,
    /// Something of it was not remembered: nothing is said to be all.
    pub(super) open: bool,
}

impl Shape {
    /// Learns a value.
    pub(super) fn add(&mut self, tree: &Tree<'_>, at: u32, place: &str, budget: &mut Budget<'_>) {
        match tree.kind(at) {
            Kind::Null => self.null += 1,
            Kind::False | Kind::True => self.boolean += 1,
            Kind::Number => self.count_number(tree.text(at)),
            Kind::String => self.texts.add(tree.text(at), place, budget),
            Kind::Array => {
                self.array += 1;
                for item in tree.items(at) {
                    if self.items.is_none() {
                        if !budget.shape() {
                            self.open = true;
                            return;
                        }
                        self.items = Some(Box::default());
                    }
                    if let Some(items) = &mut self.items {
                        items.add(tree, item, place, budget);
                    }
                }
            }
            Kind::Object => {
                self.object += 1;
                for (key, value) in tree.members(at) {
                    if let Some(inner) = self.property(tree.text(key), budget) {
                        inner.add(tree, value, tree.text(key), budget);
                    }
                }
            }
        }
    }

    /// The shape of a property, counted once more; `None` past a limit.
    pub(super) fn property(&mut self, name: &str, budget: &mut Budget<'_>) -> Option<&mut Self> {
        if !self.properties.contains_key(name) {
            if self.properties.len() >= budget.limits.names || name.len() > NAME_BYTES {
                budget.dropped.names = budget.dropped.names.saturating_add(1);
                self.open = true;
                return None;
            }
            if !budget.shape() {
                self.open = true;
                return None;
            }
        }
        let (count, shape) = self.properties.entry(name.to_owned()).or_default();
        *count += 1;
        Some(shape)
    }

    fn count_number(&mut self, text: &str) {
        let Some(value) = Decimal::parse(text) else {
            return;
        };
        if value.is_integer() {
            self.integer += 1;
        } else {
            self.number += 1;
        }
        self.range = Some(match self.range.take() {
            Some((low, high)) => (low.min(value.clone()), high.max(value)),
            None => (value.clone(), value),
        });
    }

    /// Learns a text that may stand for a number or a boolean, as those of parameters.
    pub(super) fn add_text(&mut self, text: &str, place: &str, budget: &Budget<'_>) {
        match text {
            "true" | "false" => self.boolean += 1,
            _ if Decimal::parse(text).is_some() => self.count_number(text),
            _ => {}
        }
        // All of them as texts too: where they differ, text is what they have in common.
        self.texts.add(text, place, budget);
    }

    pub(super) fn merge(&mut self, other: Self, limits: &Limits) {
        self.null += other.null;
        self.boolean += other.boolean;
        self.integer += other.integer;
        self.number += other.number;
        self.range = match (self.range.take(), other.range) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (own, other) => own.or(other),
        };
        self.texts.merge(other.texts, limits);
        self.array += other.array;
        match (&mut self.items, other.items) {
            (Some(own), Some(more)) => own.merge(*more, limits),
            (own @ None, more) => *own = more,
            (Some(_), None) => {}
        }
        self.object += other.object;
        for (name, (count, shape)) in other.properties {
            let (own, mine) = self.properties.entry(name).or_default();
            *own += count;
            mine.merge(shape, limits);
        }
        self.open |= other.open;
    }

    /// The types that were seen.
    pub(super) fn types(&self) -> Types {
        let all = [
            (self.null, Types::NULL),
            (self.boolean, Types::BOOLEAN),
            (self.integer, Types::INTEGER),
            (self.number, Types::NUMBER),
            (self.texts.count, Types::STRING),
            (self.array, Types::ARRAY),
            (self.object, Types::OBJECT),
        ];
        let seen = all.iter().filter(|(count, _)| *count > 0);
        seen.fold(Types::NONE, |types, (_, one)| types.or(*one))
    }
}
