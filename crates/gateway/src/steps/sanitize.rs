//! Fields of the body that the route cleans before the service sees them. It comes after
//! inspection, so that rules judge what was sent; what it made is inspected and validated again.

use std::sync::Arc;

use bytes::Bytes;
use estate::Mode;
use http::{HeaderName, StatusCode, header};

use crate::body::{self, Held};
use crate::flow::Flow;
use crate::inspect::BodyKind;
use crate::refused::Refused;
use crate::sanitize::{Cleaned, Cleaner, Unclean};
use crate::steps::{body as hold, inspect, validate, waf};

/// LIMIT: bytes of a body that is cleaned on the worker's own thread.
const SHORT_BYTES_MAX: usize = 8 * 1024;

/// Digests of a body that is another one now (RFC 9530).
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

/// Whether the route cleans anything of this body.
pub(crate) fn is_wanted(flow: &Flow<'_>, held: &Held) -> bool {
    let chosen = flow.chosen();
    chosen.is_some_and(|chosen| chosen.compiled.cleaner.is_some()) && !held.is_empty()
}

/// The body as the service gets it.
///
/// Where the route's validation only observes, nothing is changed: what would have been is
/// counted.
pub(crate) async fn body(flow: &mut Flow<'_>, held: Held) -> Result<Held, Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(held);
    };
    let mode = chosen.route.modes.validate;
    let cleaned = match clean(flow, &held).await {
        Ok(cleaned) => cleaned,
        Err(refused) => return flow.enforce(mode, refused).map(|()| held),
    };
    let Cleaned::Changed(new, count) = cleaned else {
        return Ok(held);
    };
    let max = chosen.route.limits.body_max.0;
    if u64::try_from(new.len()).unwrap_or(u64::MAX) > max {
        let refused = hold::too_long("sanitize.too_long");
        return flow.enforce(mode, refused).map(|()| held);
    }
    flow.shared.metrics.sanitized(count);
    if mode == Mode::Observe {
        let text = format!("{count} fields of the body would have been cleaned");
        let would = Refused::new(StatusCode::OK, "sanitize.changed", text);
        return flow.enforce(mode, would).map(|()| held);
    }
    let new = body::hold_bytes(Bytes::from(new), &flow.shared.budget).await;
    let new = new.map_err(|why| hold::refused(why, max))?;
    for name in &DIGESTS {
        flow.head.headers.remove(name);
    }
    // SECURITY: what is taken out of the middle of a word puts the word together.
    inspect::body(flow, &new).await?;
    waf::cleaned(flow, &new).await?;
    validate::body(flow, &new).await?;
    Ok(new)
}

async fn clean(flow: &Flow<'_>, held: &Held) -> Result<Cleaned, Refused> {
    let kind = flow.single(&header::CONTENT_TYPE).ok().map(BodyKind::of);
    let kind = kind.and_then(Result::ok);
    let kind = kind.ok_or_else(|| refused(Unclean::MediaType))?;
    if inspect::is_encoded(flow) {
        return Err(inspect::encoded());
    }
    let short = held.as_slice();
    let short = short.filter(|bytes| bytes.len() <= SHORT_BYTES_MAX);
    match (short, cleaner(flow)) {
        (Some(bytes), Some(cleaner)) => cleaner.clean(&kind, bytes).map_err(refused),
        _ => match long(flow, held, kind).await {
            Some(cleaned) => cleaned.map_err(refused),
            None => Err(hold::too_long("sanitize.too_long")),
        },
    }
}

fn cleaner<'a>(flow: &Flow<'a>) -> Option<&'a Arc<Cleaner>> {
    flow.chosen()?.compiled.cleaner.as_ref()
}

/// Cleans a longer body off the worker's thread, few at a time.
async fn long(flow: &Flow<'_>, held: &Held, kind: BodyKind) -> Option<Result<Cleaned, Unclean>> {
    let cleaner = Arc::clone(cleaner(flow)?);
    let slots = Arc::clone(&flow.shared.long_bodies);
    let slot = slots.acquire_owned().await.ok()?;
    let bytes = inspect::gather(held).await?;
    let cleaning = tokio::task::spawn_blocking(move || {
        let cleaned = cleaner.clean(&kind, &bytes);
        drop(slot);
        cleaned
    });
    cleaning.await.ok()
}

fn refused(why: Unclean) -> Refused {
    let (status, code, text) = match why {
        Unclean::MediaType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "sanitize.media_type",
            "fields of bodies of this type are not cleaned here, so that none is taken",
        ),
        Unclean::Malformed => (
            StatusCode::BAD_REQUEST,
            "sanitize.malformed",
            "the body is not what its Content-Type says",
        ),
        Unclean::TooLong => return hold::too_long("sanitize.too_long"),
    };
    Refused::new(status, code, text)
}
