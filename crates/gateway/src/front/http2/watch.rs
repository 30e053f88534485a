//! Notices a connection that is idle, silent, or whose client takes nothing. Looks once a second:
//! what happens in between only leaves a mark.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::StreamLimits;
use crate::deadline::Deadline;
use crate::front::WireLimits;

/// How often it looks.
const TICK: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    tick: Deadline,
    wire: WireLimits,
    streams: StreamLimits,
    /// For how long no request was open, nothing was read, and nothing was written of what waited.
    quiet: Duration,
    silent: Duration,
    stuck: Duration,
    has_read: bool,
    has_written: bool,
    is_asked: bool,
    is_told: bool,
}

/// How things are on the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// A request is open.
    pub(super) is_busy: bool,
    /// There was a request.
    pub(super) is_used: bool,
    /// Something waits to be written.
    pub(super) is_waiting: bool,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// Ask the client whether it is there.
    Ask,
    /// Nothing was asked for too long: tell the client that the connection ends.
    Idle,
    /// End it.
    Over,
}

impl Watch {
    pub(super) fn new(wire: WireLimits, streams: StreamLimits) -> Self {
        let mut tick = Deadline::unset();
        tick.set(TICK);
        Self {
            tick,
            wire,
            streams,
            quiet: Duration::ZERO,
            silent: Duration::ZERO,
            stuck: Duration::ZERO,
            has_read: false,
            has_written: false,
            is_asked: false,
            is_told: false,
        }
    }

    /// Something was read.
    pub(super) fn read(&mut self) {
        self.has_read = true;
    }

    /// Something was written.
    pub(super) fn wrote(&mut self) {
        self.has_written = true;
    }

    /// Ready once a second.
    pub(super) fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.tick.poll_passed(cx));
        self.tick.set(TICK);
        Poll::Ready(())
    }

    /// Whether a client may not take nothing of an answer for so long.
    pub(super) fn is_too_long(&self, seconds: u32) -> bool {
        TICK.saturating_mul(seconds) >= self.wire.stall_timeout
    }

    /// What another second says.
    pub(super) fn look(&mut self, now: Now) -> Verdict {
        let has_written = std::mem::take(&mut self.has_written);
        self.stuck = after(self.stuck, now.is_waiting && !has_written);
        if self.stuck >= self.wire.stall_timeout {
            return Verdict::Over;
        }
        let has_read = std::mem::take(&mut self.has_read);
        self.silent = after(self.silent, !has_read);
        if has_read {
            self.is_asked = false;
        }
        let answers_by = self
            .streams
            .ping_after
            .saturating_add(self.streams.ping_timeout);
        if self.is_asked && self.silent >= answers_by {
            return Verdict::Over;
        }
        self.quiet = after(self.quiet, !now.is_busy);
        if now.is_busy {
            self.is_told = false;
        }
        let limit = match now.is_used {
            _ if self.is_told => self.wire.stall_timeout,
            false => self.wire.head_timeout,
            true => self.wire.idle_timeout,
        };
        if self.quiet >= limit {
            if self.is_told {
                // It was told to go, and still stays without a request.
                return Verdict::Over;
            }
            self.is_told = true;
            self.quiet = Duration::ZERO;
            return Verdict::Idle;
        }
        if !self.is_asked && self.silent >= self.streams.ping_after {
            self.is_asked = true;
            return Verdict::Ask;
        }
        Verdict::Fine
    }
}

/// One tick more, or none.
fn after(before: Duration, goes_on: bool) -> Duration {
    if goes_on {
        before.saturating_add(TICK)
    } else {
        Duration::ZERO
    }
}
