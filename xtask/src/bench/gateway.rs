//! `bench gateway`: nginx, HAProxy and Rampart as reverse proxies over loopback. What counts is
//! processor time per request of the proxy; requests per second count only when the proxy's core
//! was the bottleneck.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use model::{Clock as _, SystemClock};

use super::contender::{
    Addresses, Certificate, LOAD_CORE, PROXY_CORE, backend, haproxy, nginx_proxy,
};
use super::load::{self, Aim};
use super::machine;
use super::process::{Watch, memory_mib, pause};
use super::rampart::Rampart;
use super::report::{Report, Round, Steady};
use super::side::{Over, Side, Who};

/// Seconds of load before anything is measured.
const WARM_UP_S: u32 = 1;
/// Connections that wait while its memory is read.
const CROWD: usize = 10_000;
/// How long Rampart is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(3);
/// The steady rate, as a share of what the slowest proxy can do.
const STEADY: f64 = 0.7;

/// One side: where it listens and whose time is counted.
struct Contender {
    side: Side,
    url: String,
    header: Option<String>,
    pid: u32,
    /// Time that is reported beside, not counted: Rampart's control process.
    beside: Option<u32>,
}

/// Runs every side, interleaved.
pub(super) fn measure(root: &Path, rounds: u32, seconds: u32) -> anyhow::Result<Report> {
    let clock = SystemClock::new();
    let started = clock.now();
    let folder = Scratch::make(started.as_millis())?;
    let certificate = Certificate::make(&folder.0)?;
    let (_backend, backend) = backend(&folder.0)?;
    let (rampart, key) = Rampart::with_key(root, &folder.0, &certificate, backend)?;
    pause(IDLE);
    let memory = || {
        let all = rampart.processes();
        all.iter()
            .map(|pid| memory_mib(*pid))
            .sum::<anyhow::Result<f64>>()
    };
    let idle_memory_mib = memory()?;
    let (nginx, nginx_at) = nginx_proxy(&folder.0, &certificate, backend)?;
    let (haproxy, haproxy_at) = haproxy(&folder.0, &certificate, backend)?;
    let contenders: Vec<Contender> = Side::all()
        .map(|side| match side.who {
            Who::Nginx => Contender::peer(side, nginx_at, nginx.id()),
            Who::Haproxy => Contender::peer(side, haproxy_at, haproxy.id()),
            Who::Plain | Who::Full => Contender::ours(side, &rampart, &key),
        })
        .collect();
    for contender in &contenders {
        contender.run(WARM_UP_S)?;
    }
    let mut done = Vec::new();
    for _ in 0..rounds {
        for contender in &contenders {
            done.push(contender.run(seconds)?);
        }
    }
    let steady = steady(&contenders, &done, &folder.0, (rounds, seconds))?;
    let crowd = load::crowd(rampart.at.clear, CROWD)?;
    pause(IDLE);
    let crowd_memory_mib = memory()?;
    drop(crowd);
    Ok(Report {
        date: started.to_string(),
        machine: machine::describe(),
        versions: versions(),
        seconds,
        rounds,
        idle_memory_mib,
        crowd_memory_mib,
        done,
        steady,
    })
}

fn versions() -> Vec<(String, String)> {
    let ours = format!("rampart {}", env!("CARGO_PKG_VERSION"));
    let peers = [
        ("nginx", "-v"),
        ("haproxy", "-v"),
        ("wrk", "-v"),
        ("h2load", "--version"),
    ];
    let of = |(name, argument): (&str, &str)| (name.to_owned(), machine::version(name, argument));
    std::iter::once(("rampart".to_owned(), ours))
        .chain(peers.into_iter().map(of))
        .collect()
}

/// Every proxy at the same rate, over HTTP/1.1: how long its answers take.
fn steady(
    contenders: &[Contender],
    done: &[Round],
    folder: &Path,
    (rounds, seconds): (u32, u32),
) -> anyhow::Result<Vec<Steady>> {
    let of = |contender: &Contender| contender.side.over == Over::Http1;
    let able = |contender: &Contender| {
        let rounds = done.iter().filter(|round| round.side == contender.side);
        let per_s: Vec<f64> = rounds.map(|round| round.per_s).collect();
        per_s.iter().sum::<f64>() / f64::from(u32::try_from(per_s.len()).unwrap_or(u32::MAX))
    };
    let slowest = contenders.iter().filter(|contender| of(contender));
    let per_s = STEADY * slowest.map(able).fold(f64::INFINITY, f64::min);
    let mut all = Vec::new();
    for _ in 0..rounds {
        for contender in contenders.iter().filter(|contender| of(contender)) {
            let times = contender
                .aim(seconds)
                .steady(per_s, &folder.join("steady.log"))
                .with_context(|| format!("{} at a steady rate", contender.side.name()))?;
            all.push(Steady::of(contender.side.who, per_s, times));
        }
    }
    Ok(all)
}

impl Contender {
    fn peer(side: Side, at: Addresses, pid: u32) -> Self {
        Self {
            side,
            url: at.url(side.over, "/plain"),
            header: None,
            pid,
            beside: None,
        }
    }

    fn ours(side: Side, rampart: &Rampart, key: &str) -> Self {
        let full = side.who == Who::Full;
        let path = if full { "/full" } else { "/plain" };
        Self {
            side,
            url: rampart.at.url(side.over, path),
            header: full.then(|| format!("Authorization: Bearer {key}")),
            pid: rampart.gateway,
            beside: Some(rampart.control),
        }
    }

    fn aim(&self, seconds: u32) -> Aim<'_> {
        Aim {
            core: LOAD_CORE,
            url: &self.url,
            header: self.header.as_deref(),
            script: None,
            seconds,
        }
    }

    fn run(&self, seconds: u32) -> anyhow::Result<Round> {
        let watch = Watch::begin(self.pid, self.beside, PROXY_CORE)?;
        let aim = self.aim(seconds);
        let done = match self.side.over {
            Over::Http1 | Over::Https => aim.wrk(),
            Over::Http2 => aim.http2(),
        };
        let done = done.with_context(|| format!("{} under load", self.side.name()))?;
        let seen = watch.end()?;
        Ok(Round {
            side: self.side,
            cpu_us: seen.cpu_s * 1e6 / done.requests,
            beside_us: seen.beside_s * 1e6 / done.requests,
            per_s: done.per_s,
            busy: seen.busy,
        })
    }
}

/// A folder of this run alone, removed at its end.
pub(super) struct Scratch(pub(super) std::path::PathBuf);

impl Scratch {
    pub(super) fn make(at_ms: i64) -> anyhow::Result<Self> {
        let name = format!("rampart-bench-{}-{at_ms}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .with_context(|| format!("cannot make the folder `{}`", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
