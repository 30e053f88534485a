//! Roles: what each allows, and who holds it.

use std::collections::BTreeMap;

use api::Services;
use axum::extract::State;
use identity::{Binding, BindingKind, Person};
use model::{PermissionSet, PersonId, own};

use super::{Answer, people};
use crate::frame::Place;
use crate::pages::identity::{RoleRow, RolesPage};
use crate::render;
use crate::session::Session;
use crate::ui::plural;

/// `GET /identity/roles`.
pub(crate) async fn list(State(services): State<Services>, session: Session) -> Answer {
    session.require(own::PEOPLE_READ)?;
    let everybody = services.identity.people(&session.ctx).await?;
    let names: BTreeMap<PersonId, &Person> = everybody.iter().map(|p| (p.id, p)).collect();
    let bindings = services.identity.bindings(&session.ctx, None).await?;
    let mut roles = Vec::new();
    for (name, about) in [
        (own::ADMINISTRATOR, "Every permission of Rampart's own."),
        (own::AUDITOR, "Reads everything, changes nothing."),
    ] {
        roles.push(RoleRow {
            about: about.to_owned(),
            built_in: true,
            allow: texts(&own::built_in_role(name).unwrap_or_default()),
            holders: holders(name, &bindings, &names),
            groups: Vec::new(),
            source: None,
            name: name.to_owned(),
        });
    }
    if let Some(version) = services.rollout.current() {
        for role in version.estate.roles.values() {
            let line = role.span.position(&version.source).0;
            let groups = version.estate.groups.values();
            roles.push(RoleRow {
                name: role.name.clone(),
                about: role.about.clone(),
                built_in: false,
                allow: texts(&role.allow),
                holders: holders(&role.name, &bindings, &names),
                groups: groups
                    .filter(|group| group.roles.contains(&role.name))
                    .map(|group| group.name.clone())
                    .collect(),
                source: session
                    .may(own::ESTATE_READ)
                    .then(|| format!("/estate#L{line}")),
            });
        }
    }
    let number = u64::try_from(roles.len()).unwrap_or(u64::MAX);
    Ok(render::html(&RolesPage {
        frame: session.top(&services, Place::Roles, "Roles"),
        state: format!(
            "{}. Nobody may do what no role of theirs allows.",
            plural(number, "role", "roles")
        ),
        roles,
    }))
}

fn texts(set: &PermissionSet) -> Vec<String> {
    set.iter().map(ToString::to_string).collect()
}

fn holders(
    role: &str,
    bindings: &[Binding],
    names: &BTreeMap<PersonId, &Person>,
) -> Vec<(String, String)> {
    bindings
        .iter()
        .filter(|binding| binding.kind == BindingKind::Role && binding.name == role)
        .filter_map(|binding| names.get(&binding.person))
        .map(|person| (people::href(person.id), person.name.clone()))
        .collect()
}
