//! What lives in identity.

use std::net::IpAddr;

use ::model::{
    ApiKeyId, BindingId, EnrolmentId, Method, Network, PermissionSet, PersonId, SessionId,
    Timestamp,
};
use serde::{Deserialize, Serialize};

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Stable id.
    pub id: PersonId,
    /// What they sign in with; unique, lower case.
    pub login: String,
    /// What others call them.
    pub name: String,
    /// Where they are reached.
    pub email: Option<String>,
    /// Whether they can sign in.
    pub state: PersonState,
    /// When they were invited.
    pub created_at: Timestamp,
}

/// Whether a person can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonState {
    /// Has a link, no credentials yet.
    Invited,
    /// Can sign in.
    Active,
    /// Cannot; nothing of theirs works.
    Disabled,
}

impl PersonState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Invited, Self::Active, Self::Disabled]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// A one-time link to set up or replace credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enrolment {
    /// Which link.
    pub id: EnrolmentId,
    /// For whom.
    pub person: PersonId,
    /// What for.
    pub purpose: EnrolmentPurpose,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// What whoever issued it could give: they have seen the link, and must not become more by it
    /// than they are. `None`: everything.
    #[serde(skip)]
    pub ceiling: Option<PermissionSet>,
}

/// See [`Enrolment::purpose`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentPurpose {
    /// First credentials.
    First,
    /// New credentials in place of lost ones.
    Replace,
}

/// A signed-in session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// The protected origin it is for; `None` is the console itself.
    pub host: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When the newest proof was given.
    pub authenticated_at: Timestamp,
    /// The proofs given.
    pub methods: Vec<Method>,
    /// Ends when not used until then.
    pub idle_at: Timestamp,
    /// Ends then in any case.
    pub absolute_at: Timestamp,
    /// From where it began.
    pub address: Option<IpAddr>,
    /// What the browser said it is.
    pub device: String,
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    /// Which.
    pub id: ApiKeyId,
    /// The first characters of its text, to recognise it by.
    pub prefix: String,
    /// What its owner calls it.
    pub name: String,
    /// Whose.
    pub owner: PersonId,
    /// What it may do at most.
    pub permissions: PermissionSet,
    /// Where it may be used from; empty means anywhere.
    pub networks: Vec<Network>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used with the API or the console, to the minute; uses at the gateway are
    /// in the traffic records.
    pub seen_at: Option<Timestamp>,
}

/// A role or a group given to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// Which.
    pub id: BindingId,
    /// To whom.
    pub person: PersonId,
    /// What sort.
    pub kind: BindingKind,
    /// The role's or group's name.
    pub name: String,
    /// Who gave it, by id.
    pub granted_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// See [`Binding::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindingKind {
    /// A role of the estate, or a built-in one.
    Role,
    /// A group of the estate.
    Group,
}

impl BindingKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Group => "group",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Role, Self::Group]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}
