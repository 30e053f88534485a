//! What control orders over the link, carried out on the process in the order it came: an estate
//! is prepared, then swapped in or given up; certificates are replaced.
//!
//! Never reads the link itself: its client sends orders here and waits for each to be done.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use estate::Estate;
use tokio::sync::{mpsc, oneshot};

use crate::front::Handler;
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

/// Carries out orders until `stop` ends, then stops the process in good order: `false` when some
/// requests were cut off. A link that is gone ends nothing: what was ordered last holds.
pub(crate) async fn obey<H: Handler>(
    process: Arc<Process<H>>,
    mut orders: mpsc::Receiver<Order>,
    stop: impl Future<Output = ()>,
) -> bool {
    let mut stop = std::pin::pin!(stop);
    let mut next: Option<(Arc<Estate>, Prepared)> = None;
    let mut drain = DRAIN_BEFORE_ESTATE;
    let mut linked = true;
    loop {
        let order = tokio::select! {
            () = stop.as_mut() => break,
            order = orders.recv(), if linked => order,
        };
        match order {
            None => linked = false,
            Some(Order::Abandon) => next = None,
            Some(Order::Prepare { estate, outcome }) => {
                // First the old one: both may want the same address.
                drop(next.take());
                let prepared = process.prepare(&estate);
                let said = match prepared {
                    Ok(prepared) => {
                        next = Some((estate, prepared));
                        Ok(())
                    }
                    Err(error) => Err(chain(&error)),
                };
                tell(outcome, said);
            }
            Some(Order::Swap { install, outcome }) => {
                let swapped = match next.take() {
                    None => false,
                    Some((estate, prepared)) => {
                        install();
                        process.commit(prepared, &estate).await;
                        drain = estate.gateway.drain;
                        true
                    }
                };
                tell(outcome, swapped);
            }
            Some(Order::Certificates {
                certificates,
                outcome,
            }) => {
                let replaced = process.certificates().replace(&certificates);
                tell(outcome, replaced.map_err(|error| chain(&error)));
            }
        }
    }
    process.stop(drain).await
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
