//! Signing in: the password, then a code; and out again.

use api::Services;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};
use identity::{Device, Proof, SignedIn};
use model::Secret;

use super::Answer;
use crate::cookies::{self, Keep};
use crate::error::{WebError, sentence};
use crate::form::Posted;
use crate::pages::sign_in::{CodePage, PasswordPage, Second};
use crate::parameters::Parameters;
use crate::render;
use crate::session::{self, Session};
use crate::ui::{Notice, Tone};
use crate::visit::Visit;
use crate::wanted::{self, Wanted};

/// How long a sign-in may be under way.
const FLOW_S: u32 = 600;

/// What is known of the browser, for the list of sessions.
pub(crate) fn device(visit: &Visit) -> Device {
    Device::new(visit.device())
}

fn wanted(
    services: &Services,
    visit: &Visit,
    asked: &wanted::Parameters,
) -> Result<Wanted, WebError> {
    let version = services.rollout.current();
    let estate = version.as_ref().map(|version| &version.estate);
    asked
        .check(estate, visit.host())
        .map_err(|error| WebError::Malformed(error.to_string()))
}

/// `GET /sign-in`.
pub(crate) async fn show(
    State(services): State<Services>,
    visit: Visit,
    Parameters(asked): Parameters<wanted::Parameters>,
) -> Answer {
    let ends = wanted(&services, &visit, &asked)?;
    // The strict session cookie does not come along from another site: ask again from here.
    if visit.crossed_sites() && visit.session().is_none() {
        return Ok(session::onward(
            &services,
            &visit,
            visit.target(),
            "sign-in",
        ));
    }
    if session::authenticate(&services, &visit).await?.is_some() {
        return Ok(match ends {
            Wanted::Console(next) => render::see_other(&next),
            Wanted::Origin(_) => render::see_other(&format!("/sign-in/onward{}", asked.query())),
        });
    }
    Ok(password_page(&services, &visit, &asked, &ends, None, ""))
}

fn password_page(
    services: &Services,
    visit: &Visit,
    asked: &wanted::Parameters,
    ends: &Wanted,
    problem: Option<Notice>,
    login: &str,
) -> Response {
    render::html(&PasswordPage {
        plain: visit.plain("Sign in", services),
        token: visit.token(),
        problem,
        wanted_by: match ends {
            Wanted::Origin(origin) => Some(origin.host.clone()),
            Wanted::Console(_) => None,
        },
        query: asked.query(),
        login: login.to_owned(),
    })
}

/// `POST /sign-in`.
pub(crate) async fn password(
    State(services): State<Services>,
    Parameters(asked): Parameters<wanted::Parameters>,
    posted: Posted,
) -> Answer {
    let visit = &posted.visit;
    let ends = wanted(&services, visit, &asked)?;
    let login = posted.fields.trimmed("login")?;
    let password = Secret::new(posted.fields.one("password")?.to_owned());
    let answer = services
        .identity
        .sign_in(&visit.stranger(), login, password)
        .await;
    match answer {
        Ok(pending) => {
            let to = format!("/sign-in/code{}", asked.query());
            with_cookies(
                render::see_other(&to),
                [(
                    cookies::FLOW,
                    pending.token.expose().as_str(),
                    Keep::Seconds(FLOW_S),
                )],
            )
        }
        Err(error) => {
            let problem = refused(error)?;
            Ok(password_page(
                &services,
                visit,
                &asked,
                &ends,
                Some(problem),
                login,
            ))
        }
    }
}

/// What somebody who signs in is told; anything that is not about the sign-in is a page.
pub(crate) fn refused(error: identity::Error) -> Result<Notice, WebError> {
    use identity::Error;
    match error {
        // SECURITY: which of the three is wrong is not said.
        Error::WrongCredentials => Ok(Notice::new(
            Tone::High,
            "That did not work",
            "The name, the password or the code is wrong. After several tries the next one has to wait.",
        )),
        Error::TooMany { .. } | Error::Busy => Ok(Notice::new(
            Tone::High,
            "Not now",
            sentence(&error.to_string()),
        )),
        error => Err(error.into()),
    }
}

/// `GET /sign-in/code`.
pub(crate) async fn code_form(
    State(services): State<Services>,
    visit: Visit,
    Parameters(asked): Parameters<wanted::Parameters>,
) -> Answer {
    code_page(&services, &visit, &asked, Second::Code, None)
}

/// `GET /sign-in/recovery`.
pub(crate) async fn recovery_form(
    State(services): State<Services>,
    visit: Visit,
    Parameters(asked): Parameters<wanted::Parameters>,
) -> Answer {
    code_page(&services, &visit, &asked, Second::Recovery, None)
}

fn code_page(
    services: &Services,
    visit: &Visit,
    asked: &wanted::Parameters,
    second: Second,
    problem: Option<Notice>,
) -> Answer {
    wanted(services, visit, asked)?;
    if visit.flow().is_none() {
        return Ok(render::see_other(&format!("/sign-in{}", asked.query())));
    }
    Ok(render::html(&CodePage {
        plain: visit.plain("Enter your code", services),
        token: visit.token(),
        problem,
        second,
        query: asked.query(),
    }))
}

/// `POST /sign-in/code`.
pub(crate) async fn code(
    State(services): State<Services>,
    Parameters(asked): Parameters<wanted::Parameters>,
    posted: Posted,
) -> Answer {
    let visit = &posted.visit;
    let ends = wanted(&services, visit, &asked)?;
    let Some(flow) = visit.flow() else {
        return Ok(render::see_other(&format!("/sign-in{}", asked.query())));
    };
    let second = match posted.fields.one("kind")? {
        "code" => Second::Code,
        "recovery" => Second::Recovery,
        _ => return Err(WebError::Malformed("no such kind of code".to_owned())),
    };
    let given = Secret::new(posted.fields.trimmed("code")?.to_owned());
    let proof = match second {
        Second::Code => Proof::Code(given),
        Second::Recovery => Proof::Recovery(given),
    };
    let signed_in = services
        .identity
        .sign_in_confirm(&visit.stranger(), flow, &proof, &device(visit))
        .await;
    match signed_in {
        Ok(signed_in) => arrived(&asked, &ends, &signed_in),
        Err(identity::Error::Spent) => Ok(render::see_other(&format!("/sign-in{}", asked.query()))),
        Err(error) => {
            let problem = refused(error)?;
            code_page(&services, visit, &asked, second, Some(problem))
        }
    }
}

/// Signed in: to the page that was wanted, or on the way to the origin.
fn arrived(asked: &wanted::Parameters, ends: &Wanted, signed_in: &SignedIn) -> Answer {
    let to = match ends {
        Wanted::Console(next) => next.clone(),
        Wanted::Origin(_) => format!("/sign-in/onward{}", asked.query()),
    };
    with_cookies(
        render::see_other(&to),
        [
            (
                cookies::SESSION,
                signed_in.cookie.expose().as_str(),
                Keep::Session,
            ),
            (cookies::FLOW, "-", Keep::Forget),
        ],
    )
}

/// Adds cookies to an answer.
pub(crate) fn with_cookies<const N: usize>(
    mut response: Response,
    all: [(&str, &str, Keep); N],
) -> Answer {
    for (name, value, keep) in all {
        let cookie: HeaderValue =
            cookies::set(name, value, keep).ok_or_else(|| WebError::Failed {
                kind: model::ErrorKind::Internal,
                text: "a cookie cannot be written".to_owned(),
            })?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `GET /sign-in/onward`: a code for the origin that asked, by a page that goes there by itself.
pub(crate) async fn onward(
    State(services): State<Services>,
    session: Session,
    Parameters(asked): Parameters<wanted::Parameters>,
) -> Answer {
    match wanted(&services, &session.visit, &asked)? {
        Wanted::Console(next) => Ok(render::see_other(&next)),
        Wanted::Origin(origin) => {
            let code = services
                .identity
                .origin_code(&session.ctx, &origin.host)
                .await?;
            let to = origin.callback(code.expose());
            Ok(session::onward(
                &services,
                &session.visit,
                &to,
                &origin.host,
            ))
        }
    }
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(
    State(services): State<Services>,
    session: Session,
    _: Posted,
) -> Answer {
    services.identity.sign_out(&session.ctx).await?;
    with_cookies(
        render::see_other("/sign-in"),
        [(cookies::SESSION, "-", Keep::Forget)],
    )
}
