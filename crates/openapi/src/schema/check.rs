//! A value held against a schema.
//!
//! Two ways of going: loud, where every violation is said, and quiet, where alternatives are tried
//! and the first failure ends the try. Work is counted in steps; past their number the check ends
//! in a violation, never in acceptance.

mod logic;

use smallvec::SmallVec;

use super::scalar::{is_integer, number_steps};
use super::seen::Seen;
use super::types::Types;
use super::{Discriminator, Id, Logic, Rules, Schemas};
use crate::tree::{Kind, Tree};
use crate::{Keyword, Place, Violation, Violations};

/// Which way a message goes: what is `readOnly` is not sent, what is `writeOnly` not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// Whether violations are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Loud,
    Quiet,
}

/// A step from a value to a part of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tail {
    /// The member whose key this node is.
    Name(u32),
    Index(u32),
}

/// Where in a message the value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'c> {
    Body,
    /// A field of a form: a part of the body.
    Field(&'c str),
    Path(&'c str),
    Query(&'c str),
    Header(&'c str),
    Cookie(&'c str),
}

impl Origin<'_> {
    /// The place of what `pointer` leads to from it.
    pub(crate) fn place(&self, pointer: &str) -> Place {
        let named = |name: &str| format!("{name}{pointer}");
        match self {
            Self::Body => Place::Body(pointer.to_owned()),
            Self::Field(name) => Place::Body(format!("/{}{pointer}", shown(name))),
            Self::Path(name) => Place::Path(named(name)),
            Self::Query(name) => Place::Query(named(name)),
            Self::Header(name) => Place::Header(named(name)),
            Self::Cookie(name) => Place::Cookie(named(name)),
        }
    }
}

// LIMIT: schemas within schemas and values within values, against the stack: a check recurses.
const DEPTH: u32 = 256;

// LIMIT: bytes of a name that a client made up, within a message.
const NAME_SHOWN: usize = 48;

/// A client's name for something, fit for a log: short, without control characters, as a step of
/// a JSON pointer.
pub(crate) fn shown(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if out.len() >= NAME_SHOWN {
            out.push('…');
            break;
        }
        match c {
            '~' => out.push_str("~0"),
            '/' => out.push_str("~1"),
            c if c.is_alphanumeric() || c == ' ' => out.push(c),
            c if c.is_ascii_punctuation() && !matches!(c, '`' | '\\' | '"' | '\'') => out.push(c),
            c => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// One check.
pub(crate) struct Check<'c> {
    pub(super) schemas: &'c Schemas,
    pub(super) tree: Tree<'c>,
    pub(super) direction: Direction,
    origin: Origin<'c>,
    steps: u32,
    spent: bool,
    depth: u32,
    path: SmallVec<[Tail; 16]>,
    scope: SmallVec<[u32; 8]>,
    out: &'c mut Violations,
}

impl<'c> Check<'c> {
    pub(crate) fn new(
        schemas: &'c Schemas,
        tree: Tree<'c>,
        direction: Direction,
        origin: Origin<'c>,
        out: &'c mut Violations,
    ) -> Self {
        Self {
            schemas,
            tree,
            direction,
            origin,
            steps: schemas.steps,
            spent: false,
            depth: 0,
            path: SmallVec::new(),
            scope: SmallVec::new(),
            out,
        }
    }

    /// Holds the whole value against a schema and says what is wrong.
    pub(crate) fn run(mut self, schema: Id) -> bool {
        let held = self.eval(schema, Tree::ROOT, None, Mode::Loud);
        self.conclude(schema, held)
    }

    /// Whether the whole value fits, without a word. Too much work is no.
    pub(crate) fn fits(mut self, schema: Id) -> bool {
        self.eval(schema, Tree::ROOT, None, Mode::Quiet) && !self.spent
    }

    fn conclude(&mut self, schema: Id, held: bool) -> bool {
        if self.spent {
            // SECURITY: what was not looked at to the end is not accepted.
            self.out.push(Violation {
                place: self.origin.place(""),
                keyword: Keyword::TooComplex,
                text: "checking it takes more work than is spent on one message".to_owned(),
                rule: self
                    .schemas
                    .rules(schema)
                    .map(|r| r.place.to_string())
                    .unwrap_or_default(),
            });
            return false;
        }
        held
    }

    /// Spends steps; `false` when none are left.
    pub(super) fn step(&mut self, steps: u32) -> bool {
        match self.steps.checked_sub(steps) {
            Some(left) => self.steps = left,
            None => self.spent = true,
        }
        !self.spent
    }

    /// Whether going on would say nothing more.
    pub(super) fn stops(&self) -> bool {
        self.spent || self.out.is_full()
    }

    pub(super) fn stops_steps(&self) -> bool {
        self.spent
    }

    /// Holds a part of a value against a schema.
    pub(super) fn child(&mut self, schema: Id, at: u32, tail: Tail, mode: Mode) -> bool {
        self.path.push(tail);
        let held = self.eval(schema, at, None, mode);
        self.path.pop();
        held
    }

    /// Says that `keyword` is not held, and is `false`.
    pub(super) fn fail(
        &mut self,
        mode: Mode,
        rules: &Rules,
        keyword: Keyword,
        text: impl FnOnce() -> String,
    ) -> bool {
        if mode == Mode::Loud && !self.spent {
            if self.out.is_full() {
                self.out.drop_one();
            } else {
                let violation = Violation {
                    place: self.place(),
                    keyword,
                    text: text(),
                    rule: format!("{}/{}", rules.place, keyword.as_str()),
                };
                self.out.push(violation);
            }
        }
        false
    }

    pub(super) fn fail_below(
        &mut self,
        mode: Mode,
        rules: &Rules,
        keyword: Keyword,
        tail: Tail,
        text: impl FnOnce() -> String,
    ) -> bool {
        self.path.push(tail);
        self.fail(mode, rules, keyword, text);
        self.path.pop();
        false
    }

    fn place(&self) -> Place {
        let mut pointer = String::new();
        for tail in &self.path {
            pointer.push('/');
            match tail {
                Tail::Name(key) => pointer.push_str(&shown(self.tree.text(*key))),
                Tail::Index(at) => pointer.push_str(&at.to_string()),
            }
        }
        self.origin.place(&pointer)
    }

    /// Holds the value at a node against a schema, and notes what it evaluated.
    pub(super) fn eval(
        &mut self,
        schema: Id,
        at: u32,
        seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let schemas = self.schemas;
        let Some(rules) = schemas.rules(schema) else {
            return false;
        };
        if self.depth >= DEPTH {
            self.spent = true;
        }
        if !self.step(1) {
            return false;
        }
        self.depth += 1;
        let scoped = schemas.dynamic && self.scope.last() != Some(&rules.resource);
        if scoped {
            self.scope.push(rules.resource);
        }
        let held = self.apply(rules, at, seen, mode);
        if scoped {
            self.scope.pop();
        }
        self.depth -= 1;
        held
    }

    fn apply(&mut self, rules: &'c Rules, at: u32, seen: Option<&mut Seen>, mode: Mode) -> bool {
        if rules.never {
            return self.fail(mode, rules, Keyword::False, || {
                "nothing is expected here".to_owned()
            });
        }
        if rules.types != Types::ALL && !rules.types.has(self.type_of(at)) {
            return self.fail(mode, rules, Keyword::Type, || {
                format!("it must be {}", rules.types)
            });
        }
        let mut held = true;
        if let Some(values) = &rules.enumeration
            && !values.iter().any(|value| self.same(value, at))
        {
            held = self.fail(mode, rules, Keyword::Enum, || {
                format!("it must be one of {} listed values", values.len())
            });
        }
        if let Some(format) = rules.format
            && self.schemas.asserts
            && !self.of_format(format, at)
        {
            held = self.fail(mode, rules, Keyword::Format, || {
                "it must be of its format".to_owned()
            });
        }
        if let Some(scalar) = &rules.scalar {
            held &= self.scalar(rules, scalar, at, mode);
        }
        if !held && mode == Mode::Quiet {
            return false;
        }
        match &rules.logic {
            Some(logic)
                if logic.unevaluated_items.is_some() || logic.unevaluated_properties.is_some() =>
            {
                let mut own = Seen::default();
                held &= self.parts(rules, at, Some(&mut own), mode);
                held &= self.unevaluated(rules, logic, at, &mut own, mode);
                if let Some(seen) = seen {
                    seen.merge(&own);
                }
                held
            }
            _ => held & self.parts(rules, at, seen, mode),
        }
    }

    fn of_format(&mut self, format: super::Format, at: u32) -> bool {
        match self.tree.kind(at) {
            Kind::Number => {
                let text = self.tree.text(at);
                self.step(number_steps(text)) && format.number(text)
            }
            Kind::String => {
                let text = self.tree.text(at);
                format.is_numeric() || (self.step(format.steps(text)) && format.text(text))
            }
            _ => true,
        }
    }

    fn type_of(&self, at: u32) -> Types {
        match self.tree.kind(at) {
            Kind::Null => Types::NULL,
            Kind::False | Kind::True => Types::BOOLEAN,
            Kind::String => Types::STRING,
            Kind::Array => Types::ARRAY,
            Kind::Object => Types::OBJECT,
            Kind::Number if is_integer(&self.tree, at) => Types::INTEGER,
            Kind::Number => Types::NUMBER,
        }
    }

    /// Members, items, and schemas of the same value.
    fn parts(
        &mut self,
        rules: &'c Rules,
        at: u32,
        mut seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let mut held = true;
        match self.tree.kind(at) {
            Kind::Object => {
                if let Some(object) = &rules.object {
                    held = self.object(rules, object, at, seen.as_deref_mut(), mode);
                }
            }
            Kind::Array => {
                if let Some(array) = &rules.array {
                    held = self.array(rules, array, at, seen.as_deref_mut(), mode);
                }
            }
            _ => {}
        }
        if let Some(logic) = &rules.logic
            && (held || (mode == Mode::Loud && !self.stops()))
        {
            held &= self.logic(rules, logic, at, seen, mode);
        }
        held
    }

    /// The alternative that a property names.
    fn named(
        &mut self,
        rules: &'c Rules,
        named: &'c Discriminator,
        at: u32,
        seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let tree = self.tree;
        let value = tree.member(at, &named.property);
        let Some(value) = value.filter(|value| tree.kind(*value) == Kind::String) else {
            return self.fail(mode, rules, Keyword::Discriminator, || {
                format!(
                    "the property `{}` must say which alternative it is",
                    named.property
                )
            });
        };
        let text = tree.text(value);
        match named.mapping.iter().find(|(name, _)| &**name == text) {
            Some((_, schema)) => self.eval(*schema, at, seen, mode),
            None => self.fail(mode, rules, Keyword::Discriminator, || {
                format!("the property `{}` names no alternative", named.property)
            }),
        }
    }

    fn unevaluated(
        &mut self,
        rules: &'c Rules,
        logic: &'c Logic,
        at: u32,
        seen: &mut Seen,
        mode: Mode,
    ) -> bool {
        let tree = self.tree;
        let mut held = true;
        if let (Kind::Object, Some(schema)) = (tree.kind(at), logic.unevaluated_properties) {
            for (index, (key, value)) in (0u32..).zip(tree.members(at)) {
                if !seen.has(index) && !self.child(schema, value, Tail::Name(key), Mode::Quiet) {
                    held = self.fail_below(
                        mode,
                        rules,
                        Keyword::UnevaluatedProperties,
                        Tail::Name(key),
                        || "no property of that name is expected".to_owned(),
                    );
                }
            }
            seen.add_all();
        }
        if let (Kind::Array, Some(schema)) = (tree.kind(at), logic.unevaluated_items) {
            for (index, item) in (0u32..).zip(tree.items(at)) {
                if !seen.has(index) && !self.child(schema, item, Tail::Index(index), Mode::Quiet) {
                    held = self.fail_below(
                        mode,
                        rules,
                        Keyword::UnevaluatedItems,
                        Tail::Index(index),
                        || "no item is expected here".to_owned(),
                    );
                }
            }
            seen.add_all();
        }
        held
    }
}
