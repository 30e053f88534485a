//! A deadline that moves with every request but touches the runtime's timer only when it must.
//!
//! Most deadlines are set and then met: a later one just replaces a number, and the timer, when it
//! fires early, is set again. Never earlier than asked; late by at most the timer's granularity.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// See the module.
#[derive(Debug)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Whom the timer wakes, while it runs.
    wakes: Option<Waker>,
}

impl Deadline {
    /// No deadline yet, and no timer until one is waited for.
    pub(crate) const fn unset() -> Self {
        Self {
            at: None,
            timer: None,
            wakes: None,
        }
    }

    /// Sets it to `after` from now.
    pub(crate) fn set(&mut self, after: Duration) {
        self.at = Instant::now().checked_add(after);
    }

    /// Sets it to `after` from now unless it runs already.
    pub(crate) fn start(&mut self, after: Duration) {
        if self.at.is_none() {
            self.set(after);
        }
    }

    /// Not later than `until`.
    pub(crate) fn at_most(&mut self, until: Instant) {
        self.at = self.at.map(|at| at.min(until));
    }

    /// No deadline any more.
    pub(crate) fn clear(&mut self) {
        self.at = None;
    }

    /// Ready when it has passed; pending, with the task to be woken, while it has not or none is
    /// set.
    pub(crate) fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
            self.wakes = None;
        }
        let knows = |waker: &Waker| waker.will_wake(cx.waker());
        if !timer.is_elapsed() && self.wakes.as_ref().is_some_and(knows) {
            // It runs, not later than it must, and wakes this task: there is nothing to tell it.
            return Poll::Pending;
        }
        loop {
            // Asked whatever the task did before: one that was only put off would wake nobody.
            let asked = pin!(tokio::task::unconstrained(timer.as_mut()));
            if asked.poll(cx).is_pending() {
                self.wakes = Some(cx.waker().clone());
                return Poll::Pending;
            }
            self.wakes = None;
            if timer.deadline() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
    }
}

#[cfg(test)]
mod tests;
