//! Sets of JSON types.

use std::fmt;

use super::{Id, Schemas};
use crate::source::Value;

/// A set of the types that JSON Schema names. The default is all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types(u8);

impl Types {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOLEAN: Self = Self(2);
    pub(crate) const INTEGER: Self = Self(4);
    /// Numbers that are no integers, and integers.
    pub(crate) const NUMBER: Self = Self(8 | 4);
    pub(crate) const STRING: Self = Self(16);
    pub(crate) const ARRAY: Self = Self(32);
    pub(crate) const OBJECT: Self = Self(64);
    pub(crate) const ALL: Self = Self(127);

    /// Each type and its name.
    const NAMED: [(Self, &'static str); 7] = [
        (Self::NULL, "null"),
        (Self::BOOLEAN, "boolean"),
        (Self::NUMBER, "number"),
        (Self::INTEGER, "integer"),
        (Self::STRING, "string"),
        (Self::ARRAY, "array"),
        (Self::OBJECT, "object"),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::NAMED
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(types, _)| *types)
    }

    /// The type of a value of the document.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number.is_integer() => Self::INTEGER,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// Whether it holds all of the other.
    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether they share a type.
    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Without arrays and objects.
    pub(crate) const fn and_not_nested(self) -> Self {
        Self(self.0 & !(32 | 64))
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Default for Types {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (types, name) in Self::NAMED {
            let implied = types == Self::INTEGER && self.has(Self::NUMBER);
            if self.has(types) && !implied {
                f.write_str(if first { "" } else { " or " })?;
                f.write_str(name)?;
                first = false;
            }
        }
        if first {
            f.write_str("nothing")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

// LIMIT: schemas looked through for the types of one; alternatives of alternatives multiply.
const LOOKED_AT: u32 = 1_000;

impl Schemas {
    /// The types that a schema can take, as far as its own words and its references say.
    pub(crate) fn types_of(&self, schema: Id) -> Types {
        let mut left = LOOKED_AT;
        self.types_within(schema, 8, &mut left)
    }

    fn types_within(&self, schema: Id, depth: u32, left: &mut u32) -> Types {
        let (Some(rules), Some(depth), Some(fewer)) = (
            self.rules(schema),
            depth.checked_sub(1),
            left.checked_sub(1),
        ) else {
            return Types::ALL;
        };
        *left = fewer;
        if rules.never {
            return Types::NONE;
        }
        let mut types = rules.types;
        if let Some(values) = &rules.enumeration {
            let listed = values.iter().map(Types::of);
            types = types.and(listed.fold(Types::NONE, Types::or));
        }
        let Some(logic) = &rules.logic else {
            return types;
        };
        for part in logic.reference.iter().chain(&logic.all_of) {
            types = types.and(self.types_within(*part, depth, left));
        }
        for parts in [&logic.any_of, &logic.one_of] {
            if !parts.is_empty() {
                let any = parts
                    .iter()
                    .map(|part| self.types_within(*part, depth, left));
                types = types.and(any.fold(Types::NONE, Types::or));
            }
        }
        types
    }
}
