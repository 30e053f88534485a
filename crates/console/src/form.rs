//! Forms: read only after the three checks of [`crate::csrf`], strictly and within limits.

use api::Services;
use axum::extract::{Form, FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header;
use http_body_util::{BodyExt as _, Limited};

use crate::csrf;
use crate::error::WebError;
use crate::visit::Visit;

/// LIMIT: a form's body. The estate is the largest field: at most 1 MiB, which URL encoding can
/// triple.
const FORM_BYTES_MAX: usize = 3 * 1024 * 1024 + 64 * 1024;
/// LIMIT: fields of one form.
const FIELDS_MAX: usize = 500;

/// A form that came from a page of ours.
#[derive(Debug)]
pub(crate) struct Posted {
    /// The request it came with.
    pub(crate) visit: Visit,
    /// What was filled in.
    pub(crate) fields: Fields,
}

/// The fields of a form.
pub(crate) struct Fields(Vec<(String, String)>);

impl std::fmt::Debug for Fields {
    /// Names only: values may be passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Fields {
    /// The value of a field the page always sends.
    ///
    /// # Errors
    /// When it is missing or sent twice.
    pub(crate) fn one(&self, name: &str) -> Result<&str, WebError> {
        self.optional(name)?
            .ok_or_else(|| WebError::Malformed(format!("the field `{name}` is missing")))
    }

    /// The same without the space around it.
    pub(crate) fn trimmed(&self, name: &str) -> Result<&str, WebError> {
        self.one(name).map(str::trim)
    }

    /// The value of a field the page may leave out.
    ///
    /// # Errors
    /// When it is sent twice.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<&str>, WebError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() {
            return Err(WebError::Malformed(format!(
                "the field `{name}` was sent twice"
            )));
        }
        Ok(first)
    }

    /// Every value of a field that may be sent several times.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// An id of a hidden field.
    ///
    /// # Errors
    /// When it is missing or not an id of that kind.
    pub(crate) fn id<K: model::Kind>(&self, name: &str) -> Result<model::Id<K>, WebError> {
        self.one(name)?
            .parse()
            .map_err(|error: model::ParseIdError| WebError::Malformed(error.to_string()))
    }
}

impl FromRequest<Services> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, services: &Services) -> Result<Self, Response> {
        read(request, services)
            .await
            .map_err(IntoResponse::into_response)
    }
}

async fn read(request: Request, services: &Services) -> Result<Posted, WebError> {
    let visit = request
        .extensions()
        .get::<Visit>()
        .cloned()
        .ok_or_else(|| WebError::Malformed("the request has no visit".to_owned()))?;
    csrf::same_origin(request.headers()).map_err(WebError::Foreign)?;
    let (parts, body) = request.into_parts();
    let kind = parts
        .headers
        .get(header::CONTENT_TYPE)
        .map(http::HeaderValue::as_bytes);
    if !kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded")) {
        return Err(WebError::Malformed(
            "this address takes forms only".to_owned(),
        ));
    }
    let bytes = Limited::new(body, FORM_BYTES_MAX)
        .collect()
        .await
        .map_err(|_| WebError::TooLarge)?
        .to_bytes();
    let request = Request::from_parts(parts, axum::body::Body::from(bytes));
    let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, services)
        .await
        .map_err(|error| WebError::Malformed(error.body_text()))?;
    if fields.len() > FIELDS_MAX {
        return Err(WebError::TooLarge);
    }
    let fields = Fields(fields);
    csrf::verify(
        visit.form_cookie(),
        visit.session(),
        fields.optional("form_token")?,
    )
    .map_err(WebError::Foreign)?;
    Ok(Posted { visit, fields })
}
