//! What a step says when a request must not go on.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;

/// A refusal: a stable code whose first word is the step, and a sentence for people that holds no
/// secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// `<step>.<reason>`.
    pub(crate) code: &'static str,
    /// One sentence, lower case, no full stop.
    pub(crate) text: Cow<'static, str>,
    /// What the client is answered.
    pub(crate) status: StatusCode,
    /// When it may try again.
    pub(crate) retry_after: Option<Duration>,
    /// The built-in rule that found it.
    pub(crate) rule: Option<&'static str>,
    /// The argument, field or header it stood in.
    pub(crate) argument: Option<String>,
    /// The methods that may be tried instead (RFC 9110 §10.2.1).
    pub(crate) allow: Option<String>,
}

impl Refused {
    /// A refusal with the status that `code` stands for.
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            code,
            text: text.into(),
            status,
            retry_after: None,
            rule: None,
            argument: None,
            allow: None,
        }
    }

    /// With the time after which it may work.
    pub(crate) fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The step's name.
    pub(crate) fn step(&self) -> &'static str {
        step_of(self.code)
    }
}

/// The step that a code belongs to.
pub(crate) fn step_of(code: &'static str) -> &'static str {
    code.split_once('.').map_or(code, |(step, _)| step)
}
