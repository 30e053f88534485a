//! YAML as nested lists and maps of texts: tests need no types.

use saphyr_parser::{Event, Parser};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Yaml {
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

/// LIMIT: nesting of a file.
const DEPTH_MAX: usize = 64;
/// LIMIT: values of a file.
const VALUES_MAX: usize = 1_000_000;

impl Yaml {
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            _ => &[],
        }
    }

    pub(super) fn map(&self) -> &[(String, Self)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    /// The text of a member.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }
}

enum Open {
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>, Option<String>),
}

/// The first document; none when the file has only comments.
pub(super) fn read(text: &str) -> Result<Option<Yaml>, String> {
    let mut stack: Vec<Open> = Vec::new();
    let mut values = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("no YAML: {error}"))?;
        let done = match event {
            Event::Scalar(text, ..) => Some(Yaml::Text(text.into_owned())),
            Event::SequenceStart(..) => {
                stack.push(Open::List(Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                stack.push(Open::Map(Vec::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => stack.pop().map(|open| match open {
                Open::List(values) => Yaml::List(values),
                Open::Map(members, _) => Yaml::Map(members),
            }),
            Event::Alias(_) => return Err(format!("an alias in line {}", span.start.line())),
            _ => None,
        };
        if stack.len() > DEPTH_MAX {
            return Err(format!("nested too deep in line {}", span.start.line()));
        }
        let Some(value) = done else {
            continue;
        };
        values += 1;
        if values > VALUES_MAX {
            return Err("too many values".to_owned());
        }
        match stack.last_mut() {
            None => return Ok(Some(value)),
            Some(Open::List(values)) => values.push(value),
            Some(Open::Map(members, key)) => match (key.take(), value) {
                (None, Yaml::Text(text)) => *key = Some(text),
                (None, _) => {
                    return Err(format!(
                        "a key that is no text in line {}",
                        span.start.line()
                    ));
                }
                (Some(name), value) => members.push((name, value)),
            },
        }
    }
    Ok(None)
}
