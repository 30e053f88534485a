//! The built-in rules against plain injection, and whether a body is what it says it is.

use std::sync::Arc;

use estate::Mode;
use http::{StatusCode, header};

use crate::body::Held;
use crate::flow::Flow;
use crate::inspect::{BodyError, BodyKind, Finding};
use crate::refused::{More, Refused};

/// LIMIT: bytes of a body that can be looked into; a longer one that claims to be text is refused
/// where the rules block, for nothing would be known about it.
const BODY_BYTES_MAX: usize = 8 << 20;

/// Looks at path, query and headers.
pub(crate) fn head(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let found = flow
        .shared
        .rules
        .head(flow.path(), flow.head.uri.query(), &flow.head.headers);
    match found {
        None => Ok(()),
        Some(finding) => flow.enforce(chosen.route.modes.inspect, found_refused(finding)),
    }
}

/// Looks at the body: that it is what `Content-Type` says, and what is in it.
pub(crate) async fn body(flow: &mut Flow<'_>, held: &Held) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    if held.is_empty() {
        return Ok(());
    }
    let modes = &chosen.route.modes;
    // SECURITY: what cannot be read was seen by no rule, whatever validation makes of it.
    let unread = match modes.inspect {
        Mode::Block => Mode::Block,
        Mode::Observe => modes.validate,
    };
    let kind = match kind(flow) {
        Ok(BodyKind::Opaque) => return Ok(()),
        Ok(kind) => kind,
        Err(refused) => return flow.enforce(unread, refused),
    };
    if is_encoded(flow) {
        // SECURITY: looked at as it stands, it would be another text than the service decodes.
        return flow.enforce(unread, encoded());
    }
    let looked = match held.as_slice() {
        Some(bytes) => flow.shared.rules.body(kind, bytes),
        None => {
            let rules = Arc::clone(&flow.shared.rules);
            let look = move |bytes: &[u8]| rules.body(kind, bytes);
            match Box::pin(off_thread(flow, held, look)).await {
                Some(looked) => looked,
                None => return flow.enforce(modes.inspect, too_long()),
            }
        }
    };
    match looked {
        Ok(None) => Ok(()),
        Ok(Some(finding)) => flow.enforce(modes.inspect, found_refused(finding)),
        Err(error) => flow.enforce(unread, malformed(&error)),
    }
}

fn kind(flow: &Flow<'_>) -> Result<BodyKind, Refused> {
    let Ok(kind) = flow.single(&header::CONTENT_TYPE) else {
        let text = "more than one Content-Type";
        return Err(invalid("body.content_type_repeated", text));
    };
    BodyKind::of(kind).map_err(|error| malformed(&error))
}

/// Whether what stands in a body is what a service will read there: its type said once, in a
/// character set that is read as it stands, and in no coding.
///
/// # Errors
/// Why not.
pub(crate) fn readable(flow: &Flow<'_>) -> Result<(), Refused> {
    kind(flow)?;
    if is_encoded(flow) {
        return Err(encoded());
    }
    Ok(())
}

/// Whether the body stands in a coding (RFC 9110 §8.4).
pub(crate) fn is_encoded(flow: &Flow<'_>) -> bool {
    let mut codings = flow
        .head
        .headers
        .get_all(header::CONTENT_ENCODING)
        .into_iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

pub(crate) fn encoded() -> Refused {
    Refused::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "body.encoded",
        "a compressed body cannot be looked into; send it as it is",
    )
}

/// How the body is to be read; `None` where its type says nothing that is understood.
pub(crate) fn readable_kind(flow: &Flow<'_>) -> Option<BodyKind> {
    kind(flow).ok()
}

/// Whether a body is longer than what is ever looked into.
pub(crate) fn is_too_long(held: &Held) -> bool {
    usize::try_from(held.len()).map_or(true, |length| length > BODY_BYTES_MAX)
}

/// Looks into a body that lies on disk: off the worker's thread, few at a time. `None` when it is
/// too long or cannot be read.
pub(crate) async fn off_thread<T: Send + 'static>(
    flow: &Flow<'_>,
    held: &Held,
    look: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Option<T> {
    let slots = Arc::clone(&flow.shared.long_bodies);
    let slot = slots.acquire_owned().await.ok()?;
    let bytes = gather(held).await?;
    let looking = tokio::task::spawn_blocking(move || {
        let looked = look(&bytes);
        drop(slot);
        looked
    });
    looking.await.ok()
}

/// All bytes of a body; `None` when it is too long to be looked into, or cannot be read.
pub(crate) async fn gather(held: &Held) -> Option<Vec<u8>> {
    let length = usize::try_from(held.len()).ok()?;
    if is_too_long(held) {
        return None;
    }
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let at = u64::try_from(bytes.len()).ok()?;
        let chunk = held.chunk(at).await.ok()?;
        if chunk.is_empty() {
            return None;
        }
        bytes.extend_from_slice(&chunk);
    }
    Some(bytes)
}

fn too_long() -> Refused {
    let text = "the body is too long to be looked into";
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "inspect.too_long", text)
}

fn found_refused(finding: Finding) -> Refused {
    let text = finding.sentence();
    Refused::new(StatusCode::FORBIDDEN, finding.category.code(), text).with(More {
        rule: Some(finding.rule),
        argument: Some(finding.name),
        ..More::default()
    })
}

fn malformed(error: &BodyError) -> Refused {
    invalid(error.code(), error.text())
}

fn invalid(code: &'static str, text: &'static str) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, code, text)
}

#[cfg(test)]
mod tests;
