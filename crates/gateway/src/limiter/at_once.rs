//! How many at once: permits that are given back when the answer has really ended, on every way
//! out.
//!
//! Always counted by this process alone. What another gateway has under way could only be known
//! from a count that a gateway which dies never takes back.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use ahash::{AHashMap, RandomState};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use smallvec::SmallVec;

use super::What;
use crate::exchange::{BoxError, Outgoing};

/// LIMIT: counted apart at once. Each has a request under way, so that connections bound it first.
const COUNTED_MAX: usize = 262_144;
/// Shards: workers rarely meet in one.
const SHARDS: usize = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct AtOnce {
    shards: Box<[Mutex<AHashMap<What, u32>>]>,
    hasher: RandomState,
    counted_per_shard_max: usize,
}

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// As many as may are under way.
    Max,
    /// Too many are counted apart.
    Room,
}

impl AtOnce {
    /// Nothing is under way.
    pub(crate) fn new() -> Self {
        Self::with_room(COUNTED_MAX)
    }

    fn with_room(counted_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            counted_per_shard_max: counted_max.div_ceil(SHARDS).max(1),
        }
    }

    fn take(&self, what: What, max: u32) -> Result<(), Full> {
        let mut shard = self.shard(&what).ok_or(Full::Room)?;
        if let Some(count) = shard.get_mut(&what) {
            if *count >= max {
                return Err(Full::Max);
            }
            *count = count.saturating_add(1);
            return Ok(());
        }
        // SECURITY: a table that is full refuses. Forgetting a count would never be noticed, and
        // giving it back would take somebody else's.
        if shard.len() >= self.counted_per_shard_max {
            return Err(Full::Room);
        }
        shard.insert(what, 1);
        Ok(())
    }

    fn give_back(&self, what: &What) {
        let Some(mut shard) = self.shard(what) else {
            return;
        };
        match shard.get_mut(what) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            Some(_) => {
                shard.remove(what);
            }
            None => {}
        }
        // What a flood grew it to is let go.
        if shard.is_empty() && shard.capacity() > 1024 {
            shard.shrink_to_fit();
        }
    }

    /// Permits under way, all in all.
    pub(crate) fn under_way(&self) -> u64 {
        let sum = |shard: &Mutex<AHashMap<What, u32>>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values().map(|count| u64::from(*count)).sum::<u64>()
        };
        self.shards.iter().map(sum).sum()
    }

    fn shard(&self, what: &What) -> Option<MutexGuard<'_, AHashMap<What, u32>>> {
        let hash = self.hasher.hash_one(what);
        let count = u64::try_from(self.shards.len()).unwrap_or(1).max(1);
        let shard = self.shards.get(usize::try_from(hash % count).ok()?)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What one request holds; dropping it gives everything back.
#[derive(Debug)]
pub(crate) struct Permits {
    of: Arc<AtOnce>,
    held: SmallVec<[What; 2]>,
}

impl Permits {
    /// None yet.
    pub(crate) fn new(of: &Arc<AtOnce>) -> Self {
        Self {
            of: Arc::clone(of),
            held: SmallVec::new(),
        }
    }

    /// One more, of which there may be `max`.
    pub(crate) fn take(&mut self, what: What, max: u32) -> Result<(), Full> {
        self.of.take(what, max)?;
        self.held.push(what);
        Ok(())
    }
}

impl Drop for Permits {
    fn drop(&mut self) {
        for what in &self.held {
            self.of.give_back(what);
        }
    }
}

/// An answer's body with the permits of its request.
#[derive(Debug)]
pub(crate) struct Held {
    body: Outgoing,
    /// Nothing once the body has ended: it may lie about for a while.
    permits: Option<Box<Permits>>,
}

impl Held {
    /// Keeps `permits` until `body` has ended or nobody wants it any more.
    pub(crate) fn hold(body: Outgoing, permits: Box<Permits>) -> Outgoing {
        match body {
            Outgoing::Tunnel(mut tunnel) => {
                tunnel.permits = Some(permits);
                Outgoing::Tunnel(tunnel)
            }
            body => {
                let permits = Some(permits);
                Outgoing::Held(Box::new(Self { body, permits }))
            }
        }
    }

    /// See `http_body::Body::poll_frame`.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.permits = None;
        }
        frame
    }

    /// See `http_body::Body::is_end_stream`.
    pub(crate) fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
