//! Asking the gateway which step would decide about a request, in words for a surface.

use serde::{Deserialize, Serialize};

/// A question.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Sign-in name or id of the person who would ask; empty for a stranger.
    #[serde(default, rename = "as")]
    pub who: String,
    /// Header fields.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
}

/// What a step said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It let the request on.
    Passed,
    /// It refused.
    Refused,
    /// It would have refused, but only observes.
    WouldRefuse,
    /// An earlier step decided.
    NotReached,
}

/// One step of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedStep {
    /// Its name.
    pub step: String,
    /// What it said.
    pub verdict: Verdict,
    /// Why, in one line.
    pub text: String,
    /// The line of the estate that says so.
    pub line: Option<usize>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Whether the request would reach the upstream.
    pub allowed: bool,
    /// The status a refusal would have.
    pub status: u16,
    /// The answer in one line.
    pub summary: String,
    /// Every step, in order.
    pub steps: Vec<ExplainedStep>,
}
