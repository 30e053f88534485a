//! What a step says when a request must not go on.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use crate::ruled::Matched;

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
    /// What only some refusals have.
    more: Option<Box<More>>,
}

/// See [`Refused::more`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct More {
    /// When it may try again.
    pub(crate) retry_after: Option<Duration>,
    /// The built-in rule that found it.
    pub(crate) rule: Option<&'static str>,
    /// The argument, field or header it stood in.
    pub(crate) argument: Option<String>,
    /// The methods that may be tried instead (RFC 9110 §10.2.1).
    pub(crate) allow: Option<String>,
    /// Rules of `[waf]` that it matched; for records alone.
    pub(crate) matches: Vec<Matched>,
    /// What they added up to.
    pub(crate) score: Option<i64>,
    /// Which of them, or which sum, ended the exchange.
    pub(crate) decision: Option<::waf::Decision>,
    /// Everything that is wrong with it, one by one.
    pub(crate) faults: Vec<Fault>,
}

/// One thing that is wrong with a request; never with the value that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    /// `path`, `query`, `header`, `cookie`, `body`.
    pub(crate) r#in: &'static str,
    /// The parameter's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Where in the body (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// What was not kept to: a word of JSON Schema or OpenAPI.
    pub(crate) keyword: &'static str,
    /// What is wrong and what was expected.
    pub(crate) detail: String,
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
            more: None,
        }
    }

    /// With the time after which it may work.
    pub(crate) fn retry_after(self, after: Duration) -> Self {
        self.with(More {
            retry_after: Some(after),
            ..More::default()
        })
    }

    /// With what only some refusals have.
    pub(crate) fn with(mut self, more: More) -> Self {
        self.more = Some(Box::new(more));
        self
    }

    /// What only some refusals have; nothing of it when there is none.
    pub(crate) fn more(&self) -> More {
        self.more.as_deref().cloned().unwrap_or_default()
    }

    /// The step's name.
    pub(crate) fn step(&self) -> &'static str {
        step_of(self.code)
    }
}

/// What blocking does where a step only observes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It refuses the request.
    Refuses,
    /// It changes the request and lets it through.
    Cleans,
    /// Nothing: an answer that differs from its document is never held up, and unfinished work passes
    /// where the route chose so.
    Notes,
}

/// What blocking does about what a code stands for.
pub(crate) fn effect_of(code: &str) -> Effect {
    match code {
        "sanitize.changed" => Effect::Cleans,
        "waf.unfinished" => Effect::Notes,
        _ if code.starts_with("validate.response_") => Effect::Notes,
        _ => Effect::Refuses,
    }
}

/// The step that a code belongs to.
pub(crate) fn step_of(code: &'static str) -> &'static str {
    code.split_once('.').map_or(code, |(step, _)| step)
}
