//! What an HTTP/2 client may make the gateway do for nothing: frames that ask for work and carry
//! none are paid for by frames that do, by what is sent to the client, and by time.
//!
//! What each frame is worth, `wire` says; what a client makes the gateway remember, the limits of
//! its streams bound. This bounds what it makes it do (RFC 9113 §10.5): floods of PING, SETTINGS,
//! RST_STREAM, PRIORITY, empty DATA, WINDOW_UPDATE of a few bytes, CONTINUATION, and of frames nobody
//! knows.

use std::time::Duration;

use tokio::time::Instant;

/// LIMIT: what a connection may owe at once.
const CREDIT_MAX: i64 = 2000;
/// So much comes back in a second.
const PER_SECOND: u64 = 50;
/// So many bytes that the client took earn one.
const BYTES: usize = 256;

/// What one connection has left.
#[derive(Debug)]
pub(super) struct Credit {
    left: i64,
    /// Up to when time has given some.
    given: Instant,
}

impl Credit {
    pub(super) fn new() -> Self {
        Self {
            left: CREDIT_MAX / 2,
            given: Instant::now(),
        }
    }

    /// Frames of this worth came; whether there is credit for them.
    pub(super) fn bears(&mut self, worth: i64) -> bool {
        self.earn(worth);
        self.left >= 0 || self.is_solvent()
    }

    /// The client took so many bytes.
    pub(super) fn sent(&mut self, bytes: usize) {
        let earned = i64::try_from(bytes / BYTES).unwrap_or(CREDIT_MAX);
        self.earn(earned.saturating_add(1));
    }

    fn earn(&mut self, credit: i64) {
        self.left = self.left.saturating_add(credit).min(CREDIT_MAX);
    }

    /// Whether there is no debt, time included. The clock is only asked when there is one.
    fn is_solvent(&mut self) -> bool {
        let now = Instant::now();
        let since = now.duration_since(self.given).min(Duration::from_secs(60));
        let earned = u64::try_from(since.as_millis()).unwrap_or(0) * PER_SECOND / 1000;
        if earned > 0 {
            self.given = now;
            self.earn(i64::try_from(earned).unwrap_or(CREDIT_MAX));
        }
        self.left >= 0
    }
}

#[cfg(test)]
mod tests;
