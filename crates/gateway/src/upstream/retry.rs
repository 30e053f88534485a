//! When a request is sent again: only while not a byte of an answer is here, or when the estate
//! says that a status is none; to another address; within its service's budget.
//!
//! After a connection that was never made nothing was sent, so that any method may go elsewhere;
//! neither was anything processed when a service says so over HTTP/2 (RFC 9113 §8.7). Else only
//! idempotent ones may (RFC 9110 §9.2.2). Nothing is sent again of which a streamed body's byte was
//! passed on.

use std::sync::atomic::Ordering;

use estate::Failure;
use http::{Method, StatusCode};

use super::conn::Lease;
use super::outbound::Outbound;
use super::pool::Turn;
use super::request::ServiceRequest;
use super::target::Target;
use super::{Failed, ResponseBody, Timeouts, received};
use crate::body::Carried;
use crate::reply::Reply;

/// Why there is no response; with the request, where that can be sent from its beginning.
#[derive(Debug)]
pub(super) enum Lost<T> {
    /// Not a byte of the request was written.
    Unsent(Box<T>),
    /// The service says that it did not process it.
    Unprocessed(Box<T>),
    /// The connection closed before it answered a byte.
    Unanswered(Box<T>),
    /// Not a byte of an answer came in time.
    Late(Box<T>),
    /// It answered with a status after which another address is asked.
    Unwanted(Box<T>),
    /// For another reason, or the request cannot be sent again.
    Failed(Failed),
}

/// What is sent, and perhaps sent again.
pub(super) trait Sent {
    fn is_idempotent(&self) -> bool;

    /// Whether it can be sent from its beginning: nothing of a streamed body was passed on.
    fn is_repeatable(&self) -> bool;
}

impl Sent for Outbound {
    fn is_idempotent(&self) -> bool {
        self.method().is_idempotent()
    }

    fn is_repeatable(&self) -> bool {
        Self::is_repeatable(self)
    }
}

/// As it is sent over HTTP/2.
impl Sent for (&Method, &Carried) {
    fn is_idempotent(&self) -> bool {
        self.0.is_idempotent()
    }

    fn is_repeatable(&self) -> bool {
        self.1.is_repeatable()
    }
}

impl Sent for ServiceRequest {
    fn is_idempotent(&self) -> bool {
        self.method.is_idempotent()
    }

    fn is_repeatable(&self) -> bool {
        self.body.is_repeatable()
    }
}

/// Where a connection came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It had waited: it may have ended for no fault of its address.
    Pool,
    /// It is new.
    New,
}

/// Sends until there is an answer, or no more may be done for one.
pub(super) async fn send(
    mut turn: Turn,
    target: &Target,
    mut outbound: Outbound,
    timeouts: &Timeouts,
) -> Result<Reply<ResponseBody>, Failed> {
    loop {
        let (lease, origin) = turn.lease(target, timeouts).await?;
        match lease.exchange(outbound, timeouts, &mut turn).await {
            Ok(response) => return received(response, timeouts),
            Err(lost) => outbound = turn.after(lost, origin)?,
        }
    }
}

impl Turn {
    /// A connection, an idle one where that will do; to another address when one takes none.
    pub(super) async fn lease(
        &mut self,
        target: &Target,
        timeouts: &Timeouts,
    ) -> Result<(Lease, Origin), Failed> {
        loop {
            if !self.fresh
                && let Some(lease) = self.reuse()
            {
                return Ok((lease, Origin::Pool));
            }
            match self.connect(target, timeouts.connect).await {
                Ok(lease) => return Ok((lease, Origin::New)),
                Err(failed) => self.elsewhere(failed)?,
            }
        }
    }

    /// Goes where a connection may be had, after one was not; or says why that was all.
    pub(super) fn elsewhere(&mut self, failed: Failed) -> Result<(), Failed> {
        let goes = match failed {
            // Nothing was tried there.
            Failed::TooMany => self.next(),
            _ => self.again(Failure::Connect, false),
        };
        goes.then_some(()).ok_or(failed)
    }

    /// What to send, and where from now on, after an exchange that came to nothing; or why that
    /// was all.
    pub(super) fn after<T: Sent>(&mut self, lost: Lost<T>, origin: Origin) -> Result<T, Failed> {
        // An old connection may have ended while it waited, and one that is left is not the
        // address: a new one to the same will do.
        let (sent, failure, failed, same) = match lost {
            // It cost the service nothing.
            Lost::Unsent(sent) if origin == Origin::Pool => {
                self.fresh = true;
                return Ok(*sent);
            }
            // `gives_up` went elsewhere already.
            Lost::Unwanted(sent) => return Ok(*sent),
            Lost::Failed(failed) => return Err(failed),
            Lost::Unsent(sent) => (sent, Failure::Connect, Failed::Broken, false),
            Lost::Unprocessed(sent) => (sent, Failure::Connect, Failed::TooMany, true),
            Lost::Unanswered(sent) => {
                let same = origin == Origin::Pool;
                (sent, Failure::Reset, Failed::Broken, same)
            }
            Lost::Late(sent) => (sent, Failure::Timeout, Failed::ResponseTimeout, false),
        };
        let may = failure == Failure::Connect || sent.is_idempotent();
        if may && sent.is_repeatable() && self.again(failure, same) {
            Ok(*sent)
        } else {
            Err(failed)
        }
    }

    /// Whether an answer with this status is given up for another; then the turn is there.
    pub(super) fn gives_up(&mut self, status: StatusCode, sent: &impl Sent) -> bool {
        sent.is_idempotent()
            && sent.is_repeatable()
            && self.again(Failure::Status(status.as_u16()), false)
    }

    /// Goes where the request is sent again, which may be the `same` address when there is no
    /// other; `false` when it is not.
    fn again(&mut self, failure: Failure, same: bool) -> bool {
        let group = self.group();
        let retries = &group.reach.retries;
        let may = self.sent_again < retries.max && retries.on.contains(&failure);
        if !may || !(self.has_another() || same) {
            return false;
        }
        if !group.budget.take(&group.requests, group.now()) {
            group.retries_withheld.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        if !self.next() && !same {
            return false;
        }
        self.group().retries.fetch_add(1, Ordering::Relaxed);
        self.fresh = failure == Failure::Reset;
        self.sent_again = self.sent_again.saturating_add(1);
        true
    }
}
