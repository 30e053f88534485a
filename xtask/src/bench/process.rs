//! Processes under measurement: pinned to one core, ended when dropped, and what `/proc` says
//! about them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use model::{Clock as _, SystemClock};

/// A started program, pinned.
#[derive(Debug)]
pub(super) struct Pinned {
    child: Child,
    name: String,
}

/// How often the kernel counts: `sysconf(_SC_CLK_TCK)`, 100 on every Linux of ours.
const TICKS_PER_S: f64 = 100.0;
/// How long a program may take to stop.
const STOP: Duration = Duration::from_secs(10);
/// How long a proxy may take to come to rest, and how many looks in a row must see no time spent.
const REST: Duration = Duration::from_secs(60);
const STILL: u32 = 10;

impl Pinned {
    /// Starts `program` on `core`; both outputs go to `log`.
    pub(super) fn start(
        core: u32,
        program: &Path,
        arguments: &[&str],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let output = std::fs::File::create(log)
            .with_context(|| format!("cannot make the log `{}`", log.display()))?;
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start `{}`", program.display()))?;
        Ok(Self {
            child,
            name: program.display().to_string(),
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// An error when it has already ended.
    pub(super) fn alive(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(anyhow!("`{}` ended by itself: {status}", self.name)),
        }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself; then there is nobody to ask.
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
        }
        let ended = until(STOP, || !matches!(self.child.try_wait(), Ok(None)));
        if !ended {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

/// Looks at `condition` until it holds or `within` has passed; says which.
pub(super) fn until(within: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let clock = SystemClock::new();
    while clock.monotonic() < within {
        if condition() {
            return true;
        }
        pause(Duration::from_millis(20));
    }
    condition()
}

#[expect(
    clippy::disallowed_methods,
    reason = "waits for other programs, which tell nobody"
)]
pub(super) fn pause(for_: Duration) {
    std::thread::sleep(for_);
}

/// Seconds of processor time a process has used, its ended threads included.
fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("the process {pid} is gone"))?;
    ticks(&stat)
        .map(|ticks| ticks / TICKS_PER_S)
        .with_context(|| format!("cannot read the times of process {pid}"))
}

/// `utime` and `stime` of a line of `/proc/PID/stat`.
fn ticks(stat: &str) -> Option<f64> {
    // The name in parentheses may hold spaces: the fields begin behind the last one.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Ticks of one core: busy, and in all.
fn core_ticks(core: u32) -> anyhow::Result<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    busy_and_all(&stat, core).with_context(|| format!("`/proc/stat` has no core {core}"))
}

fn busy_and_all(stat: &str, core: u32) -> Option<(f64, f64)> {
    let prefix = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&prefix))?;
    let fields: Vec<f64> = line
        .split_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; guest times are within user.
    let all: f64 = fields.iter().take(8).sum();
    let idle: f64 = fields.iter().skip(3).take(2).sum();
    Some((all - idle, all))
}

/// Processor time of a proxy, from a moment on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    pid: u32,
    /// Whose time is told apart: Rampart's control process.
    beside: Option<u32>,
    core: u32,
    cpu_s: f64,
    beside_s: f64,
    ticks: (f64, f64),
}

/// What a watch saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Seconds of the proxy.
    pub(super) cpu_s: f64,
    /// Seconds of who is told apart.
    pub(super) beside_s: f64,
    /// Share of the core that was busy.
    pub(super) busy: f64,
}

impl Watch {
    pub(super) fn begin(pid: u32, beside: Option<u32>, core: u32) -> anyhow::Result<Self> {
        Ok(Self {
            pid,
            beside,
            core,
            cpu_s: cpu_seconds(pid)?,
            beside_s: beside.map_or(Ok(0.0), cpu_seconds)?,
            ticks: core_ticks(core)?,
        })
    }

    pub(super) fn end(&self) -> anyhow::Result<Seen> {
        let (busy, all) = core_ticks(self.core)?;
        Ok(Seen {
            cpu_s: cpu_seconds(self.pid)? - self.cpu_s,
            beside_s: self.beside.map_or(Ok(0.0), cpu_seconds)? - self.beside_s,
            busy: (busy - self.ticks.0) / (all - self.ticks.1).max(1.0),
        })
    }
}

/// Waits until a proxy has nothing to do any more; whoever left it has left work behind.
pub(super) fn at_rest(pid: u32) -> anyhow::Result<()> {
    let (mut last, mut still) = (cpu_seconds(pid)?, 0);
    let rests = until(REST, || {
        let now = cpu_seconds(pid).unwrap_or(f64::NAN);
        still = if now.total_cmp(&last).is_eq() {
            still + 1
        } else {
            0
        };
        last = now;
        still >= STILL
    });
    if !rests {
        bail!("the process {pid} never comes to rest");
    }
    Ok(())
}

/// Mebibytes of memory that are a process's own share (PSS).
pub(super) fn memory_mib(pid: u32) -> anyhow::Result<f64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .with_context(|| format!("cannot read the memory of process {pid}"))?;
    let kib: f64 = rollup
        .lines()
        .find_map(|line| {
            line.strip_prefix("Pss:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .with_context(|| format!("process {pid} says nothing about its memory"))?;
    Ok(kib / 1024.0)
}

/// Ids of the processes whose parent is `parent`, with their command lines.
pub(super) fn children(parent: u32) -> anyhow::Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process may end between the listing and this read.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let of = fields
            .split(' ')
            .nth(1)
            .and_then(|of| of.parse::<u32>().ok());
        if of == Some(parent) {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            found.push((pid, String::from_utf8_lossy(&line).replace('\0', " ")));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_a_name_with_spaces() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 10 0 0 0 150 50 0 0 20 0 1 0 5 0 0";
        assert!((ticks(stat).unwrap() - 200.0).abs() < f64::EPSILON);
        assert_eq!(ticks("nonsense"), None);
    }

    #[test]
    fn a_core_is_busy_when_it_is_not_idle() {
        let stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu1 10 0 20 60 10 0 0 0 0 0\n";
        let (busy, all) = busy_and_all(stat, 1).unwrap();
        assert!((busy - 30.0).abs() < f64::EPSILON && (all - 100.0).abs() < f64::EPSILON);
        assert!(busy_and_all(stat, 0).is_none());
    }

    #[test]
    fn this_process_has_memory_and_a_parent() {
        assert!(memory_mib(std::process::id()).unwrap() > 0.1);
        let parent = std::os::unix::process::parent_id();
        let own = std::process::id();
        assert!(children(parent).unwrap().iter().any(|(pid, _)| *pid == own));
    }
}
