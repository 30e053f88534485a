//! Parameters after the question mark; what cannot be read becomes a page that says so.

use axum::extract::{FromRequestParts, Query};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::WebError;

/// The parameters of an address.
#[derive(Debug)]
pub(crate) struct Parameters<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(parameters)| Self(parameters))
            .map_err(|error| WebError::Malformed(error.body_text()).into_response())
    }
}
