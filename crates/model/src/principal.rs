//! Who acts.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What sort of actor a [`Principal`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person with an account.
    Person,
    /// A program that presented an API key.
    ApiKey,
    /// A client application of the estate that proved itself, by a certificate.
    Client,
    /// Somebody whom another issuer knows: `corp|u-123`.
    Foreign,
    /// A local user of this machine, known by the socket's peer credentials.
    Local,
    /// Rampart itself: a schedule, a start, a repair.
    System,
    /// Nobody known.
    Anonymous,
}

/// The one identity that every decision, event and record names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Principal {
    /// What sort of actor.
    pub kind: PrincipalKind,
    /// Stable id: `per_…`, `key_…`, `client:billing`, `corp|u-123`, `uid:1000`, `rampart`, or empty for [`PrincipalKind::Anonymous`].
    pub id: Cow<'static, str>,
    /// What people call it; not unique, may change.
    pub name: Cow<'static, str>,
}

impl Principal {
    /// A principal of a kind, with its id and name.
    pub fn new(
        kind: PrincipalKind,
        id: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            kind,
            id: id.into(),
            name: name.into(),
        }
    }

    /// Nobody known.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self {
            kind: PrincipalKind::Anonymous,
            id: Cow::Borrowed(""),
            name: Cow::Borrowed("anonymous"),
        }
    }

    /// Rampart itself.
    #[must_use]
    pub const fn system() -> Self {
        Self {
            kind: PrincipalKind::System,
            id: Cow::Borrowed("rampart"),
            name: Cow::Borrowed("rampart"),
        }
    }
}
