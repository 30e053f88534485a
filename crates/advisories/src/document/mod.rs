//! Documents of strangers as one kind of tree, whatever they are written in, with the place of
//! everything that is wrong. Bounded in bytes, values and nesting; nothing is expanded.

mod json;
mod toml;
mod yaml;

pub(crate) use json::read as json;
pub(crate) use toml::read as toml;
pub(crate) use yaml::read as yaml;

use crate::error::{Place, shown};

/// LIMIT: bytes of a document. The largest advisories, of distributions, have some megabytes.
pub(crate) const BYTES_MAX: usize = 16 << 20;
/// LIMIT: values of a document.
pub(crate) const VALUES_MAX: usize = 1_000_000;
/// LIMIT: nesting of a document.
pub(crate) const DEPTH_MAX: usize = 64;

/// A value, and the line it stands on (0 where the format has none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Text(String),
    /// A number or a truth value, as it is written.
    Other(String),
    List(Vec<Node>),
    /// INVARIANT: no name stands twice.
    Map(Vec<(String, Node)>),
}

/// What is wrong, with the way to it from the inside out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad {
    steps: Vec<String>,
    line: u32,
    pub(crate) problem: String,
}

pub(crate) type Read<T> = Result<T, Bad>;

impl Bad {
    pub(crate) fn at(line: u32, problem: impl Into<String>) -> Self {
        Self {
            steps: Vec::new(),
            line,
            problem: problem.into(),
        }
    }

    /// What is wrong stands under this field.
    pub(crate) fn under(mut self, field: &str) -> Self {
        self.steps.push(field.to_owned());
        self
    }

    /// What is wrong stands in this item of a list.
    pub(crate) fn item(mut self, at: usize) -> Self {
        self.steps.push(format!("[{at}]"));
        self
    }

    pub(crate) fn place(&self) -> Place {
        let mut field = String::new();
        for step in self.steps.iter().rev() {
            if !field.is_empty() && !step.starts_with('[') {
                field.push('.');
            }
            field.push_str(&shown(step));
        }
        Place {
            field,
            line: self.line,
        }
    }
}

impl Node {
    pub(crate) fn bad(&self, problem: impl Into<String>) -> Bad {
        Bad::at(self.line, problem)
    }

    fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Text(_) => "a text",
            Value::Other(_) => "a number or a truth value",
            Value::List(_) => "a list",
            Value::Map(_) => "an object",
        }
    }

    pub(crate) fn text(&self) -> Read<&str> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.bad(format!("a text is expected, not {}", self.kind()))),
        }
    }

    pub(crate) fn list(&self) -> Read<&[Self]> {
        match &self.value {
            Value::List(items) => Ok(items),
            _ => Err(self.bad(format!("a list is expected, not {}", self.kind()))),
        }
    }

    pub(crate) fn map(&self) -> Read<&[(String, Self)]> {
        match &self.value {
            Value::Map(members) => Ok(members),
            _ => Err(self.bad(format!("an object is expected, not {}", self.kind()))),
        }
    }

    /// A member of an object; what is `null` is not there.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Value::Map(members) = &self.value else {
            return None;
        };
        let (_, node) = members.iter().find(|(known, _)| known == name)?;
        (node.value != Value::Null).then_some(node)
    }

    pub(crate) fn wanted(&self, name: &str) -> Read<&Self> {
        self.map()?;
        self.member(name)
            .ok_or_else(|| self.bad(format!("`{name}` is missing")))
    }

    /// The text of a member that must be there.
    pub(crate) fn wanted_text(&self, name: &str) -> Read<&str> {
        let node = self.wanted(name)?;
        node.text().map_err(|bad| bad.under(name))
    }

    /// The text of a member that may be there.
    pub(crate) fn member_text(&self, name: &str) -> Read<Option<&str>> {
        let Some(node) = self.member(name) else {
            return Ok(None);
        };
        node.text().map(Some).map_err(|bad| bad.under(name))
    }

    /// What `read` makes of each item of a list that may be there, at most `max`.
    pub(crate) fn each<T>(
        &self,
        name: &str,
        max: usize,
        read: impl Fn(&Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        let Some(node) = self.member(name) else {
            return Ok(Vec::new());
        };
        let items = node.list().map_err(|bad| bad.under(name))?;
        if items.len() > max {
            let problem = format!("{} items: {max} are the most", items.len());
            return Err(node.bad(problem).under(name));
        }
        let mut found = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            found.push(read(item).map_err(|bad| bad.item(at).under(name))?);
        }
        Ok(found)
    }

    /// Texts of a list that may be there, at most `max` of `bytes_max` each.
    pub(crate) fn texts(&self, name: &str, max: usize, bytes_max: usize) -> Read<Vec<String>> {
        self.each(name, max, |item| {
            let text = item.text()?;
            if text.len() > bytes_max {
                return Err(item.bad(format!("longer than {bytes_max} bytes")));
            }
            Ok(text.to_owned())
        })
    }
}

/// A map of members none of which may stand twice.
fn map(members: Vec<(String, Node)>) -> Result<Value, String> {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let twice = names.iter().zip(names.iter().skip(1)).find(|(a, b)| a == b);
    match twice {
        Some((name, _)) => Err(format!(
            "`{}` stands twice: readers disagree on which one counts",
            shown(name)
        )),
        None => Ok(Value::Map(members)),
    }
}

fn too_long(bytes: usize) -> Option<Bad> {
    (bytes > BYTES_MAX).then(|| Bad::at(0, format!("longer than {BYTES_MAX} bytes")))
}
