//! Permissions: `resource:verb`, and sets of them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest permission, in bytes.
const PERMISSION_BYTES_MAX: usize = 96;

/// The right to do one thing: `orders:read`. A granted permission may end in `:*` (every verb of
/// the resource); a required one never does.
///
/// Resource and verb are `[a-z0-9._-]+`. Resources that begin with `rampart.` are Rampart's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(Arc<str>);

impl Permission {
    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the colon.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.0.split_once(':').map_or("", |(resource, _)| resource)
    }

    /// The part after the colon.
    #[must_use]
    pub fn verb(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, verb)| verb)
    }

    /// Whether this is a pattern over every verb of its resource.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        self.verb() == "*"
    }

    /// Whether holding `self` suffices where `needed` is required.
    #[must_use]
    pub fn covers(&self, needed: &Self) -> bool {
        self == needed || (self.is_pattern() && self.resource() == needed.resource())
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not a permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a permission of the form `resource:verb` (lower case letters, digits, `.`, `_`, `-`)"
)]
pub struct ParsePermissionError(String);

impl FromStr for Permission {
    type Err = ParsePermissionError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let word = |w: &str| {
            !w.is_empty()
                && w.bytes().all(|b| {
                    b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-')
                })
        };
        match s.split_once(':') {
            Some((resource, verb))
                if s.len() <= PERMISSION_BYTES_MAX
                    && word(resource)
                    && (word(verb) || verb == "*") =>
            {
                Ok(Self(s.into()))
            }
            _ => Err(ParsePermissionError(
                s.chars().take(PERMISSION_BYTES_MAX).collect(),
            )),
        }
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A set of granted permissions, sorted, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Permission>", into = "Vec<Permission>")]
pub struct PermissionSet(Vec<Permission>);

impl PermissionSet {
    /// The empty set: may do nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// Whether some member covers `needed`.
    #[must_use]
    pub fn allows(&self, needed: &Permission) -> bool {
        self.0.iter().any(|held| held.covers(needed))
    }

    /// The members of `self` that `ceiling` also allows: how an API key never exceeds its owner.
    /// A pattern in one set meets concrete members of the other.
    #[must_use]
    pub fn intersection(&self, ceiling: &Self) -> Self {
        let both = |a: &Self, b: &Self| {
            a.0.iter()
                .filter(|p| b.0.iter().any(|q| q.covers(p)))
                .cloned()
                .collect::<Vec<_>>()
        };
        let mut members = both(self, ceiling);
        members.extend(both(ceiling, self));
        members.into_iter().collect()
    }

    /// The members, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }

    /// Whether the set has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(iter: I) -> Self {
        Self::from(iter.into_iter().collect::<Vec<_>>())
    }
}

impl From<Vec<Permission>> for PermissionSet {
    fn from(mut members: Vec<Permission>) -> Self {
        members.sort();
        members.dedup();
        Self(members)
    }
}

impl From<PermissionSet> for Vec<Permission> {
    fn from(set: PermissionSet) -> Self {
        set.0
    }
}

/// Rampart's own permissions, and the two roles that exist without an estate naming them.
pub mod own {
    use super::{Permission, PermissionSet};

    macro_rules! own_permissions {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
            $( $(#[$doc])* pub const $name: &str = $text; )*
            /// Every permission of Rampart's own, in the order of the product.
            pub const ALL: &[&str] = &[$($name),*];
        };
    }

    own_permissions! {
        /// See people, their roles, credentials' kinds and sessions.
        PEOPLE_READ = "rampart.people:read";
        /// Invite, disable and change people; reset their credentials.
        PEOPLE_WRITE = "rampart.people:write";
        /// Give and take roles (never more than the giver holds).
        ROLES_GRANT = "rampart.roles:grant";
        /// See API keys of others.
        KEYS_READ = "rampart.api-keys:read";
        /// Revoke API keys of others.
        KEYS_WRITE = "rampart.api-keys:write";
        /// See routes, traffic and refusals.
        GATEWAY_READ = "rampart.gateway:read";
        /// Ban and unban addresses.
        GATEWAY_BAN = "rampart.gateway:ban";
        /// Let certificates be renewed now.
        GATEWAY_RENEW = "rampart.gateway:renew";
        /// Read, search and export the trail.
        TRAIL_READ = "rampart.trail:read";
        /// See the estate, its versions and drift.
        ESTATE_READ = "rampart.estate:read";
        /// Plan and apply a change of the estate.
        ESTATE_APPLY = "rampart.estate:apply";
        /// See health and metrics.
        HEALTH_READ = "rampart.health:read";
    }

    /// The built-in role that holds every permission of Rampart's own.
    pub const ADMINISTRATOR: &str = "administrator";
    /// The built-in role that may read everything and change nothing.
    pub const AUDITOR: &str = "auditor";

    /// One of Rampart's own permissions from its constant.
    #[must_use]
    pub fn permission(text: &'static str) -> Permission {
        debug_assert!(ALL.contains(&text), "a permission of Rampart's own");
        Permission(text.into())
    }

    /// What the built-in role `name` holds, or `None` when there is no such built-in role.
    #[must_use]
    pub fn built_in_role(name: &str) -> Option<PermissionSet> {
        let reads = |text: &&&str| text.ends_with(":read");
        match name {
            ADMINISTRATOR => Some(ALL.iter().map(|text| permission(text)).collect()),
            AUDITOR => Some(
                ALL.iter()
                    .filter(reads)
                    .map(|text| permission(text))
                    .collect(),
            ),
            _ => None,
        }
    }
}
