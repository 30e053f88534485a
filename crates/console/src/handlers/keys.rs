//! One's own API keys: made with some of one's permissions, shown once, revoked.

use std::time::Duration;

use api::Services;
use axum::extract::State;
use axum::response::Response;
use identity::NewApiKey;
use model::{Network, Permission, PermissionSet};

use super::Answer;
use super::account::or_confirm;
use super::people::problem;
use crate::error::{WebError, sentence};
use crate::form::{Fields, Posted};
use crate::frame::Place;
use crate::pages::account::NewKeyPage;
use crate::pages::identity::{Choice, OncePage};
use crate::render;
use crate::session::Session;
use crate::ui::{Copy, Notice, Tone, When};

/// LIMIT: how long a key may live.
const DAYS_MAX: u64 = 366;
const DAY_S: u64 = 86_400;

/// `GET /account/keys/new`.
pub(crate) async fn form(State(services): State<Services>, session: Session) -> Answer {
    Ok(page(&services, &session, None, "", ""))
}

fn page(
    services: &Services,
    session: &Session,
    problem: Option<Notice>,
    name: &str,
    networks: &str,
) -> Response {
    let choices = session.held().into_iter().map(|text| Choice {
        value: text.clone(),
        label: text,
        about: String::new(),
    });
    render::html(&NewKeyPage {
        frame: session.below(services, Place::Elsewhere, "New API key"),
        problem,
        name: name.to_owned(),
        permissions: choices.collect(),
        networks: networks.to_owned(),
    })
}

/// `POST /account/keys/new`.
pub(crate) async fn create(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    let name = posted.fields.trimmed("name")?.to_owned();
    let networks = posted.fields.trimmed("networks")?.to_owned();
    let days = days(&posted.fields)?;
    let permissions = permissions(&posted.fields)?;
    let again = |notice| page(&services, &session, Some(notice), &name, &networks);
    let parsed = match parse_networks(&networks) {
        Ok(parsed) => parsed,
        Err(text) => return Ok(again(Notice::new(Tone::High, "Not made", sentence(&text)))),
    };
    if permissions.is_empty() {
        let text = "Tick at least one permission: a key without any opens nothing.";
        return Ok(again(Notice::new(Tone::High, "Not made", text)));
    }
    let now = services.clock.now();
    let new = NewApiKey {
        name: name.clone(),
        permissions,
        networks: parsed,
        expires_at: Some(now.after(Duration::from_secs(days * DAY_S))),
        owner: None,
    };
    let made = match services.identity.create_api_key(&session.ctx, new).await {
        Ok(made) => made,
        Err(identity::Error::StepUp) => {
            return or_confirm(identity::Error::StepUp, "/account/keys/new");
        }
        Err(error) => return Ok(again(problem("Not made", error)?)),
    };
    Ok(render::html(&OncePage {
        frame: session.below(&services, Place::Elsewhere, &format!("Key {name}")),
        title: format!("Keep the key {name}"),
        text: "Send it as `Authorization: Bearer …`. Keep it where secrets are kept, never in a \
               codebase."
            .into(),
        label: "API key",
        copy: Copy::new(made.text.expose().clone(), "key"),
        secret: made.text.expose().clone(),
        expires: made.key.expires_at.map(|at| When::new(at, now)),
        back: "/account".to_owned(),
        back_label: "Back to your account",
    }))
}

fn days(fields: &Fields) -> Result<u64, WebError> {
    fields
        .one("days")?
        .parse()
        .ok()
        .filter(|days| (1..=DAYS_MAX).contains(days))
        .ok_or_else(|| WebError::Malformed(format!("a key lives 1 to {DAYS_MAX} days")))
}

fn permissions(fields: &Fields) -> Result<PermissionSet, WebError> {
    fields
        .all("permission")
        .map(str::parse::<Permission>)
        .collect::<Result<_, _>>()
        .map_err(|error| WebError::Malformed(error.to_string()))
}

fn parse_networks(text: &str) -> Result<Vec<Network>, String> {
    text.split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<Network>().map_err(|error| error.to_string()))
        .collect()
}

/// `POST /account/keys/revoke`.
pub(crate) async fn revoke(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    let key = posted.fields.id("key")?;
    services.identity.revoke_api_key(&session.ctx, key).await?;
    Ok(render::see_other("/account?done=key"))
}
