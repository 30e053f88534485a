//! One's own account: sessions, password, authenticator, recovery codes, API keys.
//!
//! What changes a credential needs a fresh proof: the service says when, and the page asks for it
//! (ASVS 5.0 V7.5.1).

use api::Services;
use axum::extract::State;
use axum::response::Response;
use identity::{ApiKey, Proof};
use model::{Method, Secret, SessionId, Timestamp};

use super::enrol::{codes_page, groups, new_password, picture};
use super::people::problem;
use super::sign_in::{refused, with_cookies};
use super::{Answer, length_min};
use crate::address;
use crate::cookies::{self, Keep};
use crate::form::Posted;
use crate::frame::Place;
use crate::pages::account::{AccountPage, KeyRow, PasswordChangePage};
use crate::pages::identity::SessionRow;
use crate::pages::sign_in::{EnrolTotpPage, StepUpPage};
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Copy, Notice, Tone, When, plural, relative};
use crate::visit::is_local;

/// What was just done, after a redirect.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Done {
    done: String,
}

impl Done {
    fn notice(&self) -> Option<Notice> {
        let text = match self.done.as_str() {
            "session" => "The session was revoked",
            "sessions" => "All other sessions were revoked",
            "password" => "The password was changed; your other sessions have ended",
            "authenticator" => "The new authenticator replaces the old one",
            "key" => "The key was revoked",
            "confirmed" => "Confirmed",
            _ => return None,
        };
        Some(Notice::new(Tone::Ok, text, ""))
    }
}

/// A row of a list of sessions.
pub(crate) fn session_row(
    session: &identity::Session,
    own: Option<SessionId>,
    now: Timestamp,
) -> SessionRow {
    SessionRow {
        id: session.id.to_string(),
        device: session.device.clone(),
        source: session
            .address
            .map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
        origin: session
            .host
            .clone()
            .unwrap_or_else(|| "the console".to_owned()),
        started: When::new(session.created_at, now),
        seen: When::new(session.seen_at, now),
        current: own == Some(session.id),
    }
}

/// `GET /account`.
pub(crate) async fn show(
    State(services): State<Services>,
    session: Session,
    Parameters(done): Parameters<Done>,
) -> Answer {
    let now = services.clock.now();
    let identity = &services.identity;
    let me = identity.person(&session.ctx, session.person()?).await?;
    let sessions = identity.sessions(&session.ctx, me.id).await?;
    let keys = identity.own_api_keys(&session.ctx).await?;
    let bindings = identity.bindings(&session.ctx, Some(me.id)).await?;
    let left = identity.recovery_codes_left(&session.ctx, me.id).await?;
    Ok(render::html(&AccountPage {
        state: proven(&session, now),
        roles: bindings.into_iter().map(|binding| binding.name).collect(),
        permissions: session.held(),
        recovery_left: format!("{} left.", plural(left, "code", "codes")),
        sessions: sessions
            .iter()
            .map(|s| session_row(s, session.id(), now))
            .collect(),
        revoke_action: "/account/sessions/revoke".to_owned(),
        keys: keys.iter().map(|key| key_row(key, now)).collect(),
        frame: session
            .top(&services, Place::Elsewhere, "Your account")
            .said(done.notice()),
        login: me.login,
    }))
}

fn proven(session: &Session, now: Timestamp) -> String {
    let Some(proof) = &session.ctx.authentication else {
        return String::new();
    };
    let words: Vec<_> = proof.methods.iter().map(|method| word(*method)).collect();
    format!(
        "Signed in with {}, {}.",
        words.join(" and "),
        relative(proof.at, now)
    )
}

fn word(method: Method) -> &'static str {
    match method {
        Method::Pwd => "a password",
        Method::Otp => "a code",
        Method::Recovery => "a recovery code",
        Method::Key => "an API key",
        Method::Token => "a token",
        Method::Link => "a link",
        Method::Peer => "this machine",
    }
}

fn key_row(key: &ApiKey, now: Timestamp) -> KeyRow {
    KeyRow {
        id: key.id.to_string(),
        name: key.name.clone(),
        prefix: key.prefix.clone(),
        permissions: key.permissions.iter().map(ToString::to_string).collect(),
        expires: key.expires_at.map(|at| When::new(at, now)),
        created: When::new(key.created_at, now),
    }
}

/// An operation that wants a fresh proof leads to the page that asks for it, and back.
pub(crate) fn or_confirm(error: identity::Error, next: &str) -> Answer {
    match error {
        identity::Error::StepUp => Ok(render::see_other(&address::with(
            "/account/confirm",
            &[("next", next)],
        ))),
        error => Err(error.into()),
    }
}

/// Where to go on after a fresh proof.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Next {
    next: String,
}

/// `GET /account/confirm`.
pub(crate) async fn confirm_form(
    State(services): State<Services>,
    session: Session,
    Parameters(next): Parameters<Next>,
) -> Answer {
    Ok(confirm_page(&services, &session, &next.next, None))
}

fn confirm_page(
    services: &Services,
    session: &Session,
    next: &str,
    problem: Option<Notice>,
) -> Response {
    render::html(&StepUpPage {
        plain: session.visit.plain("Confirm that it is you", services),
        token: session.token(),
        problem,
        next: next.to_owned(),
    })
}

/// `POST /account/confirm`.
pub(crate) async fn confirm(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    let next = posted.fields.one("next")?;
    let code = Secret::new(posted.fields.trimmed("code")?.to_owned());
    let proven = services
        .identity
        .step_up(&session.ctx, &Proof::Code(code))
        .await;
    match proven {
        Ok(signed_in) => {
            let to = if is_local(next) {
                next
            } else {
                "/account?done=confirmed"
            };
            // ASVS 5.0 V7.2.4: a new secret after every proof.
            with_cookies(
                render::see_other(to),
                [(
                    cookies::SESSION,
                    signed_in.cookie.expose().as_str(),
                    Keep::Session,
                )],
            )
        }
        Err(error) => {
            let problem = refused(error)?;
            Ok(confirm_page(&services, &session, next, Some(problem)))
        }
    }
}

/// `POST /account/sessions/revoke`.
pub(crate) async fn revoke_session(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    let which: SessionId = posted.fields.id("session")?;
    services
        .identity
        .revoke_session(&session.ctx, which)
        .await?;
    Ok(render::see_other("/account?done=session"))
}

/// `POST /account/sessions/revoke-others`.
pub(crate) async fn revoke_others(
    State(services): State<Services>,
    session: Session,
    _: Posted,
) -> Answer {
    services
        .identity
        .revoke_sessions(&session.ctx, session.person()?)
        .await?;
    Ok(render::see_other("/account?done=sessions"))
}

/// `GET /account/password`.
pub(crate) async fn password_form(State(services): State<Services>, session: Session) -> Answer {
    password_page(&services, &session, None).await
}

async fn password_page(services: &Services, session: &Session, problem: Option<Notice>) -> Answer {
    let me = services
        .identity
        .person(&session.ctx, session.person()?)
        .await?;
    Ok(render::html(&PasswordChangePage {
        frame: session.below(services, Place::Elsewhere, "Change your password"),
        problem,
        login: me.login,
        length_min: length_min(services),
    }))
}

/// `POST /account/password`.
pub(crate) async fn password(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    let current = Secret::new(posted.fields.one("current")?.to_owned());
    let new = match new_password(&posted.fields)? {
        Ok(password) => password,
        Err(notice) => return password_page(&services, &session, Some(notice)).await,
    };
    match services
        .identity
        .change_password(&session.ctx, current, new)
        .await
    {
        Ok(()) => Ok(render::see_other("/account?done=password")),
        Err(identity::Error::StepUp) => or_confirm(identity::Error::StepUp, "/account/password"),
        Err(error) => {
            let notice = problem("Not changed", error)?;
            password_page(&services, &session, Some(notice)).await
        }
    }
}

/// `GET /account/authenticator`.
pub(crate) async fn authenticator_form(
    State(services): State<Services>,
    session: Session,
) -> Answer {
    authenticator_page(&services, &session, None).await
}

async fn authenticator_page(
    services: &Services,
    session: &Session,
    problem: Option<Notice>,
) -> Answer {
    let offer = match services.identity.offer_totp(&session.ctx).await {
        Ok(offer) => offer,
        Err(error) => return or_confirm(error, "/account/authenticator"),
    };
    Ok(render::html(&EnrolTotpPage {
        plain: session.visit.plain("A new authenticator", services),
        token: session.token(),
        problem,
        action: "/account/authenticator".to_owned(),
        picture: picture(&offer),
        manual: groups(offer.seed.expose()),
        copy: Copy::new(offer.seed.expose().clone(), "key"),
        enrolling: false,
    }))
}

/// `POST /account/authenticator`.
pub(crate) async fn authenticator(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    let code = posted.fields.trimmed("code")?;
    match services.identity.confirm_totp(&session.ctx, code).await {
        Ok(()) => Ok(render::see_other("/account?done=authenticator")),
        Err(error) => {
            let notice = refused(error)?;
            authenticator_page(&services, &session, Some(notice)).await
        }
    }
}

/// `POST /account/recovery-codes`.
pub(crate) async fn recovery_codes(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    match services.identity.renew_recovery_codes(&session.ctx).await {
        Ok(codes) => {
            let codes = codes.iter().map(|code| code.expose().clone()).collect();
            Ok(codes_page(&services, &posted.visit, codes, false))
        }
        Err(error) => or_confirm(error, "/account"),
    }
}
