//! What the parts ask of an estate: permissions of roles, roles of groups.

use std::collections::BTreeSet;

use ::model::{Permission, PermissionSet, own};

use crate::Estate;

impl Estate {
    /// What the holder of all of `roles` may do: the estate's roles and the built-in ones. A role
    /// that does not exist (any more) gives nothing.
    #[must_use]
    pub fn role_permissions(&self, roles: &[String]) -> PermissionSet {
        let mut held: Vec<Permission> = Vec::new();
        for name in roles {
            match self.roles.get(name) {
                Some(role) => held.extend(role.allow.iter().cloned()),
                None => held.extend(Vec::from(own::built_in_role(name).unwrap_or_default())),
            }
        }
        held.into()
    }

    /// The roles somebody holds who was given `roles` and put into `groups`: sorted, each once,
    /// only those that exist.
    #[must_use]
    pub fn resolve_roles(&self, roles: &[String], groups: &[String]) -> Vec<String> {
        let of_groups = groups
            .iter()
            .filter_map(|name| self.groups.get(name))
            .flat_map(|group| &group.roles);
        let all: BTreeSet<&String> = roles
            .iter()
            .chain(of_groups)
            .filter(|name| self.has_role(name))
            .collect();
        all.into_iter().cloned().collect()
    }

    /// Whether `name` is a role of the estate or a built-in one.
    #[must_use]
    pub fn has_role(&self, name: &str) -> bool {
        self.roles.contains_key(name) || own::built_in_role(name).is_some()
    }
}
