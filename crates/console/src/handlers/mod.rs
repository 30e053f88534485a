//! What happens for each address: ask the services, fill a page, or carry out a form.

pub(crate) mod account;
pub(crate) mod enrol;
pub(crate) mod estate;
pub(crate) mod gateway;
pub(crate) mod health;
pub(crate) mod live;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod plan;
pub(crate) mod roles;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod trail;

use axum::response::Response;

use crate::error::WebError;

/// What every handler answers.
pub(crate) type Answer = Result<Response, WebError>;
