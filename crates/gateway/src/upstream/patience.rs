//! How long an exchange with a service may take in each of its phases, and on whom it waits then.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use estate::UpstreamTimeouts;
use tokio::time::Instant;

use super::{Failed, Timeouts};
use crate::deadline::Deadline;

/// When the whole of an exchange must have ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Until {
    /// The service's own limit.
    service: Option<Instant>,
    /// What the call gave itself.
    call: Option<Instant>,
}

/// Whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Service,
    Call,
}

impl Until {
    /// The exchange begins now.
    pub(super) fn new(service: &UpstreamTimeouts, timeouts: &Timeouts) -> Self {
        Self {
            service: service
                .answer
                .and_then(|answer| Instant::now().checked_add(answer)),
            call: timeouts.ends,
        }
    }

    /// The first of them.
    pub(super) fn earliest(&self) -> Option<Instant> {
        match (self.service, self.call) {
            (Some(service), Some(call)) => Some(service.min(call)),
            (one, other) => one.or(other),
        }
    }

    /// Whether it has passed. Asks no clock where there is none.
    pub(super) fn over(&self) -> Option<Whose> {
        let earliest = self.earliest()?;
        if Instant::now() < earliest {
            return None;
        }
        let is_call = self.call == Some(earliest);
        Some(if is_call { Whose::Call } else { Whose::Service })
    }
}

/// What is waited for; how much of the request is written, while some of it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// The service is to take more of the request.
    Service(u64),
    /// The client is to send more of a streamed body.
    Client(u64),
    /// The service has all it gets, and is to answer.
    Answer,
}

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The service takes nothing of the request.
    Sending,
    /// The client sends nothing more.
    Client,
    /// The service does not answer.
    Head,
    /// The whole, by the service's own limit.
    Whole,
    /// The whole, by what the call gave itself.
    Call,
}

impl Over {
    /// What the client is told.
    pub(super) const fn failed(self) -> Failed {
        match self {
            Self::Sending => Failed::SendTimeout,
            Self::Whole => Failed::AnswerTimeout,
            Self::Client | Self::Head | Self::Call => Failed::ResponseTimeout,
        }
    }

    /// Whether the address did it; its request is still `streaming` or not.
    ///
    /// SECURITY: what a client does, or leaves undone, must not make an address look bad.
    pub(super) const fn is_of_the_address(self, streaming: bool) -> bool {
        match self {
            Self::Head | Self::Whole => true,
            Self::Sending => !streaming,
            Self::Client | Self::Call => false,
        }
    }
}

/// See the module. Each phase begins anew with whatever moves.
#[derive(Debug)]
pub(super) struct Patience {
    send: Duration,
    head: Duration,
    pub(super) until: Until,
    waits: Option<Waits>,
}

impl Patience {
    /// The exchange begins now.
    pub(super) fn new(service: &UpstreamTimeouts, timeouts: &Timeouts) -> Self {
        Self {
            send: service.send,
            head: timeouts.response,
            until: Until::new(service, timeouts),
            waits: None,
        }
    }

    /// Ready when what is waited for takes too long.
    pub(super) fn poll_over(
        &mut self,
        waits: Waits,
        deadline: &mut Deadline,
        cx: &mut Context<'_>,
    ) -> Poll<Over> {
        if self.waits != Some(waits) {
            self.waits = Some(waits);
            deadline.set(match waits {
                Waits::Service(_) => self.send,
                // Who is still taking its request in need not answer it yet.
                Waits::Client(_) | Waits::Answer => self.head,
            });
            if let Some(until) = self.until.earliest() {
                deadline.at_most(until);
            }
        }
        ready!(deadline.poll_passed(cx));
        Poll::Ready(match (self.until.over(), waits) {
            (Some(Whose::Call), _) => Over::Call,
            (Some(Whose::Service), _) => Over::Whole,
            (None, Waits::Service(_)) => Over::Sending,
            (None, Waits::Client(_)) => Over::Client,
            (None, Waits::Answer) => Over::Head,
        })
    }
}
