//! Objects: each member is met once, and everything that concerns it is applied there.

use super::check::{Check, Direction, Mode, Tail};
use super::names::Names;
use super::pattern::Pattern;
use super::scalar::text_steps;
use super::seen::Seen;
use super::{Id, Rules};
use crate::Keyword;

/// Rules of objects.
#[derive(Debug, Default)]
pub(crate) struct ObjectRules {
    /// Every name that is declared or required, as a place in `properties`.
    pub(crate) names: Names,
    pub(crate) properties: Box<[Property]>,
    pub(super) patterns: Box<[(Pattern, Id)]>,
    pub(crate) additional: Option<Id>,
    pub(super) property_names: Option<Id>,
    pub(super) max: Option<u64>,
    pub(super) min: Option<u64>,
    pub(super) dependent_required: Box<[Dependent]>,
    pub(super) dependent_schemas: Box<[(Box<str>, Id)]>,
}

/// A name, and the names that must be there with it.
pub(super) type Dependent = (Box<str>, Box<[Box<str>]>);

/// A name that is declared or required.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: Box<str>,
    pub(crate) schema: Option<Id>,
    pub(crate) required: bool,
    /// Only responses carry it.
    pub(super) read_only: bool,
    /// Only requests carry it.
    pub(super) write_only: bool,
}

impl Property {
    fn is_barred(&self, direction: Direction) -> Option<Keyword> {
        match direction {
            Direction::Request => self.read_only.then_some(Keyword::ReadOnly),
            Direction::Response => self.write_only.then_some(Keyword::WriteOnly),
        }
    }
}

impl ObjectRules {
    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.get(self.names.find(name)? as usize)
    }

    /// Whether a pattern names it.
    pub(crate) fn pattern(&self, name: &str) -> Option<Id> {
        let found = self
            .patterns
            .iter()
            .find(|(pattern, _)| pattern.matches(name));
        found.map(|(_, schema)| *schema)
    }
}

impl<'c> Check<'c> {
    pub(super) fn object(
        &mut self,
        rules: &'c Rules,
        object: &'c ObjectRules,
        at: u32,
        mut seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let tree = self.tree;
        let count = tree.count(at);
        let mut held = true;
        if let Some(max) = object.max.filter(|max| u64::from(count) > *max) {
            held = self.fail(mode, rules, Keyword::MaxProperties, || {
                format!("it must have at most {max} properties")
            });
        }
        if let Some(min) = object.min.filter(|min| u64::from(count) < *min) {
            held = self.fail(mode, rules, Keyword::MinProperties, || {
                format!("it must have at least {min} properties")
            });
        }
        let mut present = Seen::default();
        for (index, (key, value)) in (0u32..).zip(tree.members(at)) {
            if !held && (mode == Mode::Quiet || self.stops()) {
                return false;
            }
            let known = object.names.find(tree.text(key));
            if let Some(known) = known {
                present.add(known);
            }
            let (evaluated, fits) = self.member(rules, object, known, (key, value), mode);
            held &= fits;
            if evaluated && let Some(seen) = seen.as_deref_mut() {
                seen.add(index);
            }
        }
        held &= self.required(rules, object, &present, mode);
        if held || mode == Mode::Loud {
            held &= self.dependents(rules, object, at, seen, mode);
        }
        held
    }

    /// One member: whether something evaluated it, and whether it fits.
    fn member(
        &mut self,
        rules: &'c Rules,
        object: &'c ObjectRules,
        known: Option<u32>,
        (key, value): (u32, u32),
        mode: Mode,
    ) -> (bool, bool) {
        let name = self.tree.text(key);
        let (mut evaluated, mut held) = (false, true);
        if let Some(property) = known.and_then(|known| object.properties.get(known as usize))
            && let Some(schema) = property.schema
        {
            evaluated = true;
            held = match property.is_barred(self.direction) {
                Some(keyword) => self.fail_below(mode, rules, keyword, Tail::Name(key), || {
                    let whose = if keyword == Keyword::ReadOnly {
                        "responses"
                    } else {
                        "requests"
                    };
                    format!("only {whose} carry it")
                }),
                None => self.child(schema, value, Tail::Name(key), mode),
            };
        }
        for (pattern, schema) in &object.patterns {
            if self.step(text_steps(name)) && pattern.matches(name) {
                evaluated = true;
                held &= self.child(*schema, value, Tail::Name(key), mode);
            }
        }
        if !evaluated && let Some(additional) = object.additional {
            evaluated = true;
            let never = self
                .schemas
                .rules(additional)
                .is_some_and(|rules| rules.never);
            held &= if never {
                self.fail_below(
                    mode,
                    rules,
                    Keyword::AdditionalProperties,
                    Tail::Name(key),
                    || "no property of that name is expected".to_owned(),
                )
            } else {
                self.child(additional, value, Tail::Name(key), mode)
            };
        }
        if let Some(names) = object.property_names
            && !self.eval(names, key, None, Mode::Quiet)
        {
            held = self.fail_below(mode, rules, Keyword::PropertyNames, Tail::Name(key), || {
                "its name is not one that is expected".to_owned()
            });
        }
        (evaluated, held)
    }

    fn required(
        &mut self,
        rules: &'c Rules,
        object: &'c ObjectRules,
        present: &Seen,
        mode: Mode,
    ) -> bool {
        let mut held = true;
        for (at, property) in (0u32..).zip(&object.properties) {
            // What only the other direction carries is required there alone (OpenAPI 3.0.4 §4.7.24.2).
            if property.required && !present.has(at) && property.is_barred(self.direction).is_none()
            {
                held = self.fail(mode, rules, Keyword::Required, || {
                    format!("the property `{}` must be there", property.name)
                });
            }
        }
        held
    }

    fn dependents(
        &mut self,
        rules: &'c Rules,
        object: &'c ObjectRules,
        at: u32,
        mut seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let tree = self.tree;
        let mut held = true;
        for (name, needed) in &object.dependent_required {
            if !self.step(tree.count(at)) || tree.member(at, name).is_none() {
                continue;
            }
            for other in needed {
                if self.step(tree.count(at)) && tree.member(at, other).is_none() {
                    held = self.fail(mode, rules, Keyword::DependentRequired, || {
                        format!("with the property `{name}`, `{other}` must be there")
                    });
                }
            }
        }
        for (name, schema) in &object.dependent_schemas {
            if self.step(tree.count(at)) && tree.member(at, name).is_some() {
                held &= self.eval(*schema, at, seen.as_deref_mut(), mode);
            }
        }
        held
    }
}
