//! Services that speak HTTP/2 (RFC 9113): few connections for each address, every one of them
//! carrying many requests at once.
//!
//! A request that the service says it did not process (REFUSED_STREAM, or GOAWAY with a lower last
//! stream, RFC 9113 §8.7) may be sent again whatever its method; for all others, and for how often,
//! what holds over HTTP/1.1 does (see `retry`).

mod body;
mod call;
mod link;
mod probe;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub(crate) use body::Http2Body;
pub(super) use link::Seat;
pub(super) use probe::probe;

use self::call::Call;
use self::link::Link;
use super::member::Endpoint;
use super::pool::{Open, Turn};
use super::request::ServiceRequest;
use super::retry::Lost;
use super::stream::Stream;
use super::target::Target;
use super::{Failed, ResponseBody, Timeouts};
use crate::reply::Reply;

/// LIMIT: connections of one worker to one address. With [`link::STREAMS_MAX`] on each, they carry
/// more requests than one address gets at once.
const LINKS_MAX: usize = 16;
/// A connection without requests is closed after so long.
const IDLE_FOR: Duration = Duration::from_secs(50);

/// The connections of one worker to one address.
#[derive(Debug, Default)]
pub(super) struct Links {
    all: Mutex<Vec<Link>>,
    /// Held while one is being opened, so that many requests at once open one and not many.
    opening: tokio::sync::Mutex<()>,
}

/// Sends `request` and waits for the head of the response.
pub(super) async fn send(
    mut turn: Turn,
    target: &Target,
    mut request: ServiceRequest,
    timeouts: &Timeouts,
) -> Result<Reply<ResponseBody>, Failed> {
    let mut unsent = 0_usize;
    loop {
        let (seat, home) = loop {
            match turn.seat(target, timeouts.connect).await {
                Ok(room) => break room,
                Err(failed) => turn.elsewhere(failed)?,
            }
        };
        let origin = seat.origin();
        let call = Call::new(seat, home, target.tls.is_some());
        request = match call.ask(request, timeouts, &mut turn).await {
            Ok(response) => return Ok(response),
            Err(Lost::Unsent(request)) => {
                // It cost the service nothing; but each time it is a connection less.
                unsent = unsent.saturating_add(1);
                if unsent > LINKS_MAX {
                    return Err(Failed::Broken);
                }
                *request
            }
            Err(lost) => turn.after(lost, origin)?,
        };
    }
}

impl Links {
    /// Room for one request, on a connection there is or on a new one, if it may be `open`ed.
    pub(super) async fn seat(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        limit: Duration,
        open: impl FnOnce() -> Option<Open>,
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
        if lock(&self.all).len() >= LINKS_MAX {
            return Err(Failed::TooMany);
        }
        let open = open().ok_or(Failed::TooMany)?;
        let stream = Stream::connect(target, endpoint, limit).await?;
        if !stream.is_http2() {
            tracing::warn!(service = %target.name, "the upstream does not speak HTTP/2 over TLS");
            return Err(Failed::Tls);
        }
        let link = tokio::time::timeout(limit, Link::open(stream, open));
        let link = link.await.map_err(|_| Failed::ConnectTimeout)??;
        let seat = link.seat().ok_or(Failed::Broken)?;
        lock(&self.all).push(link);
        drop(turn);
        Ok(seat)
    }

    /// Closes connections that ended or were idle for too long; all, when nothing leads here any
    /// more. Requests under way are finished.
    pub(super) fn sweep(&self, now: Instant, is_retired: bool) {
        lock(&self.all)
            .retain(|link| !is_retired && !link.is_ended() && link.idle_for(now) < IDLE_FOR);
    }

    /// No request follows on any of them.
    pub(super) fn leave(&self) {
        lock(&self.all).clear();
    }

    /// How many wait for a request.
    pub(super) fn idle(&self) -> usize {
        let all = lock(&self.all);
        let idle = all.iter().filter(|link| !link.is_ended() && link.is_idle());
        idle.count()
    }

    fn free(&self) -> Option<Seat> {
        let mut all = lock(&self.all);
        all.retain(|link| !link.is_ended());
        all.iter().find_map(Link::seat)
    }
}

/// A panic while one of these is held leaves lists that are still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests;
