//! What a document must hold, with the place of everything that is wrong.

use super::{Member, Node, Value};
use crate::error::Place;
use crate::inventory::ReadError;
use crate::text::said;

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
            field.push_str(&said(step));
        }
        Place {
            field,
            line: self.line,
        }
    }
}

impl From<ReadError> for Bad {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Syntax { line, what, .. } => Self::at(line, what),
            ReadError::TooMany { line, most, of } => {
                Self::at(line, format!("there are more than {most} {of}"))
            }
            other => Self::at(0, other.to_string()),
        }
    }
}

impl<'a> Node<'a> {
    pub(crate) fn bad(&self, problem: impl Into<String>) -> Bad {
        Bad::at(self.line, problem)
    }

    fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Text(_) | Value::Plain(_) => "a text",
            Value::Number(_) | Value::Bool(_) => "a number or a truth value",
            Value::List(_) => "a list",
            Value::Map(_) => "an object",
        }
    }

    /// A text, and no number: `1.10` of JSON is not the version that it looks like.
    pub(crate) fn a_text(&self) -> Read<&str> {
        match &self.value {
            Value::Text(text) | Value::Plain(text) => Ok(text),
            _ => Err(self.bad(format!("a text is expected, not {}", self.kind()))),
        }
    }

    pub(crate) fn a_list(&self) -> Read<&[Self]> {
        match &self.value {
            Value::List(items) => Ok(items),
            _ => Err(self.bad(format!("a list is expected, not {}", self.kind()))),
        }
    }

    pub(crate) fn an_object(&self) -> Read<&[Member<'a>]> {
        match &self.value {
            Value::Map(members) => Ok(members),
            _ => Err(self.bad(format!("an object is expected, not {}", self.kind()))),
        }
    }

    /// A member of an object; what is `null` is not there.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let node = self.get(name)?;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    pub(crate) fn wanted(&self, name: &str) -> Read<&Self> {
        self.an_object()?;
        self.member(name)
            .ok_or_else(|| self.bad(format!("`{name}` is missing")))
    }

    /// The text of a member that must be there.
    pub(crate) fn wanted_text(&self, name: &str) -> Read<&str> {
        let node = self.wanted(name)?;
        node.a_text().map_err(|bad| bad.under(name))
    }

    /// The text of a member that may be there.
    pub(crate) fn member_text(&self, name: &str) -> Read<Option<&str>> {
        let Some(node) = self.member(name) else {
            return Ok(None);
        };
        node.a_text().map(Some).map_err(|bad| bad.under(name))
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
        let items = node.a_list().map_err(|bad| bad.under(name))?;
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
            let text = item.a_text()?;
            if text.len() > bytes_max {
                return Err(item.bad(format!("longer than {bytes_max} bytes")));
            }
            Ok(text.to_owned())
        })
    }
}
