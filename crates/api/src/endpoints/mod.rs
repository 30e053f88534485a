//! The endpoints: each reads what was sent, calls one operation of a service, and writes what it
//! answered. The table says who may call.

mod certificates;
mod estate;
mod gateway;
mod health;
mod identity;
mod keys;
mod processes;
mod sight;
mod trail;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
pub use identity::link;
use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::problem::Problem;

/// What every handler answers.
pub(crate) type Answer = Result<Response, Problem>;

/// Every endpoint, in the order of the document.
pub(crate) fn all() -> Vec<Endpoint> {
    let mut all = health::endpoints();
    all.extend(identity::endpoints());
    all.extend(keys::endpoints());
    all.extend(estate::endpoints());
    all.extend(gateway::endpoints());
    all.extend(sight::endpoints());
    all.extend(certificates::endpoints());
    all.extend(trail::endpoints());
    all.extend(processes::endpoints());
    all
}

/// `200` with a JSON body.
fn ok<T: Serialize>(value: &T) -> Answer {
    Ok(Json(value).into_response())
}

/// `201` with a JSON body.
fn created<T: Serialize>(value: &T) -> Answer {
    Ok((StatusCode::CREATED, Json(value)).into_response())
}

/// `204`.
fn done() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Turns the errors of one service crate into problems.
macro_rules! problems {
    ($($error:ty),* $(,)?) => {
        $(
            impl From<$error> for Problem {
                fn from(error: $error) -> Self {
                    Self::of(error.kind(), &error)
                }
            }
        )*
    };
}

problems!(::trail::Error);

impl From<crate::PortError> for Problem {
    fn from(error: crate::PortError) -> Self {
        match error {
            crate::PortError::Denied(denied) => denied.into(),
            error => Self::of(error.kind(), &error),
        }
    }
}

impl From<::rollout::Error> for Problem {
    fn from(error: ::rollout::Error) -> Self {
        match error {
            ::rollout::Error::Denied(denied) => denied.into(),
            error => Self::of(error.kind(), &error),
        }
    }
}

impl From<::identity::Error> for Problem {
    fn from(error: ::identity::Error) -> Self {
        use ::identity::Error;
        match error {
            Error::Denied(denied) => denied.into(),
            Error::TooMany { retry_after } => {
                Self::of(error.kind(), &error).retry_after(retry_after)
            }
            error => Self::of(error.kind(), &error),
        }
    }
}
