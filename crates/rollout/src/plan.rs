//! What a change would do.

use estate::Change;
use model::Diagnostic;
use serde::{Deserialize, Serialize};

/// What applying a text would do. Nothing is kept of it: an apply names its base and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The version it was made on; 0 when none is in force.
    pub base: u64,
    /// SHA-256 of the text, in hex.
    pub hash: String,
    /// What changes; empty when nothing does.
    pub changes: Vec<Change>,
    /// What works, but is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// How an apply names the plan it carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRef {
    /// [`Plan::base`].
    pub base: u64,
    /// [`Plan::hash`].
    pub hash: String,
}

/// How a file differs from the version in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The version in force.
    pub version: u64,
    /// Whether file and version are the same text.
    pub same_text: bool,
    /// What applying the file would change.
    pub changes: Vec<Change>,
    /// What is wrong with the file, when it is not a valid estate.
    pub errors: Vec<Diagnostic>,
}
