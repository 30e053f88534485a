//! A document's text as values that know where they stand. JSON and YAML become the same tree.
//!
//! It never resolves a reference, and takes nothing that two readers of YAML could take
//! differently: no key twice, no merge keys, no tags of its own.

mod json;
mod look;
mod yaml;

use crate::number::Decimal;
use crate::{Finding, Limits, Weight};

/// A place in a text, both from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Whether `<<` takes the members of what it names (YAML 1.1's merge keys).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merge {
    /// It is refused: readers of OpenAPI disagree on it.
    Refuse,
    /// It does, as Compose says.
    Take,
}

/// A value of a document and where it begins.
#[derive(Debug, Clone)]
pub struct Node {
    pub(crate) value: Value,
    pub(crate) mark: Mark,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Decimal),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object of a document.
#[derive(Debug, Clone)]
pub struct Member {
    pub(crate) name: String,
    pub(crate) mark: Mark,
    pub(crate) value: Node,
}

/// Equal values, wherever they stand; the order of members does not count.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.value == b.value)
            }
            (Self::Object(a), Self::Object(b)) => {
                let same = |m: &Member| {
                    b.iter()
                        .any(|n| n.name == m.name && n.value.value == m.value.value)
                };
                a.len() == b.len() && a.iter().all(same)
            }
            _ => false,
        }
    }
}

impl Node {
    /// The member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.member(name).map(|member| &member.value)
    }

    /// The member of that name, with its key's place.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.name == name)
    }

    /// The members of an object; none of anything else.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of an array; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A boolean.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A number.
    pub(crate) fn as_number(&self) -> Option<&Decimal> {
        match &self.value {
            Value::Number(value) => Some(value),
            _ => None,
        }
    }

    /// What kind of value it is, in words.
    pub(crate) fn what(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// A name as one step of a JSON pointer (RFC 6901 §3).
pub(crate) fn step(name: &str) -> String {
    if name.contains(['~', '/']) {
        name.replace('~', "~0").replace('/', "~1")
    } else {
        name.to_owned()
    }
}

/// A step of a JSON pointer as a name.
pub(crate) fn unstep(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// Whether a word that is not known may be meant for one that is.
pub(crate) fn is_near(known: &str, name: &str) -> bool {
    // LIMIT: comparing takes time and memory for every byte of the one times every byte of the other.
    known.len().abs_diff(name.len()) <= 8 && strsim::damerau_levenshtein(known, name) <= 2
}

// LIMIT: bytes of a pointer, of which every schema keeps one; a longer one leads to near its place.
const POINTER_BYTES: usize = 4_096;

/// A node and its JSON pointer.
#[derive(Debug, Clone)]
pub(crate) struct At<'d> {
    pub(crate) node: &'d Node,
    pub(crate) pointer: String,
}

impl<'d> At<'d> {
    /// A document's root.
    pub(crate) fn root(node: &'d Node) -> Self {
        Self {
            node,
            pointer: String::new(),
        }
    }

    /// The member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Self> {
        self.node.get(name).map(|node| self.to(name, node))
    }

    fn to(&self, name: &str, node: &'d Node) -> Self {
        let fits = self.pointer.len().saturating_add(name.len()) <= POINTER_BYTES;
        let name = if fits { step(name) } else { "…".to_owned() };
        Self {
            node,
            pointer: format!("{}/{name}", self.pointer),
        }
    }

    /// Every member.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'d str, Self)> {
        let members = self.node.members().iter();
        members.map(|m| (m.name.as_str(), self.to(&m.name, &m.value)))
    }

    /// Every item.
    pub(crate) fn items(&self) -> impl Iterator<Item = Self> {
        let items = self.node.items().iter().enumerate();
        items.map(|(at, node)| self.to(&at.to_string(), node))
    }

    /// What a JSON pointer leads to from here.
    pub(crate) fn follow(&self, pointer: &str) -> Option<Self> {
        let mut at = self.clone();
        let steps = match pointer.strip_prefix('/') {
            Some(rest) => rest,
            None if pointer.is_empty() => return Some(at),
            None => return None,
        };
        for name in steps.split('/').map(unstep) {
            let next = match &at.node.value {
                Value::Object(_) => at.node.get(&name),
                // RFC 6901 §4: an index has no leading zero.
                Value::Array(items) if name == "0" || !name.starts_with('0') => name
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index)),
                _ => None,
            }?;
            at = at.to(&name, next);
        }
        Some(at)
    }
}

/// What was found, within a limit.
#[derive(Debug)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    limit: usize,
    dropped: usize,
    errors: usize,
}

impl Findings {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            list: Vec::new(),
            limit,
            dropped: 0,
            errors: 0,
        }
    }

    /// The document cannot be enforced.
    pub(crate) fn error(&mut self, at: &At<'_>, message: impl Into<String>, hint: &str) {
        self.push(
            Weight::Error,
            &at.pointer,
            at.node.mark,
            message.into(),
            hint,
        );
    }

    /// Something is not enforced as one may think.
    pub(crate) fn warn(&mut self, at: &At<'_>, message: impl Into<String>, hint: &str) {
        self.push(
            Weight::Warning,
            &at.pointer,
            at.node.mark,
            message.into(),
            hint,
        );
    }

    pub(crate) fn push(
        &mut self,
        weight: Weight,
        pointer: &str,
        mark: Mark,
        message: String,
        hint: &str,
    ) {
        let finding = Finding {
            weight,
            pointer: pointer.to_owned(),
            line: mark.line,
            column: mark.column,
            message,
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        };
        if weight == Weight::Error {
            self.errors += 1;
        }
        if self.list.contains(&finding) {
            return;
        }
        if self.list.len() < self.limit {
            self.list.push(finding);
        } else {
            self.dropped += 1;
            // An error is worth more than a warning that came before it.
            let warning = self.list.iter().rposition(|f| f.weight == Weight::Warning);
            if let (Weight::Error, Some(at)) = (weight, warning) {
                self.list.remove(at);
                self.list.push(finding);
            }
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// In the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|f| (f.line, f.column));
        if self.dropped > 0 {
            self.list.push(Finding {
                weight: if self.errors > 0 {
                    Weight::Error
                } else {
                    Weight::Warning
                },
                pointer: String::new(),
                line: 1,
                column: 1,
                message: format!("{} more findings are not shown", self.dropped),
                hint: None,
            });
        }
        self.list
    }
}

/// Reads a document's text: JSON where it begins like it, else YAML.
pub(crate) fn read(text: &str, limits: &Limits, findings: &mut Findings) -> Option<Node> {
    read_as(text, limits, Merge::Refuse, findings)
}

fn read_as(text: &str, limits: &Limits, merge: Merge, findings: &mut Findings) -> Option<Node> {
    let refuse = |findings: &mut Findings, mark, message: String, hint: &str| {
        findings.push(Weight::Error, "", mark, message, hint);
        None
    };
    let start = Mark { line: 1, column: 1 };
    if text.len() > limits.document_bytes {
        let message = format!(
            "the document is longer than {} bytes",
            limits.document_bytes
        );
        return refuse(
            findings,
            start,
            message,
            "split it into one document per API",
        );
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read = if text.trim_start().starts_with(['{', '[']) {
        json::read(text, limits).or_else(|json| {
            // YAML has flow mappings of its own; what is said is what JSON says.
            yaml::read(text, limits, merge).map_err(|_| json)
        })
    } else {
        yaml::read(text, limits, merge)
    };
    match read {
        Ok(node) => Some(node),
        Err(bad) => refuse(findings, bad.mark, bad.message, bad.hint),
    }
}

/// Why a text is no document.
#[derive(Debug)]
struct Bad {
    mark: Mark,
    message: String,
    hint: &'static str,
}

#[cfg(test)]
mod tests;
