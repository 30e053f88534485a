//! Why a command did not do what it was asked.

use std::fmt;

use model::Diagnostic;

use crate::Exit;

/// A text somebody wrote, with what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    /// What the text is called: a file's path.
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) list: Vec<Diagnostic>,
}

/// A finding of the server about what was sent, whose place is a line.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Fault {
    #[serde(default)]
    pub(crate) level: Option<String>,
    #[serde(default)]
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    #[serde(default)]
    pub(crate) line: Option<usize>,
    #[serde(default)]
    pub(crate) column: Option<usize>,
    #[serde(default)]
    pub(crate) hint: Option<String>,
}

/// A failed command: what to print, and with which code to end.
#[derive(Debug)]
pub struct Failure {
    /// How the command ends.
    pub exit: Exit,
    /// What went wrong, lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    pub(crate) findings: Option<Box<Findings>>,
    pub(crate) faults: Vec<Fault>,
}

impl Failure {
    /// A failure with its message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            findings: None,
            faults: Vec::new(),
        }
    }

    /// Wrong usage or configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The operation failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The operation failed because of `error`, whose causes are told with colons.
    pub(crate) fn because(
        exit: Exit,
        message: impl fmt::Display,
        error: &dyn std::error::Error,
    ) -> Self {
        Self::new(exit, format!("{message}: {}", chain(error)))
    }

    /// Findings about a text.
    pub(crate) fn findings(exit: Exit, message: String, findings: Findings) -> Self {
        Self {
            findings: Some(Box::new(findings)),
            ..Self::new(exit, message)
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(chain(error.as_ref()))
    }
}

/// An error and its causes: `cannot read `x`: permission denied`.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
