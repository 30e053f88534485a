//! `rampart serve`: starts control and gateway as processes of their own, starts them again when
//! they end, and stops both in order. It parses nothing from outside and opens no socket.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use model::SharedClock;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::users::User;

/// The first wait before a process that ended is started again.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// The longest wait.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A process that ran so long is healthy: its next failure waits the shortest again.
const HEALTHY_AFTER: Duration = Duration::from_secs(2);
/// How long a process may take to stop, beyond the gateway's own drain.
const STOP_GRACE: Duration = Duration::from_secs(45);

/// One process to keep running.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// `control` or `gateway`.
    pub(crate) name: &'static str,
    /// Its arguments, after the program's name.
    pub(crate) arguments: Vec<OsString>,
    /// Under which user, when not under this one.
    pub(crate) user: Option<User>,
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
    let (ended, mut first_ended) = mpsc::channel(roles.len().max(1));
    let mut keepers = Vec::new();
    for role in roles {
        let (stop, stopping) = watch::channel(false);
        let (program, clock, ended) = (program.clone(), clock.clone(), ended.clone());
        let keeper = tokio::spawn(async move {
            let code = keep(program, role, mark, clock, stopping).await;
            if ended.try_send(code).is_err() {
                tracing::debug!("nobody listens any more: stopping has begun");
            }
            code
        });
        keepers.push((stop, keeper));
    }
    let mut code = tokio::select! {
        _ = terminate.recv() => 0,
        _ = interrupt.recv() => 0,
        code = first_ended.recv() => code.unwrap_or(3),
    };
    while let Some((stop, keeper)) = keepers.pop() {
        stop.send_replace(true);
        code = code.max(keeper.await.unwrap_or(3));
    }
    Ok(code)
}

/// Keeps one role running; returns its exit code once stopped or misconfigured.
async fn keep(
    program: PathBuf,
    role: Role,
    mark: (&'static str, &'static str),
    clock: SharedClock,
    mut stop: watch::Receiver<bool>,
) -> u8 {
    let mut backoff = BACKOFF_MIN;
    let mut ran_healthy = false;
    loop {
        let started = clock.monotonic();
        let mut child = match spawn(&program, &role, mark) {
            Ok(child) => child,
            Err(error) => {
                tracing::error!(role = role.name, %error, "cannot start the process");
                return 3;
            }
        };
        let status = tokio::select! {
            status = child.wait() => status,
            () = stopped(&mut stop) => return end(&role, child).await,
        };
        let code = status.as_ref().ok().and_then(ExitStatus::code);
        if code == Some(2) && !ran_healthy {
            return 2;
        }
        let ran = clock.monotonic().saturating_sub(started);
        ran_healthy = ran_healthy || ran >= HEALTHY_AFTER;
        backoff = if ran >= HEALTHY_AFTER {
            BACKOFF_MIN
        } else {
            (backoff * 2).min(BACKOFF_MAX)
        };
        let backoff_ms = u64::try_from(backoff.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(role = role.name, status = ?status.ok(), backoff_ms, "the process ended; starting it again");
        tokio::select! {
            () = tokio::time::sleep(backoff) => {}
            () = stopped(&mut stop) => return 0,
        }
    }
}

/// Waits until stopping has begun; a supervisor that is gone counts as stopping.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stopping| *stopping).await.map(|_| ()));
}

fn spawn(program: &PathBuf, role: &Role, mark: (&str, &str)) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command
        .args(&role.arguments)
        .env(mark.0, mark.1)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    // A terminal's Ctrl-C must reach the supervisor alone, which then stops the roles in order.
    command.process_group(0);
    if let Some(user) = &role.user {
        command.uid(user.uid).gid(user.gid);
    }
    let child = command.spawn()?;
    tracing::info!(role = role.name, pid = child.id(), "started");
    Ok(child)
}

/// Asks the process to stop, waits, and ends it when it does not.
async fn end(role: &Role, mut child: Child) -> u8 {
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        let sent = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        if let Err(error) = sent {
            tracing::warn!(role = role.name, %error, "cannot ask the process to stop");
        }
    }
    match tokio::time::timeout(STOP_GRACE, child.wait()).await {
        Ok(Ok(status)) => status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(3),
        Ok(Err(_)) => 3,
        Err(_) => {
            tracing::error!(role = role.name, "did not stop in time; ending it");
            if let Err(error) = child.kill().await {
                tracing::error!(role = role.name, %error, "cannot end the process");
            }
            3
        }
    }
}

/// Called first thing in a supervised process: when the supervisor dies, so does this process,
/// in good order.
pub(crate) fn follow_supervisor() -> anyhow::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
        .context("cannot follow the supervisor")
}
