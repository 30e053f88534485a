//! Which fields of a body are cleaned, and how much stays: `"$.items[*].title as text"`.
//!
//! Paths are a small part of JSONPath (RFC 9535 §2.3): names, indexes and wildcards. Never looks at
//! a body.

use std::fmt;

use serde::Serialize;

use crate::values::{Wrong, quoted};

/// LIMIT: steps of one path.
const STEPS_MAX: usize = 16;
/// LIMIT: bytes of one path.
const BYTES_MAX: usize = 512;
/// LIMIT: the largest index.
const INDEX_MAX: u32 = 100_000;

/// One cleaned field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Sanitize {
    /// Which.
    pub at: FieldPath,
    /// What stays.
    pub keep: Keep,
}

/// Where a field stands in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldPath {
    /// In JSON, from the top.
    Json(Vec<JsonStep>),
    /// In a form, by its name.
    Form(String),
}

/// One step into JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonStep {
    /// `.name`, `['a name']`.
    Member(String),
    /// `[0]`.
    Item(u32),
    /// `[*]`, `.*`: everything below.
    Every,
}

/// What stays of a field's markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Harmless HTML.
    Html,
    /// No tag at all.
    Text,
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = match self {
            Self::Form(name) => return f.write_str(name),
            Self::Json(steps) => steps,
        };
        f.write_str("$")?;
        for step in steps {
            match step {
                JsonStep::Every => f.write_str("[*]")?,
                JsonStep::Item(index) => write!(f, "[{index}]")?,
                JsonStep::Member(name) if is_shorthand(name) => write!(f, ".{name}")?,
                JsonStep::Member(name) => write!(f, "['{name}']")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Sanitize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.fmt(f)?;
        match self.keep {
            Keep::Html => Ok(()),
            Keep::Text => f.write_str(" as text"),
        }
    }
}

impl From<Sanitize> for String {
    fn from(field: Sanitize) -> Self {
        field.to_string()
    }
}

/// Reads one entry of `sanitize`.
pub(crate) fn parse(text: &str) -> Result<Sanitize, Wrong> {
    let example = "such as `$.comment`, `$.items[*].title as text`, or `comment` for a form";
    let fail = |why: &str| {
        let wrong = Wrong::new(format!("{} is not a field: {why}", quoted(text)));
        wrong.hint(example)
    };
    if text.len() > BYTES_MAX || text.chars().any(char::is_control) {
        return Err(fail("it is too long, or no single line"));
    }
    let (path, keep) = match text.rsplit_once(" as ") {
        Some((path, "text")) => (path, Keep::Text),
        Some((path, "html")) => (path, Keep::Html),
        Some(_) => return Err(fail("what stays is `as text` or `as html`")),
        None => (text, Keep::Html),
    };
    let at = match path.strip_prefix('$') {
        Some(rest) => FieldPath::Json(steps(rest).map_err(fail)?),
        None if is_form_name(path) => FieldPath::Form(path.to_owned()),
        None => return Err(fail("a path into JSON begins with `$`")),
    };
    Ok(Sanitize { at, keep })
}

fn steps(mut rest: &str) -> Result<Vec<JsonStep>, &'static str> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == STEPS_MAX {
            return Err("it has more than 16 steps");
        }
        if rest.starts_with("..") {
            return Err("`..` is not supported: name every step");
        }
        let (step, after) = match rest.strip_prefix('.') {
            Some(after) => member(after)?,
            None => bracket(rest.strip_prefix('[').ok_or("a step is `.name` or `[…]`")?)?,
        };
        steps.push(step);
        rest = after;
    }
    Ok(steps)
}

fn member(rest: &str) -> Result<(JsonStep, &str), &'static str> {
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at_checked(end).ok_or("a step has no name")?;
    match name {
        "*" => Ok((JsonStep::Every, after)),
        name if is_shorthand(name) => Ok((JsonStep::Member(name.to_owned()), after)),
        _ => Err("after `.` stands a plain name; others are written `['a name']`"),
    }
}

fn bracket(rest: &str) -> Result<(JsonStep, &str), &'static str> {
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let inner = rest.get(1..).unwrap_or("");
        let (name, after) = inner.split_once(quote).ok_or("a quote is not closed")?;
        if name.contains(['\\', '\'', '"']) {
            return Err("a name with quotes or backslashes is not supported");
        }
        let after = after.strip_prefix(']').ok_or("a `]` is missing")?;
        return Ok((JsonStep::Member(name.to_owned()), after));
    }
    let (inner, after) = rest.split_once(']').ok_or("a `]` is missing")?;
    if inner == "*" {
        return Ok((JsonStep::Every, after));
    }
    let index = inner.parse().ok().filter(|index| *index <= INDEX_MAX);
    let index = index.ok_or("between brackets stands `*`, an index from 0, or a quoted name")?;
    Ok((JsonStep::Item(index), after))
}

/// RFC 9535 §2.5.1.1: a name that needs no quotes.
fn is_shorthand(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

fn is_form_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['$', '&', '=', '%', '"']) && name.trim() == name
}

#[cfg(test)]
mod tests;
