//! People, what they hold, their sessions, and rescue.

use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use http::Method;
use identity::{BindingKind, Invitation, NewPerson};
use model::{BindingId, PersonId, SessionId, Timestamp, own};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, created, done, ok};
use crate::body::{Json, Params, id};
use crate::endpoint::{Endpoint, Needs, Param, path, query};
use crate::guard::Caller;
use crate::schema;
use crate::services::Services;

const READ: Needs = Needs::Permission(own::PEOPLE_READ);
const WRITE: Needs = Needs::Permission(own::PEOPLE_WRITE);
const GRANT: Needs = Needs::Permission(own::ROLES_GRANT);
const PERSON: Param = path("id", "`per_…`");

/// The endpoints of this module.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut all = people();
    all.extend(rights());
    all.extend(sessions());
    all
}

fn people() -> Vec<Endpoint> {
    let act = |path, name, about, handler| {
        Endpoint::new(Method::POST, path, WRITE, (name, about), handler).params([PERSON])
    };
    vec![
        Endpoint::new(
            Method::GET,
            "/people",
            READ,
            ("listPeople", "Everybody, by sign-in name"),
            get(list),
        )
        .answers(200, people_schema()),
        Endpoint::new(
            Method::POST,
            "/people",
            WRITE,
            (
                "invitePerson",
                "Invite somebody: the answer holds their one-time token, once",
            ),
            post(invite),
        )
        .reads(new_person_schema())
        .answers(201, invitation_schema()),
        Endpoint::new(
            Method::GET,
            "/people/{id}",
            READ,
            ("person", "One person"),
            get(find),
        )
        .params([PERSON])
        .answers(200, person_schema()),
        act(
            "/people/{id}/disable",
            "disablePerson",
            "Disable somebody: their sessions and keys end",
            post(disable),
        ),
        act(
            "/people/{id}/enable",
            "enablePerson",
            "Enable somebody again",
            post(enable),
        ),
        act(
            "/people/{id}/reissue",
            "reissuePerson",
            "A one-time token for new credentials in place of lost ones",
            post(reissue),
        )
        .answers(201, invitation_schema()),
        Endpoint::new(
            Method::POST,
            "/rescue/administrator",
            Needs::Local,
            (
                "rescueAdministrator",
                "A one-time administrator, from this machine only",
            ),
            post(rescue),
        )
        .reads(schema::object(&[("login?", schema::text())]))
        .answers(201, invitation_schema()),
    ]
}

fn rights() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/bindings",
            READ,
            ("listBindings", "Who holds which roles and groups"),
            get(bindings),
        )
        .params([query("person", "string", "Of this person only: `per_…`")])
        .answers(
            200,
            schema::object(&[("bindings", schema::list(&binding_schema()))]),
        ),
        Endpoint::new(
            Method::POST,
            "/bindings",
            GRANT,
            (
                "grant",
                "Give a role or a group; never more than the giver holds",
            ),
            post(grant),
        )
        .reads(schema::object(&[
            ("person", schema::text()),
            ("kind", schema::one_of(&["role", "group"])),
            ("name", schema::text()),
            ("expires_at?", schema::time()),
        ]))
        .answers(201, binding_schema()),
        Endpoint::new(
            Method::DELETE,
            "/bindings/{id}",
            GRANT,
            ("revoke", "Take a role or a group away"),
            delete(revoke),
        )
        .params([path("id", "`bnd_…`")]),
    ]
}

fn sessions() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/sessions",
            READ,
            (
                "listSessions",
                "Live sessions, of everybody or of one person",
            ),
            get(list_sessions),
        )
        .params([query("person", "string", "Of this person only: `per_…`")])
        .answers(
            200,
            schema::object(&[("sessions", schema::list(&schema::open()))]),
        ),
        Endpoint::new(
            Method::DELETE,
            "/sessions/{id}",
            WRITE,
            ("revokeSession", "End a session"),
            delete(revoke_session),
        )
        .params([path("id", "`ses_…`")]),
    ]
}

fn person_schema() -> Value {
    schema::object(&[
        ("id", schema::text()),
        ("login", schema::text()),
        ("name", schema::text()),
        ("email", schema::maybe(&schema::text())),
        ("state", schema::one_of(&["invited", "active", "disabled"])),
        ("created_at", schema::time()),
    ])
}

fn people_schema() -> Value {
    schema::object(&[("people", schema::list(&person_schema()))])
}

fn new_person_schema() -> Value {
    schema::object(&[
        ("login", schema::text()),
        ("name", schema::text()),
        ("email?", schema::text()),
        ("roles?", schema::list(&schema::text())),
        ("groups?", schema::list(&schema::text())),
    ])
}

fn invitation_schema() -> Value {
    schema::object(&[
        ("person", person_schema()),
        ("token", schema::text()),
        ("path", schema::text()),
        ("link", schema::maybe(&schema::text())),
        ("expires_at", schema::time()),
    ])
}

fn binding_schema() -> Value {
    schema::object(&[
        ("id", schema::text()),
        ("person", schema::text()),
        ("kind", schema::one_of(&["role", "group"])),
        ("name", schema::text()),
        ("granted_by", schema::text()),
        ("created_at", schema::time()),
        ("expires_at", schema::maybe(&schema::time())),
    ])
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invite {
    login: String,
    name: String,
    email: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    person: PersonId,
    kind: BindingKind,
    name: String,
    expires_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rescue {
    login: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfPerson {
    person: Option<PersonId>,
}

/// The one answer that holds the token.
fn invitation(services: &Services, invited: &Invitation) -> Answer {
    let path = format!("/enrol/{}", invited.token.expose());
    let version = services.rollout.current();
    created(&json!({
        "person": invited.person,
        "token": invited.token.expose(),
        "path": path,
        "link": version.map(|version| link(&version.estate, &path)),
        "expires_at": invited.expires_at,
    }))
}

/// The address of a console page, with the port the gateway listens at.
#[must_use]
pub fn link(estate: &::estate::Estate, path: &str) -> String {
    const HTTPS: u16 = 443;
    let ports: Vec<u16> = estate.listen.https.iter().map(|at| at.port()).collect();
    let host = &estate.console.host;
    match ports.first() {
        Some(port) if !ports.contains(&HTTPS) => format!("https://{host}:{port}{path}"),
        _ => format!("https://{host}{path}"),
    }
}

async fn list(State(services): State<Services>, Caller(ctx): Caller) -> Answer {
    let people = services.identity.people(&ctx).await?;
    ok(&json!({ "people": people }))
}

async fn invite(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(sent): Json<Invite>,
) -> Answer {
    let new = NewPerson {
        login: sent.login,
        name: sent.name,
        email: sent.email,
        roles: sent.roles,
        groups: sent.groups,
    };
    let invited = services.identity.invite(&ctx, new).await?;
    invitation(&services, &invited)
}

async fn find(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Path(text): Path<String>,
) -> Answer {
    ok(&services.identity.person(&ctx, id(&text)?).await?)
}

async fn disable(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Path(text): Path<String>,
) -> Answer {
    services.identity.disable(&ctx, id(&text)?).await?;
    done()
}

async fn enable(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Path(text): Path<String>,
) -> Answer {
    services.identity.enable(&ctx, id(&text)?).await?;
    done()
}

async fn reissue(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Path(text): Path<String>,
) -> Answer {
    let invited = services.identity.reissue(&ctx, id(&text)?).await?;
    invitation(&services, &invited)
}

async fn rescue(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(sent): Json<Rescue>,
) -> Answer {
    let invited = services
        .identity
        .rescue_administrator(&ctx, sent.login.as_deref())
        .await?;
    invitation(&services, &invited)
}

async fn bindings(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Params(of): Params<OfPerson>,
) -> Answer {
    let bindings = services.identity.bindings(&ctx, of.person).await?;
    ok(&json!({ "bindings": bindings }))
}

async fn grant(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(sent): Json<Grant>,
) -> Answer {
    let binding = services
        .identity
        .grant(&ctx, sent.person, sent.kind, &sent.name, sent.expires_at)
        .await?;
    created(&binding)
}

async fn revoke(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Path(text): Path<String>,
) -> Answer {
    let binding: BindingId = id(&text)?;
    services.identity.revoke_binding(&ctx, binding).await?;
    done()
}

async fn list_sessions(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Params(of): Params<OfPerson>,
) -> Answer {
    let sessions = match of.person {
        Some(person) => services.identity.sessions(&ctx, person).await?,
        None => services.identity.all_sessions(&ctx).await?,
    };
    ok(&json!({ "sessions": sessions }))
}

async fn revoke_session(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Path(text): Path<String>,
) -> Answer {
    let session: SessionId = id(&text)?;
    services.identity.revoke_session(&ctx, session).await?;
    done()
}
