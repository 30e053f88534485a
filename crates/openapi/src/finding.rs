//! What is wrong with a document, with its place in the file and what to do about it.

use std::fmt;

/// Something in a document that its author should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Whether the document can be enforced all the same.
    pub weight: Weight,
    /// The JSON pointer of what it is about (RFC 6901).
    pub pointer: String,
    /// The line, from one.
    pub line: usize,
    /// The column, from one, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The document is enforced; this part of it is not, or not as its author may think.
    Warning,
    /// The document cannot be enforced as it stands.
    Error,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {} (at `{}`)",
            self.line, self.column, self.message, self.pointer
        )?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
