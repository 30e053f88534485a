//! `rampart serve`: starts control and gateway as processes of their own, starts them again when
//! they end, and stops both in order. It parses nothing from outside and opens no socket.
//!
//! At SIGHUP it starts another gateway beside the one that runs. The two arrange between themselves
//! who listens; here only the end of a process and one byte on a pipe are seen.

mod keeper;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;
use model::SharedClock;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::users::User;
use keeper::Keeper;

/// LIMIT: restarts asked for and not begun; more at once are one.
const RESTARTS_MAX: usize = 1;
/// LIMIT: words for control that it has not heard.
const WORDS_MAX: usize = 16;

/// One process to keep running.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// `control` or `gateway`.
    pub(crate) name: &'static str,
    /// Its arguments, after the program's name.
    pub(crate) arguments: Vec<OsString>,
    /// Under which user, when not under this one.
    pub(crate) user: Option<User>,
    /// Its part beside running.
    pub(crate) part: Part,
}

/// What a process does with its pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Hears on its standard input how the other one is; knows the service manager.
    Hears,
    /// Says on its standard output that it serves, and can be followed by another.
    Serves,
}

/// Keeps every role running until SIGTERM or SIGINT, then stops them, last started first: the
/// gateway drains while control still records.
///
/// `mark` is an environment variable by which a process knows that it is supervised.
///
/// A role that exits with code 2 said that its configuration is wrong: starting it again cannot
/// help before anything has ever run, so a first start ends here with that code.
pub(crate) async fn supervise(
    program: PathBuf,
    roles: Vec<Role>,
    mark: (&'static str, &'static str),
    clock: SharedClock,
) -> anyhow::Result<u8> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot watch for SIGHUP")?;
    let (ended, mut first_ended) = mpsc::channel(roles.len().max(1));
    let (restart, asked) = mpsc::channel(RESTARTS_MAX);
    let (say, heard) = mpsc::channel(WORDS_MAX);
    let (mut asked, mut heard) = (Some(asked), Some(heard));
    let mut keepers = Vec::new();
    for role in roles {
        let (stop, stopping) = watch::channel(false);
        let ended = ended.clone();
        let (restarts, words) = match role.part {
            Part::Serves => (asked.take(), None),
            Part::Hears => (None, heard.take()),
        };
        let keeper = Keeper {
            program: program.clone(),
            role,
            mark,
            clock: clock.clone(),
            stop: stopping,
            restarts,
            words,
            say: say.clone(),
        };
        let keeper = tokio::spawn(async move {
            let code = keeper.keep().await;
            if ended.try_send(code).is_err() {
                tracing::debug!("nobody listens any more: stopping has begun");
            }
            code
        });
        keepers.push((stop, keeper));
    }
    let mut code = loop {
        tokio::select! {
            _ = terminate.recv() => break 0,
            _ = interrupt.recv() => break 0,
            _ = hangup.recv() => {
                if restart.try_send(()).is_err() {
                    tracing::info!("a restart is asked for already");
                }
            }
            code = first_ended.recv() => break code.unwrap_or(3),
        }
    };
    while let Some((stop, keeper)) = keepers.pop() {
        stop.send_replace(true);
        code = code.max(keeper.await.unwrap_or(3));
    }
    Ok(code)
}

/// Called first thing in a supervised process: when the supervisor dies, so does this process,
/// in good order.
pub(crate) fn follow_supervisor() -> anyhow::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
        .context("cannot follow the supervisor")
}
