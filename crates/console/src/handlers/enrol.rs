//! Enrolment by a one-time link: a password, an authenticator, recovery codes.

use api::Services;
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identity::TotpOffer;
use model::Secret;

use super::Answer;
use super::people::problem;
use super::sign_in::{device, refused, with_cookies};
use crate::cookies::{self, Keep};
use crate::error::WebError;
use crate::form::{Fields, Posted};
use crate::pages::sign_in::{EnrolPasswordPage, EnrolTotpPage, RecoveryCodesPage};
use crate::render;
use crate::ui::{Copy, Notice, Tone};
use crate::visit::Visit;

/// `GET /enrol/{token}`.
pub(crate) async fn show(
    State(services): State<Services>,
    visit: Visit,
    Path(token): Path<String>,
) -> Answer {
    password_page(&services, &visit, &token, None).await
}

async fn password_page(
    services: &Services,
    visit: &Visit,
    token: &str,
    problem: Option<Notice>,
) -> Answer {
    let offer = services.identity.enrolment(token).await?;
    Ok(render::html(&EnrolPasswordPage {
        plain: visit.plain("Welcome", services),
        token: visit.token(),
        problem,
        action: format!("/enrol/{}/password", crate::address::encode(token)),
        name: offer.person.name,
        login: offer.person.login,
        length_min: offer.password_length_min,
    }))
}

/// The new password, typed twice the same.
///
/// # Errors
/// A message for above the form.
pub(crate) fn new_password(fields: &Fields) -> Result<Result<Secret<String>, Notice>, WebError> {
    let password = fields.one("password")?;
    Ok(if password == fields.one("repeat")? {
        Ok(Secret::new(password.to_owned()))
    } else {
        Err(Notice::new(
            Tone::High,
            "Not the same",
            "The two passwords differ. Type the new one twice.",
        ))
    })
}

/// `POST /enrol/{token}/password`.
pub(crate) async fn password(
    State(services): State<Services>,
    Path(token): Path<String>,
    posted: Posted,
) -> Answer {
    let visit = &posted.visit;
    let password = match new_password(&posted.fields)? {
        Ok(password) => password,
        Err(notice) => return password_page(&services, visit, &token, Some(notice)).await,
    };
    match services
        .identity
        .enrol_password(&visit.stranger(), &token, password)
        .await
    {
        Ok(offer) => Ok(totp_page(&services, visit, &token, &offer, None)),
        Err(error) => {
            let notice = problem("This password does not do", error)?;
            password_page(&services, visit, &token, Some(notice)).await
        }
    }
}

fn totp_page(
    services: &Services,
    visit: &Visit,
    token: &str,
    offer: &TotpOffer,
    problem: Option<Notice>,
) -> Response {
    render::html(&EnrolTotpPage {
        plain: visit.plain("Add an authenticator", services),
        token: visit.token(),
        problem,
        action: format!("/enrol/{}/authenticator", crate::address::encode(token)),
        picture: picture(offer),
        manual: groups(offer.seed.expose()),
        copy: Copy::new(offer.seed.expose().clone(), "key"),
        enrolling: true,
    })
}

/// The QR code as an address without an address: it must not be fetched from anywhere.
pub(crate) fn picture(offer: &TotpOffer) -> String {
    format!(
        "data:image/svg+xml;base64,{}",
        STANDARD.encode(offer.picture.expose())
    )
}

/// A key in groups of four, as people type it.
pub(crate) fn groups(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    letters
        .chunks(4)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

/// `POST /enrol/{token}/authenticator`.
pub(crate) async fn authenticator(
    State(services): State<Services>,
    Path(token): Path<String>,
    posted: Posted,
) -> Answer {
    let visit = &posted.visit;
    let code = posted.fields.trimmed("code")?;
    match services
        .identity
        .enrol_confirm(&visit.stranger(), &token, code, &device(visit))
        .await
    {
        Ok((signed_in, codes)) => {
            let codes: Vec<String> = codes.iter().map(|code| code.expose().clone()).collect();
            let page = codes_page(&services, visit, codes, true);
            with_cookies(
                page,
                [(
                    cookies::SESSION,
                    signed_in.cookie.expose().as_str(),
                    Keep::Session,
                )],
            )
        }
        Err(error) => {
            let notice = refused(error)?;
            match services.identity.enrolment_totp(&token).await? {
                Some(offer) => Ok(totp_page(&services, visit, &token, &offer, Some(notice))),
                None => password_page(&services, visit, &token, Some(notice)).await,
            }
        }
    }
}

/// Recovery codes, in the answer that made them and never again.
pub(crate) fn codes_page(
    services: &Services,
    visit: &Visit,
    codes: Vec<String>,
    enrolling: bool,
) -> Response {
    render::html(&RecoveryCodesPage {
        plain: visit.plain("Recovery codes", services),
        copy: Copy::new(codes.join("\n"), "codes"),
        codes,
        onward: if enrolling { "/" } else { "/account" },
        onward_label: "I have kept them: go on",
        enrolling,
    })
}
