//! Where in the rules something stands, and what is said about it.

use std::fmt;
use std::sync::Arc;

/// A line of a file of rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named when it was loaded.
    pub file: Arc<str>,
    /// The line a directive begins in, counted from one.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The rules are not loaded; a lenient load leaves the directive out and says so.
    Error,
    /// The directive is accepted, and something about it has no effect here.
    Note,
}

/// Something about the rules that their author should know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// How much it weighs.
    pub weight: Weight,
    /// What is the matter; what the author wrote stands in backticks.
    pub message: String,
    /// What to do about it; empty when there is nothing to say.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if !self.hint.is_empty() {
            write!(f, "\nhint: {}", self.hint)?;
        }
        Ok(())
    }
}

/// What is wrong with a piece of a directive, before its place is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Bad {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: String::new(),
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(crate) fn at(self, place: &Place) -> Finding {
        Finding {
            place: place.clone(),
            weight: Weight::Error,
            message: self.message,
            hint: self.hint,
        }
    }
}

/// `did you mean` for a word that is not among `known`.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let lower = word.to_ascii_lowercase();
    let near = known
        .map(|name| {
            (
                strsim::damerau_levenshtein(&lower, &name.to_ascii_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| *distance <= 1 + name.len() / 5)
        .min();
    near.map_or_else(String::new, |(_, name)| format!("did you mean `{name}`?"))
}
