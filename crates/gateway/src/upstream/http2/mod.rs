//! Services that speak HTTP/2 (RFC 9113): few connections for each address, every one of them
//! carrying many requests at once.
//!
//! A request that the service says it did not process (REFUSED_STREAM, or GOAWAY with a lower last
//! stream, RFC 9113 §8.7) is sent once more, whatever its method, as long as nothing of a streamed
//! body was passed on. One that was lost with an older connection is, when it is idempotent.

mod body;
mod call;
mod link;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahash::AHashMap;
use http::{Request, Response};
use tokio::time::Instant;

pub(crate) use body::Http2Body;

use self::call::{Call, Lost};
use self::link::{Link, Seat};
use super::pool::{PoolUse, Turn};
use super::stream::Stream;
use super::target::{Endpoint, Target};
use super::{Failed, ResponseBody, Timeouts, Upstreams};
use crate::body::Carried;

/// LIMIT: connections of one worker to one address. With [`link::STREAMS_MAX`] on each, they carry
/// more requests than one address gets at once.
const LINKS_MAX: usize = 16;
/// LIMIT: how often one request is sent.
const SENT_MAX: usize = 2;
/// A connection without requests is closed after so long.
const IDLE_FOR: Duration = Duration::from_secs(50);

/// The connections of one worker to every address that is spoken to in HTTP/2.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<AHashMap<(u64, usize), Arc<Place>>>);

/// The connections to one address.
#[derive(Debug, Default)]
struct Place {
    links: Mutex<Vec<Link>>,
    /// Held while one is being opened, so that many requests at once open one and not many.
    opening: tokio::sync::Mutex<()>,
}

/// Sends `request` and waits for the head of the response.
pub(super) async fn send(
    upstreams: &Upstreams,
    target: &Target,
    request: Request<Carried>,
    timeouts: &Timeouts,
) -> Result<Response<ResponseBody>, Failed> {
    let mut request = request;
    let mut turn = upstreams.turn(target);
    let (mut sent, mut tried) = (0, 0);
    loop {
        let call = call(upstreams, &turn, target, timeouts.connect).await?;
        let (again, failed) = match call.ask(request, timeouts).await {
            Ok(response) => return Ok(response),
            Err(Lost::Unsent(again)) => {
                // Each of them is a connection less.
                tried += 1;
                if tried > LINKS_MAX {
                    return Err(Failed::Broken);
                }
                request = *again;
                continue;
            }
            Err(Lost::Unprocessed(again)) => (again, Failed::TooMany),
            Err(Lost::Unanswered(again)) => {
                turn.pass_over();
                (again, Failed::Broken)
            }
            Err(Lost::Failed(failed)) => return Err(failed),
        };
        sent += 1;
        request = *again.filter(|_| sent < SENT_MAX).ok_or(failed)?;
    }
}

/// Room for one request, at the first address that has some.
async fn call(
    upstreams: &Upstreams,
    turn: &Turn,
    target: &Target,
    limit: Duration,
) -> Result<Call, Failed> {
    let mut failed = Failed::Refused;
    for index in turn.order().iter().copied() {
        let Some(endpoint) = target.endpoints.get(index) else {
            continue;
        };
        let Some(home) = turn.enter(index) else {
            failed = Failed::TooMany;
            continue;
        };
        let place = upstreams.http2.place(target.id, index);
        match place.seat(target, endpoint, limit).await {
            Ok(seat) => return Ok(Call::new(seat, home, target.tls.is_some())),
            Err(error) => {
                if error != Failed::TooMany {
                    turn.took_none(index);
                }
                failed = error;
            }
        }
    }
    Err(failed)
}

impl Places {
    fn place(&self, target: u64, index: usize) -> Arc<Place> {
        let mut places = lock(&self.0);
        Arc::clone(places.entry((target, index)).or_default())
    }

    /// Closes connections that ended or were idle for too long, and forgets addresses nobody uses.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        lock(&self.0).retain(|_, place| {
            let mut links = lock(&place.links);
            links.retain(|link| !link.is_ended() && link.idle_for(now) < IDLE_FOR);
            !links.is_empty() || Arc::strong_count(place) > 1
        });
    }

    /// How many connections there are.
    pub(super) fn usage(&self) -> PoolUse {
        let mut sum = PoolUse::default();
        for place in lock(&self.0).values() {
            for link in lock(&place.links).iter().filter(|link| !link.is_ended()) {
                sum.open = sum.open.saturating_add(1);
                sum.idle = sum.idle.saturating_add(usize::from(link.is_idle()));
            }
        }
        sum
    }
}

impl Place {
    /// Room for one request, on a connection there is or on a new one.
    async fn seat(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        limit: Duration,
    ) -> Result<Seat, Failed> {
        if let Some(seat) = self.free() {
            return Ok(seat);
        }
        let turn = tokio::time::timeout(limit, self.opening.lock());
        let turn = turn.await.map_err(|_| Failed::ConnectTimeout)?;
        // Who came first may have opened one in the meantime.
        if let Some(seat) = self.free() {
            return Ok(seat);
        }
        if lock(&self.links).len() >= LINKS_MAX {
            return Err(Failed::TooMany);
        }
        let stream = Stream::connect(target, endpoint, limit).await?;
        if !stream.is_http2() {
            tracing::warn!(service = %target.name, "the upstream does not speak HTTP/2 over TLS");
            return Err(Failed::Tls);
        }
        let link = tokio::time::timeout(limit, Link::open(stream));
        let link = link.await.map_err(|_| Failed::ConnectTimeout)??;
        let seat = link.seat().ok_or(Failed::Broken)?;
        lock(&self.links).push(link);
        drop(turn);
        Ok(seat)
    }

    fn free(&self) -> Option<Seat> {
        let mut links = lock(&self.links);
        links.retain(|link| !link.is_ended());
        links.iter().find_map(Link::seat)
    }
}

/// A panic while one of these is held leaves lists that are still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
