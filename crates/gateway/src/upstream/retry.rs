//! When a request is sent again: only while not a byte of an answer is here, or when the estate
//! says that a status is none; to another address; within its service's budget.
//!
//! After a connection that was never made nothing was sent, so that any method may go elsewhere.
//! Else only idempotent ones may (RFC 9110 §9.2.2), and their body is held.

use std::sync::atomic::Ordering;

use estate::Failure;
use http::{Method, Response, StatusCode};

use super::conn::{Lease, Lost};
use super::outbound::Outbound;
use super::pool::Turn;
use super::response::ResponseBody;
use super::target::Target;
use super::{Failed, Timeouts, received};

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
) -> Result<Response<ResponseBody>, Failed> {
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
                // Nothing was tried there.
                Err(Failed::TooMany) if self.next() => {}
                Err(failed) => {
                    if failed == Failed::TooMany || !self.again(Failure::Connect, Origin::New) {
                        return Err(failed);
                    }
                }
            }
        }
    }

    /// What to send, and where from now on, after an exchange that came to nothing; or why that
    /// was all.
    pub(super) fn after(&mut self, lost: Lost, origin: Origin) -> Result<Outbound, Failed> {
        let (outbound, failure, failed) = match lost {
            // It cost the service nothing.
            Lost::Unsent(outbound) if origin == Origin::Pool => {
                self.fresh = true;
                return Ok(*outbound);
            }
            // `gives_up` went elsewhere already.
            Lost::Unwanted(outbound) => return Ok(*outbound),
            Lost::Failed(failed) => return Err(failed),
            Lost::Unsent(outbound) => (outbound, Failure::Connect, Failed::Broken),
            Lost::Unanswered(outbound) => (outbound, Failure::Reset, Failed::Broken),
            Lost::Late(outbound) => (outbound, Failure::Timeout, Failed::ResponseTimeout),
        };
        let may = failure == Failure::Connect || outbound.method().is_idempotent();
        if may && self.again(failure, origin) {
            Ok(*outbound)
        } else {
            Err(failed)
        }
    }

    /// Whether an answer with this status is given up for another; then the turn is there.
    pub(super) fn gives_up(&mut self, status: StatusCode, method: &Method) -> bool {
        method.is_idempotent() && self.again(Failure::Status(status.as_u16()), Origin::New)
    }

    /// Goes where the request is sent again; `false` when it is not.
    fn again(&mut self, failure: Failure, origin: Origin) -> bool {
        let group = self.group();
        let retries = &group.reach.retries;
        let may = self.sent_again < retries.max && retries.on.contains(&failure);
        // An old connection may have ended while it waited: a new one to the same address will do.
        let same = origin == Origin::Pool && failure == Failure::Reset;
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
