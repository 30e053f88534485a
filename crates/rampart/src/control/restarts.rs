//! Starting processes anew: asks the supervisor by a signal, hears from it on standard input how it
//! went, and records that.
//!
//! Never starts anything itself: control has no children.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use api::{PortError, RestartOf};
use model::{Context, ErrorKind, Event, Outcome, Severity, SharedClock, SharedEntropy};
use rustix::process::{Pid, Signal, getppid, kill_process};
use tokio::sync::{Mutex, broadcast};
use tokio_util::sync::CancellationToken;
use trail::Trail;

use super::notify::Notify;

/// LIMIT: how long a gateway may take to be followed by another.
const RESTART_TIMEOUT: Duration = Duration::from_secs(50);
/// LIMIT: words of the supervisor that nobody took up yet.
const WORDS_MAX: usize = 16;
/// LIMIT: bytes of one word that are recorded.
const WORD_BYTES_MAX: usize = 500;

/// A handle on the supervisor; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Restarts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Nothing when this process runs alone.
    supervisor: Option<Pid>,
    words: broadcast::Sender<Word>,
    /// One at a time, so that an outcome belongs to who asked.
    turn: Mutex<()>,
    /// This process is to end, to be started again.
    again: CancellationToken,
    trail: Trail,
    clock: SharedClock,
    entropy: SharedEntropy,
}

/// What the supervisor says of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    /// It serves.
    Serves,
    /// Another one has taken over.
    Restarted,
    /// None has; why.
    Failed(String),
}

impl Word {
    fn of(line: &str) -> Option<Self> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("serves", _) => Some(Self::Serves),
            ("restarted", _) => Some(Self::Restarted),
            ("failed", why) => Some(Self::Failed(why.chars().take(WORD_BYTES_MAX).collect())),
            _ => None,
        }
    }
}

impl Restarts {
    /// Knows the supervisor when this process has one.
    pub(super) fn new(
        supervised: bool,
        trail: Trail,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Self {
        Self(Arc::new(Inner {
            supervisor: supervised.then(getppid).flatten(),
            words: broadcast::Sender::new(WORDS_MAX),
            turn: Mutex::default(),
            again: CancellationToken::new(),
            trail,
            clock,
            entropy,
        }))
    }

    /// Ends when this process is to end, to be started again.
    pub(super) async fn again(&self) {
        self.0.again.cancelled().await;
    }

    /// Hears the supervisor until it is gone, and records what it says.
    pub(super) async fn hear(self, notify: Notify) {
        if self.0.supervisor.is_none() {
            notify.ready();
            return;
        }
        let mut words = self.0.words.subscribe();
        let heard = self.0.words.clone();
        // A thread of its own, and no task: nothing may wait for it at the end.
        let listening = std::thread::Builder::new()
            .name("supervisor".to_owned())
            .spawn(move || {
                for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                    if let Some(word) = Word::of(&line) {
                        drop(heard.send(word));
                    }
                }
            });
        if let Err(error) = listening {
            tracing::error!(%error, "the supervisor is not heard");
            return;
        }
        while let Ok(word) = words.recv().await {
            match word {
                Word::Serves => notify.ready(),
                Word::Restarted => {
                    notify.ready();
                    self.record(|event| event.message("another gateway process took over"))
                        .await;
                }
                Word::Failed(why) => {
                    self.record(|event| {
                        event
                            .outcome(Outcome::Failure)
                            .severity(Severity::High)
                            .message(format!("the gateway was not restarted and goes on: {why}"))
                    })
                    .await;
                }
            }
        }
    }

    async fn record(&self, say: impl FnOnce(Event) -> Event) {
        let (clock, entropy) = (&*self.0.clock, &*self.0.entropy);
        let ctx = Context::system(clock, entropy);
        let event = say(Event::change("gateway.restart", &ctx, clock, entropy));
        if let Err(error) = self.0.trail.append(vec![event]).await {
            tracing::error!(%error, "a restart was not recorded");
        }
    }

    /// Restarts a process, for whoever may ask on this machine.
    pub(super) async fn restart(&self, ctx: &Context, process: RestartOf) -> Result<(), PortError> {
        let Some(supervisor) = self.0.supervisor else {
            return Err(failed(
                ErrorKind::Conflict,
                "this server has no supervisor: restart each process where it was started; for a \
                 gateway, `rampart serve --role gateway --take-over`",
            ));
        };
        let Ok(_turn) = self.0.turn.try_lock() else {
            return Err(failed(ErrorKind::Conflict, "a restart is under way"));
        };
        let (clock, entropy) = (&*self.0.clock, &*self.0.entropy);
        let name = match process {
            RestartOf::Gateway => "gateway",
            RestartOf::Control => "control",
        };
        let asked = Event::change("rampart.restart.asked", ctx, clock, entropy)
            .target("process", &name)
            .message(format!("a restart of {name} was asked for"));
        let recorded = self.0.trail.append(vec![asked]).await;
        recorded.map_err(|error| PortError::of(error.kind(), &error))?;
        if process == RestartOf::Control {
            self.0.again.cancel();
            return Ok(());
        }
        let mut words = self.0.words.subscribe();
        kill_process(supervisor, Signal::HUP)
            .map_err(|error| failed(ErrorKind::Unavailable, &error.to_string()))?;
        let outcome = async {
            loop {
                match words.recv().await {
                    Ok(Word::Restarted) => return Ok(()),
                    Ok(Word::Failed(why)) => return Err(failed(ErrorKind::Unavailable, &why)),
                    Ok(Word::Serves) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(error) => return Err(PortError::of(ErrorKind::Unavailable, &error)),
                }
            }
        };
        let limit = tokio::time::timeout(RESTART_TIMEOUT, outcome);
        limit.await.unwrap_or_else(|_| {
            let text = "the supervisor did not say how it went";
            Err(failed(ErrorKind::Unavailable, text))
        })
    }
}

fn failed(kind: ErrorKind, text: &str) -> PortError {
    PortError::Failed {
        kind,
        text: text.to_owned(),
    }
}
