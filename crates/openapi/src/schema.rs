//! JSON Schema (draft 2020-12, and OpenAPI 3.0's dialect of an older one), compiled: every
//! keyword becomes typed rules, every reference a number.
//!
//! Compiling says what cannot be enforced; checking never meets a keyword it does not know.

mod array;
mod check;
mod compile;
mod format;
mod names;
mod object;
mod pattern;
mod refs;
mod scalar;
mod seen;
mod types;
mod uri;

use crate::number::{Decimal, Divisor};
use crate::source::Value;

pub(crate) use check::{Check, Direction, Origin, shown};
pub(crate) use compile::{Compiler, Dialect};
pub(crate) use format::{Encoding, Format};
pub(crate) use names::Names;
pub(crate) use types::Types;

/// A schema, by its place among all of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id(pub(crate) u32);

/// Every schema of a document.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    list: Vec<Rules>,
    /// Whether any `$dynamicRef` needs to know the way that led to it.
    dynamic: bool,
    /// Whether formats and encodings decide.
    asserts: bool,
    steps: u32,
}

impl Schemas {
    /// The rules of a schema.
    pub(crate) fn rules(&self, id: Id) -> Option<&Rules> {
        self.list.get(id.0 as usize)
    }
}

/// What one schema asks.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Where the schema stands in the document: a JSON pointer.
    pub(crate) place: Box<str>,
    /// The resource it is part of: what `$dynamicRef` looks through.
    resource: u32,
    /// The schema `false`.
    never: bool,
    pub(crate) types: Types,
    scalar: Option<Box<scalar::ScalarRules>>,
    pub(crate) array: Option<Box<array::ArrayRules>>,
    pub(crate) object: Option<Box<object::ObjectRules>>,
    pub(crate) logic: Option<Box<Logic>>,
    pub(crate) enumeration: Option<Box<[Value]>>,
    pub(crate) read_only: bool,
    pub(crate) write_only: bool,
    pub(crate) format: Option<Format>,
    /// `contentMediaType`, or format `binary`: bytes rather than text.
    pub(crate) bytes: bool,
}

/// Schemas applied to the same value.
#[derive(Debug, Default)]
pub(crate) struct Logic {
    pub(crate) reference: Option<Id>,
    pub(crate) dynamic: Option<Dynamic>,
    pub(crate) all_of: Box<[Id]>,
    pub(crate) any_of: Box<[Id]>,
    pub(crate) one_of: Box<[Id]>,
    not: Option<Id>,
    condition: Option<Id>,
    then: Option<Id>,
    otherwise: Option<Id>,
    discriminator: Option<Discriminator>,
    unevaluated_properties: Option<Id>,
    unevaluated_items: Option<Id>,
}

/// A `$dynamicRef`: where it leads by itself, and where from each resource that names the anchor.
#[derive(Debug)]
pub(crate) struct Dynamic {
    pub(crate) initial: Id,
    by_resource: Box<[(u32, Id)]>,
}

/// Which alternative a property names (OpenAPI 3.1.1 §4.8.25).
#[derive(Debug)]
struct Discriminator {
    property: Box<str>,
    mapping: Box<[(Box<str>, Id)]>,
}

/// A bound of numbers.
#[derive(Debug)]
struct Bound {
    value: Decimal,
    small: Option<i64>,
}

/// Numbers' rules.
#[derive(Debug, Default)]
struct NumberRules {
    maximum: Option<Bound>,
    minimum: Option<Bound>,
    above: Option<Bound>,
    below: Option<Bound>,
    multiple_of: Option<Divisor>,
}

#[cfg(test)]
mod tests;
