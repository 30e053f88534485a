//! Security decisions are values, never errors, and fail closed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Why something was refused: a stable code for programs and one sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable, dotted, lower case: `authorise.permission_missing`.
    pub code: Cow<'static, str>,
    /// One sentence, lower case, no full stop; never contains a secret.
    pub text: Cow<'static, str>,
}

impl Reason {
    /// A reason from a code and a sentence.
    pub fn new(code: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: code.into(),
            text: text.into(),
        }
    }
}

/// The answer of a security check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a decision that is not looked at protects nothing"]
pub enum Decision {
    /// Go on.
    Allow,
    /// Stop, and say why.
    Deny(Reason),
}

impl Decision {
    /// Whether the answer is [`Decision::Allow`].
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow)
    }
}
