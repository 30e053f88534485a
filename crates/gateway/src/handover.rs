//! One gateway after another: the one that comes takes the sockets of the one that runs, serves
//! beside it, and only then tells it to leave. Nobody who connects meanwhile meets a closed door,
//! and whoever waits in a socket's queue is served by either.
//!
//! The conversation (`rampart.handover.v1`), in packets of JSON with descriptors, over
//! `gateway/handover.sock`:
//!
//! ```text
//! running: {"format": …, "sockets": N}   with the lock of the data folder
//! running: {"address": …, "use": …}      with that address's sockets; N times
//! coming:  "ready"                        it serves
//! running: "yours"                        and leaves
//! ```
//!
//! Whatever breaks off before `ready` changes nothing for the one that runs. Never moves a
//! connection: those that are open end where they are.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use net::handover::{DESCRIPTORS_MAX, Door, Packet, Talk};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::Error;
use crate::front::{Ending, Handler};
use crate::process::{Process, Sockets};

/// The conversation's name and version.
const FORMAT: &str = "rampart.handover.v1";
/// LIMIT: packets of sockets; an estate has at most 128 addresses.
const PACKETS_MAX: usize = 2048;
/// LIMIT: how long each step may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// LIMIT: how long the one that comes may take to be ready: it waits for control.
const READY_TIMEOUT: Duration = Duration::from_secs(90);
/// LIMIT: how often one that ended is looked for again.
const TRIES_MAX: usize = 3;
/// How long to wait after the door could not be used.
const PAUSE: Duration = Duration::from_secs(1);
const READY: &[u8] = b"\"ready\"";
const YOURS: &[u8] = b"\"yours\"";

/// What came from the gateway that runs, and the way to tell it to leave.
#[derive(Debug)]
pub struct Predecessor {
    talk: Talk,
    lock: Option<OwnedFd>,
    sockets: Sockets,
}

#[derive(Debug, Serialize, Deserialize)]
struct Greeting {
    format: String,
    sockets: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Named {
    address: SocketAddr,
    r#use: Use,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Use {
    Requests,
    Metrics,
}

/// Where the gateway of a data folder is met; `folder` is its own.
fn door(folder: &Path) -> PathBuf {
    folder.join("handover.sock")
}

/// Takes over from the gateway that runs on the folder `<data>/gateway`; nothing when none does.
///
/// # Errors
/// [`Error::TakeOver`] when one does and does not hand over what it has.
pub fn take_over(folder: &Path) -> Result<Option<Predecessor>, Error> {
    let mut tries = 0;
    loop {
        let took = match Talk::begin(&door(folder), STEP_TIMEOUT) {
            Ok(None) => return Ok(None),
            Ok(Some(talk)) => take(talk),
            Err(error) => Err(error),
        };
        tries += 1;
        match took {
            Ok(predecessor) => return Ok(Some(predecessor)),
            // It ended in the middle of it: then there is nobody to follow, or another one.
            Err(error) if is_gone(&error) && tries < TRIES_MAX => {}
            Err(error) => return Err(Error::TakeOver(error)),
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

fn take(talk: Talk) -> io::Result<Predecessor> {
    let Packet {
        text,
        mut descriptors,
    } = talk.receive()?;
    let greeting: Greeting = serde_json::from_slice(&text)?;
    if greeting.format != FORMAT || greeting.sockets > PACKETS_MAX {
        let text = format!("the gateway that runs speaks `{}`", greeting.format);
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let mut sockets = Sockets::default();
    for _ in 0..greeting.sockets {
        let packet = talk.receive()?;
        let named: Named = serde_json::from_slice(&packet.text)?;
        for descriptor in packet.descriptors {
            let socket = net::handover::listening(descriptor)?;
            match named.r#use {
                Use::Requests => sockets
                    .listeners
                    .entry(named.address)
                    .or_default()
                    .push(socket),
                Use::Metrics => sockets.scrape = Some((named.address, socket)),
            }
        }
    }
    Ok(Predecessor {
        talk,
        lock: descriptors.pop(),
        sockets,
    })
}

impl Predecessor {
    /// The lock of the data folder, held by both for a while.
    pub fn lock(&mut self) -> Option<OwnedFd> {
        self.lock.take()
    }

    pub(crate) fn sockets(&mut self) -> Sockets {
        std::mem::take(&mut self.sockets)
    }

    /// Says that this process serves; the other one leaves.
    fn relieve(self) {
        let told = self
            .talk
            .send(READY, &[])
            .and_then(|()| self.talk.receive());
        match told {
            Ok(packet) if packet.text == YOURS => {
                tracing::info!("took over from the gateway before");
            }
            // It may have ended meanwhile. Both serve the same sockets: nothing is lost.
            Ok(_) => tracing::warn!("the gateway before did not say that it leaves"),
            Err(error) => {
                tracing::warn!(%error, "the gateway before did not say that it leaves");
            }
        }
    }
}

/// What a gateway needs to be followed by another.
pub(crate) struct Succession {
    /// `<data>/gateway`.
    pub(crate) folder: PathBuf,
    /// Held until somebody has taken over.
    pub(crate) lock: OwnedFd,
    /// Whom this process follows.
    pub(crate) predecessor: Option<Predecessor>,
    /// Says outside that this process serves.
    pub(crate) say_ready: fn(),
    /// Where the word to leave goes.
    pub(crate) endings: mpsc::Sender<Ending>,
}

impl Succession {
    /// This process serves: whoever it follows is told, and whoever follows it is let in. On a
    /// thread of its own, for it waits without a runtime.
    pub(crate) fn begin<H: Handler>(self, process: &Arc<Process<H>>) {
        let process = Arc::downgrade(process);
        let started = std::thread::Builder::new()
            .name("handover".to_owned())
            .spawn(move || self.run(&process));
        if let Err(error) = started {
            tracing::error!(%error, "this gateway cannot be restarted without a gap");
        }
    }

    fn run<H: Handler>(mut self, process: &Weak<Process<H>>) {
        // First: from here on, it is this process that is looked after.
        (self.say_ready)();
        if let Some(predecessor) = self.predecessor.take() {
            predecessor.relieve();
        }
        let door = match Door::open(&door(&self.folder)) {
            Ok(door) => door,
            Err(error) => {
                tracing::error!(%error, "this gateway cannot be restarted without a gap");
                return;
            }
        };
        loop {
            let talk = match door.accept(STEP_TIMEOUT) {
                Ok(talk) => talk,
                Err(error) => {
                    tracing::warn!(%error, "the gateway that comes cannot be let in");
                    std::thread::park_timeout(PAUSE);
                    continue;
                }
            };
            let Some(process) = process.upgrade() else {
                return;
            };
            match self.hand_over(&talk, &process) {
                Ok(()) => {
                    if self.endings.blocking_send(Ending::Leave).is_err() {
                        tracing::debug!("this gateway ends already");
                    }
                    if let Err(error) = talk.send(YOURS, &[]) {
                        tracing::debug!(%error, "the gateway that came did not wait");
                    }
                    // With this thread our hold on the lock ends: the next one is the only one.
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "the gateway that came is not ready; this one goes on");
                }
            }
        }
    }

    /// Gives everything, and waits until it is served from.
    fn hand_over<H: Handler>(&self, talk: &Talk, process: &Process<H>) -> io::Result<()> {
        let sockets = process.sockets()?;
        let listeners = sockets.listeners.iter();
        let mut groups: Vec<(Named, Vec<BorrowedFd<'_>>)> = Vec::new();
        for (address, all) in listeners {
            for some in all.chunks(DESCRIPTORS_MAX) {
                let named = Named {
                    address: *address,
                    r#use: Use::Requests,
                };
                groups.push((named, some.iter().map(TcpListener::as_fd).collect()));
            }
        }
        if let Some((address, socket)) = &sockets.scrape {
            let named = Named {
                address: *address,
                r#use: Use::Metrics,
            };
            groups.push((named, vec![socket.as_fd()]));
        }
        let greeting = Greeting {
            format: FORMAT.to_owned(),
            sockets: groups.len(),
        };
        talk.send(&serde_json::to_vec(&greeting)?, &[self.lock.as_fd()])?;
        for (named, sockets) in &groups {
            talk.send(&serde_json::to_vec(named)?, sockets)?;
        }
        talk.wait_at_most(READY_TIMEOUT)?;
        match talk.receive()?.text.as_slice() {
            READY => Ok(()),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

impl std::fmt::Debug for Succession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Succession")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
