//! The route's OpenAPI document: only what it describes goes on.
//!
//! Never repeats a value in what it says: names and places only.

use std::sync::Arc;

use http::{StatusCode, header};
use openapi::{Found, HeadView, Keyword, Place, Violation, Violations};

use crate::body::Held;
use crate::contract::Head;
use crate::flow::Flow;
use crate::overriding;
use crate::refused::{Fault, More, Refused};
use crate::steps::{body, forward, inspect};

/// LIMIT: faults named in one answer.
const FAULTS_MAX: usize = 20;

/// Looks at path, method and parameters.
pub(crate) fn head(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let Some(document) = &chosen.compiled.document else {
        return Ok(());
    };
    let mode = chosen.route.modes.validate;
    let path = flow.head.uri.path();
    let path = forward::stripped(path, &chosen).unwrap_or(path);
    let refused = match document.find(flow.head.method.as_str(), path) {
        Found::NoPath => Refused::new(
            StatusCode::NOT_FOUND,
            "validate.path",
            "the API's document has no such path",
        ),
        Found::NoMethod { allow } => Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "validate.method",
            "the API's document has no such method for this path",
        )
        .with(More {
            allow: Some(allow.join(", ")),
            ..More::default()
        }),
        Found::Operation(operation, captures) => {
            let mut violations = Violations::new();
            let view = HeadView {
                path,
                captures: &captures,
                query: flow.head.uri.query(),
                fields: &Head(&flow.head.headers),
            };
            operation.check_head(&view, &mut violations);
            flow.operation = Some(operation);
            if overriding::is_in_headers(&flow.head) {
                // SECURITY: the service would do another operation than the one that was checked.
                let text = "a header names another method than the request's";
                Refused::new(StatusCode::BAD_REQUEST, "validate.method_override", text)
            } else if violations.is_empty() {
                return Ok(());
            } else {
                said(&violations)
            }
        }
    };
    flow.enforce(mode, refused)
}

/// Looks at the body.
pub(crate) async fn body(flow: &mut Flow<'_>, held: &Held) -> Result<(), Refused> {
    let Some(operation) = flow.operation else {
        return Ok(());
    };
    let mode = flow.chosen().map(|chosen| chosen.route.modes.validate);
    let Some(mode) = mode else {
        return Ok(());
    };
    if !held.is_empty() && inspect::is_encoded(flow) {
        return flow.enforce(mode, inspect::encoded());
    }
    let violations = match held.as_slice() {
        Some(bytes) => {
            let mut violations = Violations::new();
            let kind = flow.head.headers.get(header::CONTENT_TYPE);
            let kind = kind.filter(|_| !bytes.is_empty());
            let bytes = (!bytes.is_empty()).then_some(bytes);
            operation.check_body(kind.map(|kind| kind.as_bytes()), bytes, &mut violations);
            violations
        }
        None => match Box::pin(long(flow, held)).await {
            Some(violations) => violations,
            None => return flow.enforce(mode, body::too_long("validate.too_long")),
        },
    };
    if violations.is_empty() {
        return Ok(());
    }
    flow.enforce(mode, said(&violations))
}

/// Looks into a body that lies on disk: off the worker's thread, few at a time. `None` when it is
/// too long or cannot be read.
async fn long(flow: &Flow<'_>, held: &Held) -> Option<Violations> {
    let document = Arc::clone(flow.chosen()?.compiled.document.as_ref()?);
    let operation = flow.operation?;
    let (method, template) = (
        operation.method().to_owned(),
        operation.template().to_owned(),
    );
    let kind = flow.head.headers.get(header::CONTENT_TYPE).cloned();
    let slots = Arc::clone(&flow.shared.long_bodies);
    let slot = slots.acquire_owned().await.ok()?;
    let bytes = inspect::gather(held).await?;
    let checking = tokio::task::spawn_blocking(move || {
        let mut all = document.operations();
        let same = all.find(|one| one.method() == method && one.template() == template)?;
        let mut violations = Violations::new();
        let kind = kind.as_ref().map(|kind| kind.as_bytes());
        same.check_body(kind, Some(&bytes), &mut violations);
        drop(slot);
        Some(violations)
    });
    checking.await.ok().flatten()
}

/// The refusal of a request that has `violations`.
pub(crate) fn said(violations: &Violations) -> Refused {
    let mut all = violations.iter();
    let Some(first) = all.next() else {
        let text = "the request is not what the API's document says";
        return Refused::new(StatusCode::BAD_REQUEST, "validate.request", text);
    };
    let (status, code) = sort(first);
    let dropped = usize::try_from(violations.dropped()).unwrap_or(usize::MAX);
    let text = match all.len().saturating_add(dropped) {
        0 => first.to_string(),
        more => format!("{first}, and {more} more"),
    };
    let faults = violations.iter().take(FAULTS_MAX).map(fault).collect();
    Refused::new(status, code, text).with(More {
        argument: Some(first.place.to_string()),
        faults,
        ..More::default()
    })
}

fn sort(violation: &Violation) -> (StatusCode, &'static str) {
    let bad = StatusCode::BAD_REQUEST;
    match (violation.keyword, &violation.place) {
        (Keyword::TooComplex, _) => (bad, "validate.too_complex"),
        (Keyword::MediaType, _) | (_, Place::ContentType) => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "validate.media_type")
        }
        (_, Place::Body(_)) => (bad, "validate.body"),
        _ => (bad, "validate.parameter"),
    }
}

fn fault(violation: &Violation) -> Fault {
    let named = |name: &String| (Some(name.clone()), None);
    let (place, (name, pointer)) = match &violation.place {
        Place::Path(name) => ("path", named(name)),
        Place::Query(name) => ("query", named(name)),
        Place::Header(name) => ("header", named(name)),
        Place::Cookie(name) => ("cookie", named(name)),
        Place::Body(pointer) => ("body", (None, Some(pointer.clone()))),
        Place::ContentType => ("header", (Some("content-type".to_owned()), None)),
        _ => ("request", (None, None)),
    };
    Fault {
        r#in: place,
        name,
        pointer,
        keyword: violation.keyword.as_str(),
        detail: violation.text.clone(),
    }
}
