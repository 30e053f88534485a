//! JSON, TOML and YAML as one kind of tree, whose values know their lines.
//!
//! It takes nothing that two readers could take differently: no key twice, no alias, no merge key.

mod json;
mod toml;
mod yaml;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub(crate) use json::Dialect;

use super::text::utf8;
use super::{Limits, ReadError};

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
    /// What is no text when it is not quoted, as it was written.
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
            Value::Text(text) | Value::Plain(text) => Some(text),
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
    json::read(utf8(bytes)?, dialect, limits)
}

/// Reads TOML.
pub(crate) fn toml<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Node<'a>, ReadError> {
    toml::read(utf8(bytes)?, limits)
}

/// Reads YAML.
pub(crate) fn yaml<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Node<'a>, ReadError> {
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
