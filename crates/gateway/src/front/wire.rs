//! How one connection may behave.

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
