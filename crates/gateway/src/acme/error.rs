//! What can go wrong with certificates that are issued by themselves.

use model::{Denied, ErrorKind};

/// See the module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No certificate is asked for a host of that name.
    #[error("no certificate is asked for `{0}`: `hosts` of `[acme]` does not name it")]
    NotWanted(String),
    /// The estate asks for none, or its terms are not agreed to.
    #[error("the estate asks for no certificates: `[acme]` with `terms_agreed = true` does")]
    Off,
    /// A kept certificate is not usable.
    #[error("the kept certificate of `{host}` is not usable")]
    Kept {
        /// Whose.
        host: String,
        /// Why.
        #[source]
        source: net::Error,
    },
    /// The database failed.
    #[error("certificates cannot be read or written")]
    Store(#[from] store::Error),
    /// The trail failed.
    #[error("the change cannot be recorded")]
    Trail(#[from] trail::Error),
}

impl Error {
    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied(_) => ErrorKind::Denied,
            Self::NotWanted(_) => ErrorKind::NotFound,
            Self::Off => ErrorKind::Conflict,
            Self::Kept { .. } => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
            Self::Trail(error) => error.kind(),
        }
    }
}

/// Why an order came to nothing, in the authority's words where it said any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// One line.
    pub(super) text: String,
    /// The authority knows our account no more.
    pub(super) account_gone: bool,
}

/// LIMIT: characters of an authority's words that are kept.
const WORDS_MAX: usize = 600;

impl Failure {
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        // SECURITY: the words come from outside and reach terminals and pages.
        let text = text.as_ref().replace(char::is_control, " ");
        Self {
            text: text.chars().take(WORDS_MAX).collect(),
            account_gone: false,
        }
    }

    /// From an error with all its causes.
    pub(super) fn of(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::new(text)
    }

    /// From what the authority said (RFC 7807, RFC 8555 §6.7).
    pub(super) fn said(problem: &instant_acme::Problem) -> Self {
        let kind = problem.r#type.as_deref().unwrap_or_default();
        let kind = kind
            .strip_prefix("urn:ietf:params:acme:error:")
            .unwrap_or(kind);
        let mut text = problem.detail.clone().unwrap_or_default();
        for part in problem
            .subproblems
            .iter()
            .filter_map(|sub| sub.detail.as_deref())
        {
            text.push_str("; ");
            text.push_str(part);
        }
        let text = match (text.is_empty(), kind.is_empty()) {
            (false, false) => format!("the authority says: {text} ({kind})"),
            (false, true) => format!("the authority says: {text}"),
            (true, _) => format!("the authority refuses without a word ({kind})"),
        };
        Self {
            account_gone: kind == "accountDoesNotExist",
            ..Self::new(text)
        }
    }
}

impl From<instant_acme::Error> for Failure {
    fn from(error: instant_acme::Error) -> Self {
        match error {
            instant_acme::Error::Api(problem) => Self::said(&problem),
            error => Self::of(&error),
        }
    }
}

impl From<net::Error> for Failure {
    fn from(error: net::Error) -> Self {
        Self::of(&error)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::of(&error)
    }
}
