//! What control orders over the link, carried out on the process in the order it came: an estate
//! is prepared, then swapped in or given up; certificates are replaced.
//!
//! Never reads the link itself: its client sends orders here and waits for each to be done.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use estate::Estate;
use tokio::sync::{mpsc, oneshot};

use crate::front::{Ending, Handler};
use crate::process::{Prepared, Process};

/// LIMIT: orders not carried out yet; the link's client waits for each anyway.
pub(crate) const ORDERS_MAX: usize = 16;

/// One order. Whoever gave it is told the outcome; a giver that is gone is no reason not to act.
pub(crate) enum Order {
    /// Get everything ready that `estate` needs and that can fail. An estate prepared before and
    /// never swapped in is given up.
    Prepare {
        /// The next estate.
        estate: Arc<Estate>,
        /// Ready, or why not, in one line.
        outcome: oneshot::Sender<Result<(), String>>,
    },
    /// The prepared estate holds from now on.
    Swap {
        /// Puts in place what requests decide by; runs before new sockets are accepted from.
        install: Box<dyn FnOnce() + Send>,
        /// Done; `false` when nothing was prepared, and then nothing changed.
        outcome: oneshot::Sender<bool>,
    },
    /// The prepared estate is given up.
    Abandon,
    /// Handshakes are answered with these from now on.
    Certificates {
        /// All of them.
        certificates: Vec<net::Certificate>,
        /// In place, or what is wrong with one; then nothing changed.
        outcome: oneshot::Sender<Result<(), String>>,
    },
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prepare { .. } => "Prepare",
            Self::Swap { .. } => "Swap",
            Self::Abandon => "Abandon",
            Self::Certificates { .. } => "Certificates",
        })
    }
}

/// Carries out orders until the process is to end, and goes on with them while open requests
/// finish: what is revoked meanwhile counts for them too. `false` when some requests were cut off. A
/// link that is gone ends nothing: what was ordered last holds.
///
/// `ready` runs once, when the first estate is in force.
pub(crate) async fn obey<H: Handler>(
    process: Arc<Process<H>>,
    mut orders: mpsc::Receiver<Order>,
    mut endings: mpsc::Receiver<Ending>,
    ready: impl FnOnce(),
) -> bool {
    let mut obeying = Obeying {
        process: Arc::clone(&process),
        next: None,
        drain: DRAIN_BEFORE_ESTATE,
        ready: Some(ready),
    };
    let mut linked = true;
    let ending = loop {
        tokio::select! {
            // What is ordered after the end was asked for finds it begun.
            biased;
            // Nobody who could say so is left: that is the same.
            ending = endings.recv() => break ending.unwrap_or(Ending::Stop),
            order = orders.recv(), if linked => match order {
                None => linked = false,
                Some(order) => obeying.carry_out(order).await,
            },
        }
    };
    let stopping = Arc::clone(&process).stop(ending, obeying.drain);
    let mut stopping = std::pin::pin!(stopping);
    let mut hurried = ending == Ending::Stop;
    loop {
        tokio::select! {
            finished = stopping.as_mut() => return finished,
            said = endings.recv(), if !hurried => {
                hurried = true;
                if said == Some(Ending::Stop) {
                    process.hurry();
                }
            }
            order = orders.recv(), if linked => match order {
                None => linked = false,
                Some(order) => obeying.carry_out(order).await,
            },
        }
    }
}

/// What is obeyed, and what was ordered so far.
struct Obeying<H, R> {
    process: Arc<Process<H>>,
    next: Option<(Arc<Estate>, Prepared)>,
    drain: Duration,
    ready: Option<R>,
}

impl<H: Handler, R: FnOnce()> Obeying<H, R> {
    async fn carry_out(&mut self, order: Order) {
        match order {
            Order::Abandon => self.next = None,
            Order::Prepare { estate, outcome } => {
                // First the old one: both may want the same address.
                drop(self.next.take());
                let said = match self.process.prepare(&estate) {
                    Ok(prepared) => {
                        self.next = Some((estate, prepared));
                        Ok(())
                    }
                    Err(error) => Err(chain(&error)),
                };
                tell(outcome, said);
            }
            Order::Swap { install, outcome } => {
                let swapped = match self.next.take() {
                    None => false,
                    Some((estate, prepared)) => {
                        install();
                        self.process.commit(prepared, &estate).await;
                        self.drain = estate.gateway.drain;
                        true
                    }
                };
                tell(outcome, swapped);
                if swapped && let Some(ready) = self.ready.take() {
                    ready();
                }
            }
            Order::Certificates {
                certificates,
                outcome,
            } => {
                let replaced = self.process.certificates().replace(&certificates);
                tell(outcome, replaced.map_err(|error| chain(&error)));
            }
        }
    }
}

/// How long to wait for open requests when no estate said; there can be none.
const DRAIN_BEFORE_ESTATE: Duration = Duration::from_secs(1);

fn tell<T>(outcome: oneshot::Sender<T>, said: T) {
    if outcome.send(said).is_err() {
        tracing::debug!("nobody waits for the outcome of an order");
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
