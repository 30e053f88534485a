//! Arrays: items by place, items that must be there, items that must differ.

use super::check::{Check, Mode, Tail};
use super::scalar::{number_steps, text_steps};
use super::seen::Seen;
use super::{Id, Rules};
use crate::Keyword;
use crate::number::Decimal;
use crate::tree::Kind;

/// Rules of arrays.
#[derive(Debug, Default)]
pub(crate) struct ArrayRules {
    pub(super) prefix: Box<[Id]>,
    pub(crate) items: Option<Id>,
    pub(super) contains: Option<Id>,
    pub(super) contains_min: Option<u64>,
    pub(super) contains_max: Option<u64>,
    pub(super) max: Option<u64>,
    pub(super) min: Option<u64>,
    pub(super) unique: bool,
}

impl<'c> Check<'c> {
    pub(super) fn array(
        &mut self,
        rules: &'c Rules,
        array: &'c ArrayRules,
        at: u32,
        mut seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let tree = self.tree;
        let count = tree.count(at);
        let mut held = true;
        if let Some(max) = array.max.filter(|max| u64::from(count) > *max) {
            held = self.fail(mode, rules, Keyword::MaxItems, || {
                format!("it must have at most {max} items")
            });
        }
        if let Some(min) = array.min.filter(|min| u64::from(count) < *min) {
            held = self.fail(mode, rules, Keyword::MinItems, || {
                format!("it must have at least {min} items")
            });
        }
        if !held && mode == Mode::Quiet {
            return false;
        }
        if !array.prefix.is_empty() || array.items.is_some() {
            for (index, item) in (0u32..).zip(tree.items(at)) {
                let Some(schema) = array.prefix.get(index as usize).copied().or(array.items) else {
                    break;
                };
                held &= self.child(schema, item, Tail::Index(index), mode);
                if !held && (mode == Mode::Quiet || self.stops()) {
                    return false;
                }
            }
            if let Some(seen) = seen.as_deref_mut() {
                if array.items.is_some() {
                    seen.add_all();
                } else {
                    seen.add_first(u32::try_from(array.prefix.len()).unwrap_or(u32::MAX));
                }
            }
        }
        if let Some(contains) = array.contains {
            held &= self.contains(rules, array, contains, at, seen, mode);
        }
        if array.unique && (held || mode == Mode::Loud) && !self.unique(at) {
            held = self.fail(mode, rules, Keyword::UniqueItems, || {
                "it must not hold the same item twice".to_owned()
            });
        }
        held
    }

    fn contains(
        &mut self,
        rules: &'c Rules,
        array: &'c ArrayRules,
        contains: Id,
        at: u32,
        mut seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let mut found = 0u64;
        for (index, item) in (0u32..).zip(self.tree.items(at)) {
            if self.child(contains, item, Tail::Index(index), Mode::Quiet) {
                found += 1;
                if let Some(seen) = seen.as_deref_mut() {
                    seen.add(index);
                }
            }
            if self.stops() {
                return false;
            }
        }
        let min = array.contains_min.unwrap_or(1);
        if found < min {
            return self.fail(mode, rules, Keyword::Contains, || {
                format!("at least {min} of its items must match `contains`; {found} do")
            });
        }
        if let Some(max) = array.contains_max.filter(|max| found > *max) {
            return self.fail(mode, rules, Keyword::Contains, || {
                format!("at most {max} of its items may match `contains`; {found} do")
            });
        }
        true
    }

    /// Whether all items differ.
    fn unique(&mut self, at: u32) -> bool {
        let tree = self.tree;
        let count = tree.count(at);
        if count < 2 {
            return true;
        }
        // Items that hash alike stand together; only they are compared. A client that makes them
        // collide spends its own steps.
        let mut hashed: Vec<(u64, u32)> = Vec::new();
        for item in tree.items(at) {
            if !self.step(tree.weight(item)) {
                return false;
            }
            hashed.push((self.hash(item, 0), item));
        }
        hashed.sort_unstable();
        let mut rest = hashed.as_slice();
        while let Some(((hash, item), after)) = rest.split_first() {
            for (_, other) in after.iter().take_while(|(other, _)| other == hash) {
                if self.equal(*item, *other) || self.stops_steps() {
                    return false;
                }
            }
            rest = after;
        }
        true
    }

    /// A number that equal values share.
    fn hash(&self, at: u32, seed: u64) -> u64 {
        let tree = self.tree;
        let mix =
            |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        let bytes = |text: &str| {
            text.bytes()
                .fold(seed, |hash, byte| mix(hash, u64::from(byte)))
        };
        match tree.kind(at) {
            Kind::Null => mix(seed, 1),
            Kind::False => mix(seed, 2),
            Kind::True => mix(seed, 3),
            Kind::String => mix(bytes(tree.text(at)), 4),
            Kind::Number => {
                let shown = Decimal::parse(tree.text(at)).map(|value| value.to_string());
                mix(bytes(shown.as_deref().unwrap_or_default()), 5)
            }
            Kind::Array => tree
                .items(at)
                .fold(mix(seed, 6), |hash, item| self.hash(item, hash)),
            // The order of members does not count.
            Kind::Object => tree
                .members(at)
                .map(|(key, value)| self.hash(value, self.hash(key, 7)))
                .fold(mix(seed, 8), u64::wrapping_add),
        }
    }

    fn equal(&mut self, a: u32, b: u32) -> bool {
        let tree = self.tree;
        if !self.step(1) || tree.kind(a) != tree.kind(b) {
            return false;
        }
        match tree.kind(a) {
            Kind::Null | Kind::False | Kind::True => true,
            // What hashes alike may be long, and alike for long.
            Kind::String => self.step(text_steps(tree.text(a))) && tree.text(a) == tree.text(b),
            Kind::Number => {
                self.step(number_steps(tree.text(a)))
                    && Decimal::parse(tree.text(a)) == Decimal::parse(tree.text(b))
            }
            Kind::Array => {
                tree.count(a) == tree.count(b)
                    && tree
                        .items(a)
                        .zip(tree.items(b))
                        .all(|(a, b)| self.equal(a, b))
            }
            Kind::Object => {
                tree.count(a) == tree.count(b)
                    && tree.members(a).all(|(key, value)| {
                        let other = tree.member(b, tree.text(key));
                        self.step(tree.count(b))
                            && other.is_some_and(|other| self.equal(value, other))
                    })
            }
        }
    }
}
