//! Settings of this browser.

use api::Services;
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::header;

use super::Answer;
use crate::cookies::{self, Keep};
use crate::error::WebError;
use crate::form::Posted;
use crate::frame::{Density, Place, Theme};
use crate::pages::settings::SettingsPage;
use crate::render;
use crate::session::Session;

/// `GET /settings`.
pub(crate) async fn show(State(services): State<Services>, session: Session) -> Answer {
    Ok(render::html(&SettingsPage {
        look: session.visit.look(),
        frame: session.top(&services, Place::Settings, "Settings"),
        version: services.facts.version,
    }))
}

/// `POST /settings`.
pub(crate) async fn save(_: Session, form: Posted) -> Answer {
    let theme = Theme::parse(form.fields.one("theme")?);
    let density = Density::parse(form.fields.one("density")?);
    let value = format!("{}.{}", theme.name(), density.name());
    let cookie = cookies::set(cookies::LOOK, &value, Keep::Year)
        .ok_or_else(|| WebError::Malformed("no such setting".to_owned()))?;
    let mut response = render::see_other("/settings").into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
