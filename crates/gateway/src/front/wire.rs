//! What the guard and the service of one connection know together, and how it may behave.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::head::HeadLimits;
use super::refusal::Refusal;

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

/// What the guard and the service of one connection know together.
#[derive(Debug)]
pub(crate) struct Wire {
    accepted: AtomicU64,
    answered: AtomicU64,
    refusal: OnceLock<Refusal>,
    start: Instant,
    /// When the last answer ended, in milliseconds from `start`.
    answered_ms: AtomicU64,
}

impl Wire {
    /// Of a connection that begins now.
    pub(crate) fn new() -> Self {
        Self {
            accepted: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            refusal: OnceLock::new(),
            start: Instant::now(),
            answered_ms: AtomicU64::new(0),
        }
    }

    /// How many requests the guard let through.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Acquire)
    }

    /// One more request came in.
    pub(crate) fn accept(&self) {
        self.accepted.fetch_add(1, Ordering::Release);
    }

    /// One more answer is written, or nobody waits for it any more.
    pub(crate) fn answered(&self) {
        let since = Instant::now().duration_since(self.start).as_millis();
        self.answered_ms
            .store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.answered.fetch_add(1, Ordering::Release);
    }

    /// Since when nothing is asked.
    pub(crate) fn idle_since(&self) -> Instant {
        self.start + Duration::from_millis(self.answered_ms.load(Ordering::Relaxed))
    }

    /// The request after the accepted ones is refused. The first reason stays.
    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.refusal.get_or_init(|| refusal);
    }

    /// Why the request after the accepted ones was refused.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal.get().copied()
    }

    /// Whether a request is being answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.accepted.load(Ordering::Acquire) > self.answered.load(Ordering::Acquire)
    }
}
