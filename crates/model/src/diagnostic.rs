//! What is wrong with a text somebody wrote, and where.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A range of bytes in a source text.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// One-based line and column (in characters) of the first byte within `source`.
    #[must_use]
    pub fn position(self, source: &str) -> (usize, usize) {
        let before = source
            .as_bytes()
            .get(..self.start)
            .unwrap_or(source.as_bytes());
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let tail = before.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        (line, String::from_utf8_lossy(tail).chars().count() + 1)
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Works, but is probably not meant.
    Warning,
    /// Refused.
    Error,
}

/// One finding about a source text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable code: `estate.unknown_key`.
    pub code: Cow<'static, str>,
    /// How bad it is.
    pub level: Level,
    /// What is wrong: lower case, no full stop, user input in backticks.
    pub message: String,
    /// Where, when the text has a place for it.
    pub span: Option<Span>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The place in another file, when it is about one that the text names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Box<Within>>,
}

/// A place in a file beside the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// The file, as the text names it.
    pub file: String,
    /// One-based line and column (in characters), when it is about one place.
    pub position: Option<(usize, usize)>,
}

impl std::fmt::Display for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, span: impl Into<Option<Span>>, message: String) -> Self {
        let span = span.into();
        Self {
            code: Cow::Borrowed(code),
            level: Level::Error,
            message,
            span,
            hint: None,
            within: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, span: impl Into<Option<Span>>, message: String) -> Self {
        Self {
            level: Level::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the place in a file that the text names.
    #[must_use]
    pub fn within(mut self, file: &str, position: Option<(usize, usize)>) -> Self {
        let file = file.to_owned();
        self.within = Some(Box::new(Within { file, position }));
        self
    }

    /// Whether this finding refuses the text.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}
