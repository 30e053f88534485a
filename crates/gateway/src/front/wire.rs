//! How one connection may behave, and what is known of one that carries many requests at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::wire::HeadLimits;

/// How one connection may behave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireLimits {
    /// Of each head.
    pub(crate) head: HeadLimits,
    /// A whole head must be here so long after its first byte; also the first byte of the first.
    pub(crate) head_timeout: Duration,
    /// How long nothing may happen between requests.
    pub(crate) idle_timeout: Duration,
    /// How long the client may take nothing of an answer.
    pub(crate) stall_timeout: Duration,
}

/// The requests of one connection, counted.
#[derive(Debug)]
pub(crate) struct Wire {
    accepted: AtomicU64,
    answered: AtomicU64,
}

impl Wire {
    /// Of a connection that begins now.
    pub(crate) fn new() -> Self {
        Self {
            accepted: AtomicU64::new(0),
            answered: AtomicU64::new(0),
        }
    }

    /// How many requests came in.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Acquire)
    }

    /// One more request came in.
    pub(crate) fn accept(&self) {
        self.accepted.fetch_add(1, Ordering::Release);
    }

    /// One more answer is written, or nobody waits for it any more.
    pub(crate) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Release);
    }

    /// Whether a request is being answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.accepted.load(Ordering::Acquire) > self.answered.load(Ordering::Acquire)
    }
}
