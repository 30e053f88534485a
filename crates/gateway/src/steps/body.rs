//! The body: held whole before anything is sent on, unless the route says that it is streamed.

use estate::BodyMode;
use http::StatusCode;
use http_body::Body as _;
use model::ByteSize;
use std::time::Duration;

use crate::body::{self, Carried, Held, Limits, Streamed};
use crate::flow::Flow;
use crate::refused::Refused;

/// LIMIT: bytes of a body for the console, whose largest is an estate with its documents.
const CONSOLE_BODY_MAX: u64 = 12 << 20;
/// When to try again while there is no room for bodies.
const ROOM_AFTER: Duration = Duration::from_secs(1);

/// Takes the body in, or lets it come while it is sent on, as the route says.
pub(crate) async fn take(flow: &mut Flow<'_>) -> Result<Carried, Refused> {
    if flow
        .chosen()
        .is_some_and(|chosen| chosen.route.body == BodyMode::Stream)
    {
        return stream(flow);
    }
    hold(flow).await.map(Carried::Held)
}

/// Refuses what is declared longer than the route allows; the rest is seen as it comes.
fn stream(flow: &mut Flow<'_>) -> Result<Carried, Refused> {
    let Some(incoming) = flow.body.take().filter(|body| !body.is_end_stream()) else {
        return Ok(Carried::empty());
    };
    let limits = limits(flow);
    let body = Streamed::new(incoming, &limits).map_err(|why| refused(why, limits.max))?;
    // What comes without a length is not known yet when the request is recorded.
    flow.body_bytes = body.length().unwrap_or(0);
    Ok(Carried::Streamed(Box::new(body)))
}

/// What is said of a body that broke a rule on its way to the service.
pub(crate) fn broke_off(flow: &Flow<'_>, why: body::Refused) -> Refused {
    refused(why, limits(flow).max)
}

/// Takes the body in, within the limits of the route.
pub(crate) async fn hold(flow: &mut Flow<'_>) -> Result<Held, Refused> {
    let Some(incoming) = flow.body.take() else {
        return Ok(Held::empty());
    };
    if incoming.is_end_stream() {
        return Ok(Held::empty());
    }
    let limits = limits(flow);
    // Boxed: most requests have no body, and a future is copied whole, with all it might await.
    match Box::pin(body::hold(incoming, &limits, &flow.shared.budget)).await {
        Ok(held) => {
            flow.body_bytes = held.len();
            Ok(held)
        }
        Err(why) => Err(refused(why, limits.max)),
    }
}

fn limits(flow: &Flow<'_>) -> Limits {
    let estate = &flow.state.estate().limits;
    let limits = flow.chosen().map_or(estate, |chosen| &chosen.route.limits);
    let max = if flow.console {
        CONSOLE_BODY_MAX
    } else {
        limits.body_max.0
    };
    Limits {
        max,
        bytes_per_s_min: limits.body_bytes_per_s_min.0,
        grace: limits.head_timeout,
    }
}

/// The refusal of a body that a step cannot look into.
pub(crate) fn too_long(code: &'static str) -> Refused {
    let text = "the body is too long to be looked into";
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, code, text)
}

/// The refusal of a body that cannot be held.
pub(crate) fn refused(why: body::Refused, max: u64) -> Refused {
    let text = match why {
        body::Refused::TooLarge => format!("the body is longer than {}", ByteSize(max)).into(),
        body::Refused::TooSlow => "the body arrives too slowly".into(),
        body::Refused::Budget => "there is no room for the body right now".into(),
        body::Refused::Broken => std::borrow::Cow::Borrowed("the body's framing is broken"),
    };
    let refused = Refused::new(why.status(), why.code(), text);
    if refused.status == StatusCode::SERVICE_UNAVAILABLE {
        return refused.retry_after(ROOM_AFTER);
    }
    refused
}
