//! Holds the body of an answer while it is short and comes soon; anything else passes.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use tokio::time::{Instant, timeout_at};

use super::Begun;
use crate::body::{Budget, Room};
use crate::exchange::{BoxError, Outgoing};

/// LIMIT: how long an answer is held whose length its service has said: it is one whole, and most
/// readers have no use for a part of it.
const WHOLE_MAX: Duration = Duration::from_secs(5);
/// LIMIT: how long one is held that comes without its length. It may be a stream, to be read as it
/// comes, and nothing but time tells.
const OPEN_MAX: Duration = Duration::from_secs(1);

/// What became of an answer's body.
#[derive(Debug)]
pub(crate) enum Kept {
    /// All of it is here. The room is held as long as the bytes are looked into.
    Whole(Bytes, Option<HeaderMap>, Room),
    /// It is too long, too slow, or there is no room: nobody looks into it.
    Passes(Outgoing),
}

/// Holds `body` up to `max` bytes.
///
/// # Errors
/// When the service broke off.
pub(crate) async fn hold(
    mut body: Outgoing,
    max: usize,
    budget: &Arc<Budget>,
) -> Result<Kept, BoxError> {
    let room = Room::new(budget);
    if let Outgoing::Full(bytes) = &mut body {
        return Ok(Kept::Whole(std::mem::take(bytes), None, room));
    }
    let declared = body.size_hint().lower();
    if usize::try_from(declared).is_ok_and(|length| length > max) {
        return Ok(Kept::Passes(body));
    }
    let held_max = match body.size_hint().exact() {
        Some(_) => WHOLE_MAX,
        None => OPEN_MAX,
    };
    let mut room = room;
    let mut bytes = Vec::new();
    let mut trailers = None;
    let ends = Instant::now() + held_max;
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let Ok(frame) = timeout_at(ends, frame).await else {
            return Ok(passes(bytes, body, trailers));
        };
        let Some(frame) = frame.transpose()? else {
            return Ok(Kept::Whole(Bytes::from(bytes), trailers, room));
        };
        match frame.into_data() {
            Ok(data) => {
                let has_room = room.grow(data.len());
                bytes.extend_from_slice(&data);
                if !has_room || bytes.len() > max {
                    return Ok(passes(bytes, body, trailers));
                }
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
}

fn passes(bytes: Vec<u8>, rest: Outgoing, trailers: Option<HeaderMap>) -> Kept {
    let begun = Begun::new(Bytes::from(bytes), rest, trailers);
    Kept::Passes(Outgoing::Begun(Box::new(begun)))
}
