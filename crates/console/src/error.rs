//! Failures as pages. A handler returns a [`WebError`]; the page is made once, around every
//! answer, where it is known who asked and how their browser looks.

use api::Services;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use model::{Class, Context, Denied, ErrorKind, Event, Outcome, Reason, Severity, activity, ocsf};

use crate::frame::{Frame, Place};
use crate::pages::error::{ErrorPage, PlainErrorPage, Said};
use crate::render::html_with;
use crate::session;
use crate::ui::{Copy, Prose};
use crate::visit::Visit;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebError {
    /// A permission is missing.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The form did not come from a page of ours.
    #[error("{}", .0.text)]
    Foreign(Reason),
    /// There is nothing at this address.
    #[error("there is nothing here")]
    NotFound,
    /// The address exists, not with this method.
    #[error("this address does not take that method")]
    Method,
    /// The request is not what our own pages send.
    #[error("{0}")]
    Malformed(String),
    /// The body is larger than any form of ours.
    #[error("this is more than the form takes")]
    TooLarge,
    /// A service could not do what was asked.
    #[error("{text}")]
    Failed {
        /// What sort of failure.
        kind: ErrorKind,
        /// What it says.
        text: String,
    },
}

impl WebError {
    /// A service's error. Defects are logged here: the reader sees the request id only.
    pub(crate) fn failed<E: std::error::Error>(kind: ErrorKind, error: &E) -> Self {
        if matches!(kind, ErrorKind::Internal | ErrorKind::Corrupt) {
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            tracing::error!(%error, source, "an operation failed");
        }
        Self::Failed {
            kind,
            text: error.to_string(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Denied(_) | Self::Foreign(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Failed { kind, .. } => match kind {
                ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                ErrorKind::Denied => StatusCode::FORBIDDEN,
                ErrorKind::Conflict => StatusCode::CONFLICT,
                ErrorKind::Limit => StatusCode::TOO_MANY_REQUESTS,
                ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Denied(_) => "Your roles do not open this page",
            Self::Foreign(_) => "This form was not accepted",
            Self::NotFound => "There is nothing here",
            Self::Method => "Not like this",
            Self::Malformed(_) => "This request makes no sense",
            Self::TooLarge => "Too large",
            Self::Failed { kind, .. } => match kind {
                ErrorKind::Invalid => "This cannot be done as it is",
                ErrorKind::NotFound => "There is nothing here",
                ErrorKind::Denied => "Not allowed",
                ErrorKind::Conflict => "Something changed meanwhile",
                ErrorKind::Limit => "Too much at once",
                ErrorKind::Unavailable => "Something that is needed is away",
                _ => "The server failed",
            },
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Denied(_) => "It needs a permission you do not hold.".to_owned(),
            Self::NotFound
            | Self::Failed {
                kind: ErrorKind::NotFound,
                ..
            } => "The address is wrong, or what it named is gone.".to_owned(),
            // SECURITY: internals stay behind the request id.
            Self::Failed {
                kind: ErrorKind::Internal | ErrorKind::Corrupt,
                ..
            } => "Nothing was changed. The server's log knows more under this request's id."
                .to_owned(),
            other => sentence(&other.to_string()),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Denied(_) => {
                "Somebody who holds it can give you a role that has it. This refusal was recorded."
            }
            Self::Foreign(_) => "Go back, load the page again and send the form once more.",
            Self::Failed { kind, .. } => match kind {
                ErrorKind::Limit => "Wait a moment, then try again.",
                ErrorKind::Conflict => "Load the page again to see the present state.",
                ErrorKind::Unavailable => {
                    "It heals by itself when what is away comes back; the overview says more."
                }
                _ => "",
            },
            _ => "",
        }
    }
}

/// A message of a service as a sentence.
pub(crate) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let end = if message.ends_with(['.', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{}{end}", first.to_uppercase(), letters.as_str())
}

/// What [`page`] needs, on its way through the layers.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    title: &'static str,
    text: String,
    hint: &'static str,
    missing: Option<Denied>,
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let failure = Failure {
            status: self.status(),
            title: self.title(),
            text: self.text(),
            hint: self.hint(),
            missing: match self {
                Self::Denied(denied) => Some(denied),
                _ => None,
            },
        };
        let mut response = failure.status.into_response();
        response.extensions_mut().insert(failure);
        response
    }
}

/// The page for a failure; records it when it is a refusal of somebody known.
pub(crate) async fn page(services: &Services, visit: &Visit, failure: Failure) -> Response {
    if let (Some(ctx), Some(denied)) = (visit.known(), &failure.missing) {
        record_refusal(services, visit, ctx, denied).await;
    }
    let request_id = visit.request_id().to_string();
    let said = Said {
        status: failure.status.as_u16(),
        title: failure.title.to_owned(),
        text: Prose::from(failure.text),
        hint: Prose::from(failure.hint),
        missing: failure.missing.map(|denied| denied.needed.to_string()),
        copy: Copy::new(request_id.clone(), "request id"),
        request_id,
    };
    let status = failure.status;
    match visit.known() {
        Some(ctx) => {
            let around = session::around(services, visit, ctx);
            let frame = Frame::below(around, Place::Elsewhere, &said.title);
            html_with(status, &ErrorPage { frame, said })
        }
        None => {
            let plain = visit.plain(&said.title, services);
            html_with(status, &PlainErrorPage { plain, said })
        }
    }
}

/// A known person was refused a page: a fact for the trail.
async fn record_refusal(services: &Services, visit: &Visit, ctx: &Context, denied: &Denied) {
    let event = Event::change(
        "console.page.refused",
        ctx,
        &*services.clock,
        &*services.entropy,
    )
    .class(Class::Use)
    .ocsf(ocsf::API_ACTIVITY, activity::SECOND)
    .outcome(Outcome::Refused)
    .severity(Severity::Low)
    .target("page", visit.path())
    .message(format!(
        "refused the page `{}`: the permission `{}` is missing",
        visit.path(),
        denied.needed
    ))
    .with("permission", denied.needed.as_str());
    // The page is refused whether or not that can be recorded; the trail's health says the rest.
    if let Err(error) = services.trail.append(vec![event]).await {
        tracing::error!(%error, "a refusal could not be recorded");
    }
}

#[cfg(test)]
mod tests;
