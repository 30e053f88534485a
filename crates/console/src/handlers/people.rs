//! People: the list, one person, inviting, disabling, resetting, and their roles.

use api::Services;
use axum::extract::State;
use axum::response::Response;
use identity::{Binding, BindingKind, Invitation, NewPerson, Person, PersonState};
use model::{ErrorKind, PersonId, Timestamp, own};

use super::Answer;
use super::person::grantable;
use crate::error::{WebError, sentence};
use crate::form::Posted;
use crate::frame::Place;
use crate::pages::identity::{InvitePage, OncePage, PeoplePage, PersonRow};
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Badge, Copy, Notice, Tone, When, plural};

/// What was just done, after a redirect.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Done {
    done: String,
}

impl Done {
    pub(crate) fn notice(&self) -> Option<Notice> {
        let text = match self.done.as_str() {
            "disabled" => "The person is disabled: their sessions and keys have ended",
            "enabled" => "The person is enabled",
            "granted" => "Given",
            "revoked" => "Taken away",
            "session" => "The session was revoked",
            _ => return None,
        };
        Some(Notice::new(Tone::Ok, text, ""))
    }
}

/// Where a person's page is.
pub(crate) fn href(id: PersonId) -> String {
    format!("/identity/people/{id}")
}

pub(crate) fn state(state: PersonState) -> Badge {
    match state {
        PersonState::Active => Badge::new(Tone::Ok, "Active"),
        PersonState::Invited => Badge::new(Tone::Info, "Invited"),
        PersonState::Disabled => Badge::new(Tone::Quiet, "Disabled"),
    }
}

/// `GET /identity/people`.
pub(crate) async fn list(
    State(services): State<Services>,
    session: Session,
    Parameters(done): Parameters<Done>,
) -> Answer {
    session.require(own::PEOPLE_READ)?;
    let now = services.clock.now();
    let people = services.identity.people(&session.ctx).await?;
    let bindings = services.identity.bindings(&session.ctx, None).await?;
    let rows = people.iter().map(|p| row(p, &bindings, now)).collect();
    Ok(render::html(&PeoplePage {
        frame: session
            .top(&services, Place::People, "People")
            .said(done.notice()),
        state: tally(&people),
        people: rows,
        may_invite: session.may(own::PEOPLE_WRITE),
    }))
}

fn tally(people: &[Person]) -> String {
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let of = |state| number(people.iter().filter(|p| p.state == state).count());
    let mut text = plural(number(people.len()), "person", "people");
    for (n, one, many) in [
        (of(PersonState::Invited), "waits to enrol", "wait to enrol"),
        (of(PersonState::Disabled), "is disabled", "are disabled"),
    ] {
        if n > 0 {
            text.push_str(&format!(", {n} {}", if n == 1 { one } else { many }));
        }
    }
    text.push('.');
    text
}

fn row(person: &Person, bindings: &[Binding], now: Timestamp) -> PersonRow {
    PersonRow {
        href: href(person.id),
        name: person.name.clone(),
        login: person.login.clone(),
        roles: bindings
            .iter()
            .filter(|b| b.person == person.id)
            .map(|b| match b.kind {
                BindingKind::Role => b.name.clone(),
                BindingKind::Group => format!("group {}", b.name),
            })
            .collect(),
        state: state(person.state),
        email: person.email.clone().unwrap_or_default(),
        created: When::new(person.created_at, now),
    }
}

/// `GET /identity/people/invite`.
pub(crate) async fn invite_form(State(services): State<Services>, session: Session) -> Answer {
    session.require(own::PEOPLE_WRITE)?;
    Ok(invite_page(&services, &session, None, ["", "", ""]))
}

fn invite_page(
    services: &Services,
    session: &Session,
    problem: Option<Notice>,
    [name, login, email]: [&str; 3],
) -> Response {
    let roles = if session.may(own::ROLES_GRANT) {
        grantable(services, session)
    } else {
        Vec::new()
    };
    render::html(&InvitePage {
        frame: session.below(services, Place::People, "Invite a person"),
        problem,
        name: name.to_owned(),
        login: login.to_owned(),
        email: email.to_owned(),
        roles,
    })
}

/// `POST /identity/people/invite`.
pub(crate) async fn invite(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    session.require(own::PEOPLE_WRITE)?;
    let name = posted.fields.trimmed("name")?;
    let login = posted.fields.trimmed("login")?;
    let email = posted.fields.trimmed("email")?;
    let new = NewPerson {
        name: name.to_owned(),
        login: login.to_owned(),
        email: (!email.is_empty()).then(|| email.to_owned()),
        roles: posted.fields.all("role").map(str::to_owned).collect(),
        groups: Vec::new(),
    };
    match services.identity.invite(&session.ctx, new).await {
        Ok(invited) => Ok(link_page(&services, &session, &invited)),
        Err(error) => {
            let problem = problem("Not invited", error)?;
            let filled = [name, login, email];
            Ok(invite_page(&services, &session, Some(problem), filled))
        }
    }
}

/// What can be corrected in the form is said above it; everything else is a page of its own.
pub(crate) fn problem(title: &str, error: identity::Error) -> Result<Notice, WebError> {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::Conflict => {
            Ok(Notice::new(Tone::High, title, sentence(&error.to_string())))
        }
        _ if matches!(
            error,
            identity::Error::Exceeds(_) | identity::Error::WrongCredentials
        ) =>
        {
            Ok(Notice::new(Tone::High, title, sentence(&error.to_string())))
        }
        _ => Err(error.into()),
    }
}

pub(crate) fn link_page(services: &Services, session: &Session, invited: &Invitation) -> Response {
    let name = &invited.person.name;
    let link = format!(
        "https://{}/enrol/{}",
        session.visit.host(),
        invited.token.expose()
    );
    render::html(&OncePage {
        frame: session.below(services, Place::People, &format!("Link for {name}")),
        title: format!("Send this link to {name}"),
        text: format!("Whoever opens it first becomes {name}: send it by a way only they read."),
        label: "One-time enrolment link",
        copy: Copy::new(link.clone(), "link"),
        secret: link,
        expires: Some(When::new(invited.expires_at, services.clock.now())),
        back: href(invited.person.id),
        back_label: "Back to the person",
    })
}
