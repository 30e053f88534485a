//! Keeps one role running: a process, now and then its successor beside it, and those that finish
//! what they began.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use model::SharedClock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Part, Role};

/// The first wait before a process that ended is started again.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// The longest wait.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A process that ran so long is healthy: its next failure waits the shortest again.
const HEALTHY_AFTER: Duration = Duration::from_secs(2);
/// How long a process may take to stop, beyond the gateway's own drain.
const STOP_GRACE: Duration = Duration::from_secs(45);
/// LIMIT: how long a successor may take until it serves.
const READY_WITHIN: Duration = Duration::from_secs(40);
/// LIMIT: processes that finish what they began.
const LEAVING_MAX: usize = 8;
/// LIMIT: how long control may take to hear a word.
const HEAR_WITHIN: Duration = Duration::from_secs(1);

/// Control takes and gives back memory in pieces of mebibytes (passwords are hashed in 19 of them,
/// documents and rules are read in more). glibc raises the size from which it asks the kernel for a
/// piece of its own up to 32 MiB by what it sees, and what is smaller stays in the heaps of the
/// threads that asked (mallopt(3), `M_MMAP_THRESHOLD`); a size that is set is not raised.
const OWN_PIECE_FROM: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "4194304");

/// See the module.
pub(super) struct Keeper {
    pub(super) program: PathBuf,
    pub(super) role: Role,
    pub(super) mark: (&'static str, &'static str),
    pub(super) clock: SharedClock,
    pub(super) stop: watch::Receiver<bool>,
    /// Restarts that are asked for, of a role that can be followed.
    pub(super) restarts: Option<mpsc::Receiver<()>>,
    /// Words for a role that hears.
    pub(super) words: Option<mpsc::Receiver<String>>,
    /// Where words are said.
    pub(super) say: mpsc::Sender<String>,
}

/// A process that runs.
struct Running {
    child: Child,
    /// Until it said that it serves.
    unready: Option<ChildStdout>,
    hears: Option<ChildStdin>,
    since: Duration,
}

/// A process that is to follow the present one.
struct Candidate {
    running: Running,
    until: Instant,
}

enum Event {
    Ended(std::io::Result<ExitStatus>),
    Serves,
    Follows(Result<(), String>),
    Restart,
    Word(String),
    Left,
    Stop,
}

impl Keeper {
    /// Keeps the role running; returns its exit code once stopped or misconfigured.
    pub(super) async fn keep(mut self) -> u8 {
        let mut backoff = BACKOFF_MIN;
        let mut ran_healthy = false;
        let mut leaving: Vec<Child> = Vec::new();
        let mut candidate: Option<Candidate> = None;
        let Ok(mut current) = self.spawn() else {
            return 3;
        };
        loop {
            match self.next(&mut current, &mut candidate, &mut leaving).await {
                Event::Stop => return self.end(current, candidate, leaving).await,
                Event::Left => {}
                Event::Serves => {
                    // Whatever ends from here on, it was not the configuration that never worked.
                    ran_healthy = true;
                    current.unready = None;
                    self.say("serves".to_owned());
                }
                Event::Word(word) => tell(&mut current, &word).await,
                Event::Restart => candidate = self.begin(candidate, leaving.len()),
                Event::Follows(Ok(())) => {
                    if let Some(fresh) = candidate.take() {
                        leaving.push(std::mem::replace(&mut current, fresh.running).child);
                        tracing::info!(role = self.role.name, "restarted; the one before leaves");
                        ran_healthy = true;
                        self.say("restarted".to_owned());
                    }
                }
                Event::Follows(Err(why)) => {
                    // Dropping it ends it.
                    candidate = None;
                    self.failed(&why);
                }
                Event::Ended(status) => {
                    if let Some(fresh) = candidate.take() {
                        tracing::warn!(role = self.role.name, "ended; its successor is there");
                        current = fresh.running;
                        continue;
                    }
                    let code = status.as_ref().ok().and_then(ExitStatus::code);
                    if code == Some(2) && !ran_healthy {
                        return 2;
                    }
                    let ran = self.clock.monotonic().saturating_sub(current.since);
                    ran_healthy = ran_healthy || ran >= HEALTHY_AFTER;
                    backoff = if ran >= HEALTHY_AFTER {
                        BACKOFF_MIN
                    } else {
                        (backoff * 2).min(BACKOFF_MAX)
                    };
                    let backoff_ms = u64::try_from(backoff.as_millis()).unwrap_or(u64::MAX);
                    tracing::warn!(role = self.role.name, status = ?status.ok(), backoff_ms, "the process ended; starting it again");
                    tokio::select! {
                        () = tokio::time::sleep(backoff) => {}
                        () = stopped(&mut self.stop) => {
                            return self.end(None, None, leaving).await;
                        }
                    }
                    let Ok(again) = self.spawn() else {
                        return 3;
                    };
                    current = again;
                }
            }
        }
    }

    /// What happens next.
    async fn next(
        &mut self,
        current: &mut Running,
        candidate: &mut Option<Candidate>,
        leaving: &mut Vec<Child>,
    ) -> Event {
        let Running { child, unready, .. } = current;
        tokio::select! {
            () = stopped(&mut self.stop) => Event::Stop,
            status = child.wait() => Event::Ended(status),
            () = serves(unready) => Event::Serves,
            followed = follows(candidate) => Event::Follows(followed),
            () = one_left(leaving) => Event::Left,
            Some(()) = received(&mut self.restarts) => Event::Restart,
            Some(word) = received(&mut self.words) => Event::Word(word),
        }
    }

    /// Starts a successor, unless there is one.
    fn begin(&self, candidate: Option<Candidate>, leaving: usize) -> Option<Candidate> {
        if candidate.is_some() {
            self.failed("a restart is under way already");
            return candidate;
        }
        if leaving >= LEAVING_MAX {
            self.failed("too many gateways still finish what they began");
            return None;
        }
        match self.spawn() {
            Ok(running) => Some(Candidate {
                running,
                until: Instant::now() + READY_WITHIN,
            }),
            Err(error) => {
                self.failed(&format!("the program cannot be started: {error}"));
                None
            }
        }
    }

    fn failed(&self, why: &str) {
        tracing::error!(
            role = self.role.name,
            why,
            "not restarted; the one that runs goes on"
        );
        self.say(format!("failed {why}"));
    }

    /// Words are news, and control may be away: they are in the log too.
    fn say(&self, word: String) {
        if self.say.try_send(word).is_err() {
            tracing::debug!("control does not hear what happens");
        }
    }

    fn spawn(&self) -> std::io::Result<Running> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.role.arguments)
            .env(self.mark.0, self.mark.1)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        match self.role.part {
            Part::Hears => command
                .stdin(Stdio::piped())
                .env(OWN_PIECE_FROM.0, OWN_PIECE_FROM.1),
            // SECURITY: who parses bytes of strangers has nothing to say to the service manager.
            Part::Serves => command.stdout(Stdio::piped()).env_remove("NOTIFY_SOCKET"),
        };
        // A terminal's Ctrl-C must reach the supervisor alone, which then stops the roles in order.
        command.process_group(0);
        if let Some(user) = &self.role.user {
            command.uid(user.uid).gid(user.gid);
        }
        let mut child = command.spawn().inspect_err(|error| {
            tracing::error!(role = self.role.name, %error, "cannot start the process");
        })?;
        tracing::info!(role = self.role.name, pid = child.id(), "started");
        Ok(Running {
            unready: child.stdout.take(),
            hears: child.stdin.take(),
            child,
            since: self.clock.monotonic(),
        })
    }

    /// Asks every process of the role to stop, waits, and ends those that do not. The exit code of
    /// the present one.
    async fn end(
        &self,
        current: impl Into<Option<Running>>,
        candidate: Option<Candidate>,
        leaving: Vec<Child>,
    ) -> u8 {
        let current = current.into().map(|running| running.child);
        let candidate = candidate.map(|fresh| fresh.running.child);
        let all: Vec<Child> = current
            .into_iter()
            .chain(candidate)
            .chain(leaving)
            .collect();
        for child in &all {
            self.ask_to_stop(child);
        }
        let until = Instant::now() + STOP_GRACE;
        let mut first = None;
        for mut child in all {
            let code = match tokio::time::timeout_at(until, child.wait()).await {
                Ok(Ok(status)) => status
                    .code()
                    .and_then(|code| u8::try_from(code).ok())
                    .unwrap_or(3),
                Ok(Err(_)) => 3,
                Err(_) => {
                    tracing::error!(role = self.role.name, "did not stop in time; ending it");
                    if let Err(error) = child.kill().await {
                        tracing::error!(role = self.role.name, %error, "cannot end the process");
                    }
                    3
                }
            };
            first.get_or_insert(code);
        }
        first.unwrap_or(0)
    }

    fn ask_to_stop(&self, child: &Child) {
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            let sent = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            if let Err(error) = sent {
                tracing::warn!(role = self.role.name, %error, "cannot ask the process to stop");
            }
        }
    }
}

/// Waits until stopping has begun; a supervisor that is gone counts as stopping.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stopping| *stopping).await.map(|_| ()));
}

/// Waits for whatever is sent; for ever where nothing can be.
async fn received<T>(receiver: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    match receiver {
        Some(receiver) => receiver.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits until a process says that it serves. What it says does not matter, only that it does.
async fn serves(unready: &mut Option<ChildStdout>) {
    if let Some(output) = unready {
        match output.read(&mut [0; 64]).await {
            Ok(read) if read > 0 => return,
            // It ends: that is seen elsewhere.
            _ => *unready = None,
        }
    }
    std::future::pending::<()>().await;
}

/// Waits until the successor serves, or does not: then why.
async fn follows(candidate: &mut Option<Candidate>) -> Result<(), String> {
    let Some(Candidate { running, until }) = candidate else {
        return std::future::pending().await;
    };
    let Running { child, unready, .. } = running;
    tokio::select! {
        () = serves(unready) => {
            *unready = None;
            Ok(())
        }
        status = child.wait() => Err(match status {
            Ok(status) => format!("the new process ended before it served ({status})"),
            Err(error) => format!("the new process cannot be watched: {error}"),
        }),
        () = tokio::time::sleep_until(*until) => Err(format!(
            "the new process did not serve within {} seconds",
            READY_WITHIN.as_secs()
        )),
    }
}

/// Waits until one of those that leave is gone, and forgets it.
async fn one_left(leaving: &mut Vec<Child>) {
    std::future::poll_fn(|cx| {
        let gone = leaving.iter_mut().position(|child| {
            let waiting = std::pin::pin!(child.wait());
            waiting.poll(cx).is_ready()
        });
        match gone {
            Some(at) => {
                leaving.swap_remove(at);
                std::task::Poll::Ready(())
            }
            None => std::task::Poll::Pending,
        }
    })
    .await;
}

/// Tells a process that hears; one that does not is not waited for.
async fn tell(running: &mut Running, word: &str) {
    let Some(pipe) = &mut running.hears else {
        return;
    };
    let line = format!("{}\n", word.replace('\n', " "));
    let told = tokio::time::timeout(HEAR_WITHIN, pipe.write_all(line.as_bytes())).await;
    if !matches!(told, Ok(Ok(()))) {
        tracing::debug!(word, "control did not hear");
    }
}

#[cfg(test)]
mod tests;
