//! JSON, TOML and YAML as one kind of tree, whose values know their lines.
//!
//! It takes nothing that two readers could take differently: no key twice, no alias, no tag. What
//! it reads is bounded in bytes, values and nesting, and nothing is expanded.

mod json;
mod shape;
mod toml;
mod yaml;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub(crate) use json::Dialect;
pub(crate) use shape::{Bad, Read};

use crate::inventory::ReadError;
use crate::text::utf8;

/// How much of a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) values: usize,
    pub(crate) depth: usize,
}

impl Limits {
    /// LIMIT: of advisories and statements. The largest, of distributions, have some megabytes.
    pub(crate) const ADVISORIES: Self = Self {
        bytes: 16 << 20,
        values: 1_000_000,
        depth: 64,
    };

    /// An error for what has more bytes.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), ReadError> {
        match bytes > self.bytes {
            true => Err(ReadError::TooLong {
                bytes,
                most: self.bytes,
            }),
            false => Ok(()),
        }
    }
}

/// A value and the line where it begins.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) line: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// A number of JSON or TOML, as it was written.
    Number(Cow<'a, str>),
    /// What YAML does not quote, and a date of TOML: as it was written.
    Plain(Cow<'a, str>),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<Member<'a>>),
}

/// A member of a map.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) line: u32,
    pub(crate) value: Node<'a>,
}

impl<'a> Node<'a> {
    /// The member of that name. It looks at one after the other: for maps of few members.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let mut members = self.members().iter();
        members
            .find(|member| member.key == key)
            .map(|member| &member.value)
    }

    pub(crate) fn members(&self) -> &[Member<'a>] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// A text, or what was written in its place: `1.10` of YAML is a version like `1.1.0`.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Plain(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a member.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::text)
    }

    /// Whether a member is `true`.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|node| matches!(node.value, Value::Bool(true)))
    }
}

/// Reads JSON.
pub(crate) fn json<'a>(
    bytes: &'a [u8],
    dialect: Dialect,
    limits: &Limits,
) -> Result<Node<'a>, ReadError> {
    limits.take(bytes.len())?;
    json::read(utf8(bytes)?, dialect, limits)
}

/// Reads TOML.
pub(crate) fn toml<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Node<'a>, ReadError> {
    limits.take(bytes.len())?;
    toml::read(utf8(bytes)?, limits)
}

/// Reads YAML.
pub(crate) fn yaml<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Node<'a>, ReadError> {
    limits.take(bytes.len())?;
    yaml::read(utf8(bytes)?, limits)
}

/// The key that stands in a map twice, with the line of its second place.
fn twice<'m>(members: &'m [Member<'_>]) -> Option<(&'m str, u32)> {
    if members.len() < 8 {
        let again = |at: usize, member: &Member<'_>| {
            members
                .iter()
                .take(at)
                .any(|before| before.key == member.key)
        };
        let mut all = members.iter().enumerate();
        return all
            .find(|(at, member)| again(*at, member))
            .map(|(_, member)| (member.key.as_ref(), member.line));
    }
    let mut keys: Vec<(&str, u32)> = members.iter().map(|m| (m.key.as_ref(), m.line)).collect();
    keys.sort_unstable();
    keys.windows(2).find_map(|pair| match pair {
        [(a, _), (b, line)] if a == b => Some((*b, *line)),
        _ => None,
    })
}
