//! What callers send, read strictly: JSON of a declared type, bounded in size and depth, without
//! unknown or repeated fields; and query parameters the same way.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use http::request::Parts;
use http::{StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use model::ErrorKind;
use serde::de::DeserializeOwned;

use crate::problem::{Fault, Problem};

/// LIMIT: of a request body, but where an endpoint says otherwise.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// LIMIT: arrays and objects within each other. No request type nests deeper than four.
const DEPTH_MAX: usize = 16;

/// A JSON body of type `T`, whose fields are all known (`deny_unknown_fields`), of at most `MAX`
/// bytes.
#[derive(Debug)]
pub(crate) struct Json<T, const MAX: usize = BODY_BYTES_MAX>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned, const MAX: usize> FromRequest<S> for Json<T, MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.split(';').next().unwrap_or_default().trim());
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            return Err(Problem::status(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "The body is not of the right type",
                "this endpoint reads `application/json`",
            ));
        }
        let bytes = Limited::new(request.into_body(), MAX)
            .collect()
            .await
            .map_err(|_| {
                Problem::status(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too_large",
                    "The body is too large",
                    format!("a body has at most {MAX} bytes, and arrives whole"),
                )
            })?
            .to_bytes();
        parse(&bytes).map(Self)
    }
}

/// Reads `T` from JSON.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if depth(bytes) > DEPTH_MAX {
        return Err(malformed(
            format!("values nest deeper than {DEPTH_MAX} levels"),
            None,
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let place = (error.line() > 0).then(|| (error.line(), error.column()));
        malformed(plain(&error), place)
    })
}

/// serde_json's message without the position, which has fields of its own.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn malformed(message: String, place: Option<(usize, usize)>) -> Problem {
    Problem::status(
        StatusCode::BAD_REQUEST,
        "malformed",
        "The body is not what this endpoint reads",
        message.clone(),
    )
    .with_fault(Fault {
        level: "error",
        code: "malformed".to_owned(),
        message,
        file: None,
        line: place.map(|(line, _)| line),
        column: place.map(|(_, column)| column),
        hint: None,
    })
}

/// The deepest nesting, brackets within strings not counted. Malformed input is the parser's to
/// refuse; here it only must not be deep.
fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut deepest) = (0usize, 0usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in bytes {
        match (quoted, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (true, false, b'"') => quoted = false,
            (true, ..) => {}
            (false, _, b'"') => quoted = true,
            (false, _, b'[' | b'{') => {
                now += 1;
                deepest = deepest.max(now);
            }
            (false, _, b']' | b'}') => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Query parameters of type `T`, whose fields are all known.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(params)| Self(params))
            .map_err(|error| {
                Problem::status(
                    StatusCode::BAD_REQUEST,
                    "malformed",
                    "The query is not what this endpoint reads",
                    error.body_text(),
                )
            })
    }
}

/// An id from a path segment.
///
/// # Errors
/// A problem that says what an id looks like.
pub(crate) fn id<K: model::Kind>(text: &str) -> Result<model::Id<K>, Problem> {
    text.parse()
        .map_err(|error: model::ParseIdError| Problem::new(ErrorKind::NotFound, error.to_string()))
}

#[cfg(test)]
mod tests;
