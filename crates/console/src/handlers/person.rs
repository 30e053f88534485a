//! One person: who they are, what they hold, where they are signed in, and what may be done.

use api::Services;
use axum::extract::{Path, State};
use axum::response::Response;
use estate::Estate;
use identity::{Binding, BindingKind, Person, PersonState};
use model::{PermissionSet, PersonId, Timestamp, own};

use super::Answer;
use super::account::session_row;
use super::people::{Done, href, link_page, state};
use crate::address;
use crate::error::WebError;
use crate::form::Posted;
use crate::frame::Place;
use crate::pages::identity::{Choice, ConfirmPage, Held, PersonPage};
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Copy, When};

fn id(text: &str) -> Result<PersonId, WebError> {
    text.parse().map_err(|_| WebError::NotFound)
}

fn done(id: PersonId, what: &str) -> Answer {
    Ok(render::see_other(&address::with(
        &href(id),
        &[("done", what)],
    )))
}

/// `GET /identity/people/{id}`.
pub(crate) async fn show(
    State(services): State<Services>,
    session: Session,
    Path(text): Path<String>,
    Parameters(said): Parameters<Done>,
) -> Answer {
    session.require(own::PEOPLE_READ)?;
    let id = id(&text)?;
    let now = services.clock.now();
    let identity = &services.identity;
    let person = identity.person(&session.ctx, id).await?;
    let bindings = identity.bindings(&session.ctx, Some(id)).await?;
    let sessions = identity.sessions(&session.ctx, id).await?;
    let version = services.rollout.current();
    let estate = version.as_ref().map(|version| &version.estate);
    let may_write = session.may(own::PEOPLE_WRITE);
    let may_grant = session.may(own::ROLES_GRANT);
    Ok(render::html(&PersonPage {
        frame: session
            .below(&services, Place::People, &person.name)
            .said(said.notice()),
        id: id.to_string(),
        id_copy: Copy::new(id.to_string(), "id"),
        state: state(person.state),
        disabled: person.state == PersonState::Disabled,
        created: When::new(person.created_at, now),
        permissions: permissions(estate, &bindings),
        grantable: choices(&services, &session, &bindings, BindingKind::Role),
        groups: choices(&services, &session, &bindings, BindingKind::Group),
        held: held(&services, &session, &bindings, now).await?,
        sessions: sessions
            .iter()
            .map(|s| session_row(s, session.id(), now))
            .collect(),
        revoke_action: format!("{}/sessions/revoke", href(id)),
        may_write,
        may_grant,
        trail_href: session
            .may(own::TRAIL_READ)
            .then(|| address::with("/trail", &[("actor", &id.to_string())])),
        name: person.name,
        login: person.login,
        email: person.email.unwrap_or_default(),
    }))
}

async fn held(
    services: &Services,
    session: &Session,
    bindings: &[Binding],
    now: Timestamp,
) -> Result<Vec<Held>, WebError> {
    let people = services.identity.people(&session.ctx).await?;
    let name = |id: &str| {
        people
            .iter()
            .find(|person| person.id.to_string() == id)
            .map_or_else(|| id.to_owned(), |person| person.name.clone())
    };
    Ok(bindings
        .iter()
        .map(|binding| Held {
            id: binding.id.to_string(),
            what: match binding.kind {
                BindingKind::Role => "role",
                BindingKind::Group => "group",
            },
            name: binding.name.clone(),
            given: When::new(binding.created_at, now),
            by: name(&binding.granted_by),
        })
        .collect())
}

fn permissions(estate: Option<&Estate>, bindings: &[Binding]) -> Vec<String> {
    let names = |kind| {
        bindings
            .iter()
            .filter(|binding| binding.kind == kind)
            .map(|binding| binding.name.clone())
            .collect::<Vec<_>>()
    };
    let Some(estate) = estate else {
        return Vec::new();
    };
    let roles = estate.resolve_roles(&names(BindingKind::Role), &names(BindingKind::Group));
    estate
        .role_permissions(&roles)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Roles the signed-in person may give: those whose every permission they hold themselves.
pub(crate) fn grantable(services: &Services, session: &Session) -> Vec<Choice> {
    choices(services, session, &[], BindingKind::Role)
}

/// Roles or groups that can be given and are not held yet.
fn choices(
    services: &Services,
    session: &Session,
    held: &[Binding],
    kind: BindingKind,
) -> Vec<Choice> {
    let mut all: Vec<(String, String, PermissionSet)> = Vec::new();
    if kind == BindingKind::Role {
        for (name, about) in [
            (own::ADMINISTRATOR, "every permission of Rampart's own"),
            (own::AUDITOR, "reads everything, changes nothing"),
        ] {
            let allow = own::built_in_role(name).unwrap_or_default();
            all.push((name.to_owned(), about.to_owned(), allow));
        }
    }
    if let Some(version) = services.rollout.current() {
        let estate = &version.estate;
        match kind {
            BindingKind::Role => all.extend(
                estate
                    .roles
                    .values()
                    .map(|role| (role.name.clone(), role.about.clone(), role.allow.clone())),
            ),
            BindingKind::Group => all.extend(estate.groups.values().map(|group| {
                let allow = estate.role_permissions(&group.roles);
                (group.name.clone(), group.roles.join(", "), allow)
            })),
        }
    }
    let has = |name: &str| held.iter().any(|b| b.kind == kind && b.name == name);
    let within = |allow: &PermissionSet| {
        allow
            .iter()
            .all(|permission| session.ctx.permissions.allows(permission))
    };
    all.into_iter()
        .filter(|(name, _, allow)| !has(name) && within(allow))
        .map(|(name, about, _)| Choice {
            label: name.clone(),
            value: name,
            about,
        })
        .collect()
}

/// `GET /identity/people/{id}/disable`: the question first.
pub(crate) async fn disable_form(
    State(services): State<Services>,
    session: Session,
    Path(text): Path<String>,
) -> Answer {
    session.require(own::PEOPLE_WRITE)?;
    let person = services.identity.person(&session.ctx, id(&text)?).await?;
    Ok(confirm(
        &services,
        &session,
        &person,
        [
            "Disable",
            "disable",
            "Their sessions and API keys end at once. Enabling them again brings neither back.",
        ],
    ))
}

/// `GET /identity/people/{id}/reissue`: the question first.
pub(crate) async fn reissue_form(
    State(services): State<Services>,
    session: Session,
    Path(text): Path<String>,
) -> Answer {
    session.require(own::PEOPLE_WRITE)?;
    let person = services.identity.person(&session.ctx, id(&text)?).await?;
    Ok(confirm(
        &services,
        &session,
        &person,
        [
            "Reset",
            "reissue",
            "You get a one-time link for them. Whoever opens it sets a new password and a new \
             authenticator in place of the old ones.",
        ],
    ))
}

fn confirm(
    services: &Services,
    session: &Session,
    person: &Person,
    [verb, action, text]: [&'static str; 3],
) -> Response {
    let title = match action {
        "reissue" => format!("Reset the credentials of {}?", person.name),
        _ => format!("{verb} {}?", person.name),
    };
    render::html(&ConfirmPage {
        plain: session.visit.plain(&title, services),
        token: session.token(),
        text: text.to_owned(),
        action: format!("{}/{action}", href(person.id)),
        typed: person.login.clone(),
        button: verb,
        back: href(person.id),
        title,
    })
}

/// The person of a confirmed form, whose sign-in name was typed.
async fn confirmed(
    services: &Services,
    session: &Session,
    text: &str,
    posted: &Posted,
) -> Result<Person, WebError> {
    session.require(own::PEOPLE_WRITE)?;
    let person = services.identity.person(&session.ctx, id(text)?).await?;
    if posted.fields.trimmed("typed")? != person.login {
        return Err(WebError::Malformed(format!(
            "type `{}` to confirm",
            person.login
        )));
    }
    Ok(person)
}

/// `POST /identity/people/{id}/disable`.
pub(crate) async fn disable(
    State(services): State<Services>,
    session: Session,
    Path(text): Path<String>,
    posted: Posted,
) -> Answer {
    let person = confirmed(&services, &session, &text, &posted).await?;
    services.identity.disable(&session.ctx, person.id).await?;
    done(person.id, "disabled")
}

/// `POST /identity/people/{id}/enable`.
pub(crate) async fn enable(
    State(services): State<Services>,
    session: Session,
    Path(text): Path<String>,
    _: Posted,
) -> Answer {
    session.require(own::PEOPLE_WRITE)?;
    let id = id(&text)?;
    services.identity.enable(&session.ctx, id).await?;
    done(id, "enabled")
}

/// `POST /identity/people/{id}/reissue`.
pub(crate) async fn reissue(
    State(services): State<Services>,
    session: Session,
    Path(text): Path<String>,
    posted: Posted,
) -> Answer {
    let person = confirmed(&services, &session, &text, &posted).await?;
    let invited = services.identity.reissue(&session.ctx, person.id).await?;
    Ok(link_page(&services, &session, &invited))
}

/// `POST /identity/people/{id}/grant`.
pub(crate) async fn grant(
    State(services): State<Services>,
    session: Session,
    Path(text): Path<String>,
    posted: Posted,
) -> Answer {
    session.require(own::ROLES_GRANT)?;
    let id = id(&text)?;
    let kind = match posted.fields.one("what")? {
        "role" => BindingKind::Role,
        "group" => BindingKind::Group,
        _ => {
            return Err(WebError::Malformed(
                "`what` is a role or a group".to_owned(),
            ));
        }
    };
    let name = posted.fields.one("name")?;
    services
        .identity
        .grant(&session.ctx, id, kind, name, None)
        .await?;
    done(id, "granted")
}

/// `POST /identity/people/{id}/revoke`.
pub(crate) async fn revoke(
    State(services): State<Services>,
    session: Session,
    Path(text): Path<String>,
    posted: Posted,
) -> Answer {
    session.require(own::ROLES_GRANT)?;
    let binding = posted.fields.id("binding")?;
    services
        .identity
        .revoke_binding(&session.ctx, binding)
        .await?;
    done(id(&text)?, "revoked")
}

/// `POST /identity/people/{id}/sessions/revoke`.
pub(crate) async fn revoke_session(
    State(services): State<Services>,
    session: Session,
    Path(text): Path<String>,
    posted: Posted,
) -> Answer {
    session.require(own::PEOPLE_WRITE)?;
    let which = posted.fields.id("session")?;
    services
        .identity
        .revoke_session(&session.ctx, which)
        .await?;
    done(id(&text)?, "session")
}
