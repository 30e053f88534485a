//! What only control can answer, and who waits for it.

use std::collections::HashMap;
use std::net::IpAddr;

use model::{RequestId, Secret, SessionId};
use tokio::sync::oneshot;

use super::protocol::{ExchangeOutcome, ToControl, ToGateway};

/// LIMIT: questions that wait for an answer.
pub(super) const ASKED_MAX: usize = 256;

/// For which request of whom something is asked.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// The host it asked for.
    pub(crate) host: String,
    /// The client.
    pub(crate) source: IpAddr,
    /// The request.
    pub(crate) request: RequestId,
}

/// A question.
#[derive(Debug)]
pub(super) enum Question {
    /// A one-time code is to become a session of the host.
    Exchange(Secret<String>),
    /// A session of the host is to end.
    SignOut(SessionId),
}

/// Its answer.
#[derive(Debug)]
pub(super) enum Reply {
    /// To [`Question::Exchange`].
    Exchanged(ExchangeOutcome),
    /// To [`Question::SignOut`]: whether it has ended.
    SignedOut(bool),
}

/// A question on its way. The answer's end is dropped when nobody can answer.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) question: Question,
    pub(super) asker: Asker,
    pub(super) reply: oneshot::Sender<Reply>,
}

/// The questions of one link.
#[derive(Debug, Default)]
pub(super) struct Asked {
    waiting: HashMap<u64, oneshot::Sender<Reply>>,
    last: u64,
}

impl Asked {
    /// What is to be said to control; nothing when too many wait.
    pub(super) fn ask(&mut self, call: Call) -> Option<ToControl> {
        self.waiting.retain(|_, waiting| !waiting.is_closed());
        if self.waiting.len() >= ASKED_MAX {
            return None;
        }
        self.last += 1;
        let id = self.last;
        self.waiting.insert(id, call.reply);
        let Asker {
            host,
            source,
            request,
        } = call.asker;
        Some(match call.question {
            Question::Exchange(code) => ToControl::Exchange {
                id,
                code: code.expose().clone(),
                host,
                source,
                request,
            },
            Question::SignOut(session) => ToControl::SignOut {
                id,
                session,
                host,
                source,
                request,
            },
        })
    }

    /// Passes an answer on to whoever waits for it; anything else comes back.
    pub(super) fn answered(&mut self, message: ToGateway) -> Option<ToGateway> {
        let (id, reply) = match message {
            ToGateway::Exchanged { id, outcome } => (id, Reply::Exchanged(outcome)),
            ToGateway::SignedOut { id, done } => (id, Reply::SignedOut(done)),
            other => return Some(other),
        };
        let waiting = self.waiting.remove(&id);
        if waiting.is_none_or(|waiting| waiting.send(reply).is_err()) {
            tracing::debug!("nobody waits for the answer any more");
        }
        None
    }
}
