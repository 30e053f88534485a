//! What can go wrong with an operation.

use crate::finding::Finding;

/// A failed operation.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An intent says something that cannot be kept; there is no policy.
    #[error("the intent was refused: {}", summary(.findings))]
    Intent {
        /// Every problem, and what else there is to say.
        findings: Vec<Finding>,
    },
    /// A name that the policy does not have.
    #[error("the policy has no {what} `{name}`{}", hinted(.hint))]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Under which name.
        name: String,
        /// What may have been meant; may be empty.
        hint: String,
    },
    /// The rules of a host would be more than a firewall takes in one go.
    #[error(
        "the rules of host `{host}` are {bytes} bytes, {most_bytes} are the most\nhint: \
             give hosts that belong together addresses that follow each other"
    )]
    TooLarge {
        /// Which host.
        host: String,
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        most_bytes: usize,
    },
}

fn hinted(hint: &str) -> String {
    if hint.is_empty() {
        String::new()
    } else {
        format!("\nhint: {hint}")
    }
}

fn summary(findings: &[Finding]) -> String {
    let first = findings.first().map(ToString::to_string);
    match (first, findings.len()) {
        (None, _) => "no reason is known".to_owned(),
        (Some(first), 1) => first,
        (Some(first), count) => format!("{first} (and {} more)", count - 1),
    }
}
