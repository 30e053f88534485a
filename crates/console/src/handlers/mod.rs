//! What happens for each address: ask the services, fill a page, or carry out a form.

pub(crate) mod account;
pub(crate) mod bans;
pub(crate) mod enrol;
pub(crate) mod estate;
pub(crate) mod explain;
pub(crate) mod gateway;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod live;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod person;
pub(crate) mod plan;
pub(crate) mod roles;
pub(crate) mod rules;
pub(crate) mod settings;
pub(crate) mod sight;
pub(crate) mod sign_in;
pub(crate) mod trail;

use api::Services;
use axum::response::Response;

use crate::error::WebError;

/// What every handler answers.
pub(crate) type Answer = Result<Response, WebError>;

/// Fewest characters of a password, as the estate says.
fn length_min(services: &Services) -> u32 {
    /// Before there is an estate: NIST SP 800-63B-4 §3.1.1.2, with a second factor.
    const BARE: u32 = 8;
    services
        .rollout
        .current()
        .map_or(BARE, |version| version.estate.identity.password_length_min)
}

/// Turns the errors of one service crate into pages.
macro_rules! failures {
    ($($error:ty),* $(,)?) => {
        $(
            impl From<$error> for WebError {
                fn from(error: $error) -> Self {
                    Self::failed(error.kind(), &error)
                }
            }
        )*
    };
}

failures!(::trail::Error);

impl From<api::PortError> for WebError {
    fn from(error: api::PortError) -> Self {
        match error {
            api::PortError::Denied(denied) => Self::Denied(denied),
            error => Self::failed(error.kind(), &error),
        }
    }
}

impl From<::identity::Error> for WebError {
    fn from(error: ::identity::Error) -> Self {
        match error {
            ::identity::Error::Denied(denied) => Self::Denied(denied),
            error => Self::failed(error.kind(), &error),
        }
    }
}

impl From<::rollout::Error> for WebError {
    fn from(error: ::rollout::Error) -> Self {
        match error {
            ::rollout::Error::Denied(denied) => Self::Denied(denied),
            error => Self::failed(error.kind(), &error),
        }
    }
}
