//! Errors as RFC 9457 problem details: what went wrong, where, and under which request id.
//!
//! Internals never reach a caller: a defect shows its request id and nothing else.

use std::ops::Deref;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use model::{Denied, Diagnostic, ErrorKind, RequestId};
use serde::Serialize;

/// LIMIT: findings listed in one answer.
const ERRORS_MAX: usize = 200;

/// One finding about what the caller sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `error` or `warning`.
    pub level: &'static str,
    /// A stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// The file beside the text that it is about, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// One-based line, when the text has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// One-based column in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fault {
    /// A finding of a parser, with its place in `source`.
    #[must_use]
    pub fn of(diagnostic: &Diagnostic, source: &str) -> Self {
        let position = match &diagnostic.within {
            Some(within) => within.position,
            None => diagnostic.span.map(|span| span.position(source)),
        };
        Self {
            file: diagnostic.within.as_ref().map(|within| within.file.clone()),
            level: if diagnostic.is_error() {
                "error"
            } else {
                "warning"
            },
            code: diagnostic.code.to_string(),
            message: diagnostic.message.clone(),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            hint: diagnostic.hint.clone(),
        }
    }
}

/// The body of an error answer (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Details>);

impl Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

/// The fields of a [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Details {
    /// Names the kind of problem for programs: `urn:rampart:problem:` and the code.
    pub r#type: String,
    /// The same in words; the same for every occurrence.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The stable code alone.
    pub code: &'static str,
    /// Under which id the server's own records know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// Findings about what was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// Seconds to wait, for limits.
    #[serde(skip)]
    pub(crate) retry_after_s: Option<u64>,
    /// The permission that was missing, for the record.
    #[serde(skip)]
    pub(crate) missing: Option<String>,
}

impl Problem {
    /// A problem of a kind, with what happened this time.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        let (status, code, title) = words(kind);
        let detail = match kind {
            // SECURITY: what strangers see is not what the operator sees.
            ErrorKind::Internal | ErrorKind::Corrupt => {
                "the server could not do this; its log knows more under the request id".to_owned()
            }
            _ => detail.into(),
        };
        Self(Box::new(Details {
            r#type: format!("urn:rampart:problem:{code}"),
            title,
            status: status.as_u16(),
            detail,
            code,
            request_id: None,
            errors: Vec::new(),
            retry_after_s: (kind == ErrorKind::Limit).then_some(1),
            missing: None,
        }))
    }

    /// From an error of a service: its kind decides the status. Defects are logged here, because
    /// the caller will not see them.
    pub fn of<E: std::error::Error>(kind: ErrorKind, error: &E) -> Self {
        if matches!(kind, ErrorKind::Internal | ErrorKind::Corrupt) {
            tracing::error!(error = %chain(error), "an operation failed");
        }
        Self::new(kind, error.to_string())
    }

    /// Nobody is signed in, or the credential is wrong.
    #[must_use]
    pub fn unauthenticated(detail: &str) -> Self {
        Self::status(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Authentication is needed",
            detail,
        )
    }

    /// Another status with its own code.
    pub(crate) fn status(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let mut problem = Self::new(ErrorKind::Invalid, detail);
        problem.0.r#type = format!("urn:rampart:problem:{code}");
        problem.0.title = title;
        problem.0.status = status.as_u16();
        problem.0.code = code;
        problem
    }

    /// Adds the parser's findings.
    #[must_use]
    pub fn with_diagnostics(mut self, diagnostics: &[Diagnostic], source: &str) -> Self {
        self.0.errors = diagnostics
            .iter()
            .take(ERRORS_MAX)
            .map(|d| Fault::of(d, source))
            .collect();
        self
    }

    /// Adds one finding.
    #[must_use]
    pub(crate) fn with_fault(mut self, fault: Fault) -> Self {
        self.0.errors.push(fault);
        self
    }

    /// Says how long to wait.
    #[must_use]
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after_s = Some(wait.as_secs().max(1));
        self
    }

    /// Names the request.
    #[must_use]
    pub fn request(mut self, id: RequestId) -> Self {
        self.0.request_id = Some(id);
        self
    }
}

fn words(kind: ErrorKind) -> (StatusCode, &'static str, &'static str) {
    match kind {
        ErrorKind::Invalid => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "The request cannot be carried out as it is",
        ),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is no such thing"),
        ErrorKind::Denied => (StatusCode::FORBIDDEN, "denied", "Not allowed"),
        ErrorKind::Conflict => (
            StatusCode::CONFLICT,
            "conflict",
            "The state is not what the request assumed",
        ),
        ErrorKind::Limit => (
            StatusCode::TOO_MANY_REQUESTS,
            "limit",
            "A limit was reached",
        ),
        ErrorKind::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Something that is needed is away",
        ),
        // `Corrupt`, `Internal`.
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The server failed",
        ),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let mut problem = Self::new(ErrorKind::Denied, denied.to_string());
        problem.0.missing = Some(denied.needed.to_string());
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(r#"Bearer realm="rampart""#),
            );
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // The guard adds the request id and records refusals.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests;
