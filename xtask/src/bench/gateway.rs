//! `bench gateway`: nginx, HAProxy and Rampart as reverse proxies over loopback. What counts is
//! processor time per request of the proxy; requests per second count only when the proxy's core
//! was the bottleneck.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use model::{Clock as _, SystemClock};

use super::contender::{LOAD_CORE, PROXY_CORE, Rampart, backend, haproxy, nginx_proxy};
use super::load;
use super::machine;
use super::process::{core_ticks, cpu_seconds, memory_mib, pause};
use super::report::{Report, Round, Side};

/// Seconds of load before anything is measured.
const WARM_UP_S: u32 = 2;
/// Connections that wait while its memory is read.
const CROWD: usize = 10_000;
/// How long Rampart is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(3);

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
    let (_backend, backend) = backend(&folder.0)?;
    let rampart = Rampart::start(root, &folder.0, backend)?;
    pause(IDLE);
    let memory = || {
        let all = rampart.processes();
        all.iter()
            .map(|pid| memory_mib(*pid))
            .sum::<anyhow::Result<f64>>()
    };
    let idle_memory_mib = memory()?;
    let (nginx, nginx_at) = nginx_proxy(&folder.0, backend)?;
    let (haproxy, haproxy_at) = haproxy(&folder.0, backend)?;
    let contenders = contenders((nginx.id(), nginx_at), (haproxy.id(), haproxy_at), &rampart);
    for contender in &contenders {
        contender.run(WARM_UP_S)?;
    }
    let mut done = Vec::new();
    for _ in 0..rounds {
        for contender in &contenders {
            done.push(contender.run(seconds)?);
        }
    }
    let crowd = load::crowd(rampart.address, CROWD)?;
    pause(IDLE);
    let crowd_memory_mib = memory()?;
    drop(crowd);
    Ok(Report {
        date: started.to_string(),
        machine: machine::describe(),
        versions: vec![
            (
                "rampart".to_owned(),
                format!("rampart {}", env!("CARGO_PKG_VERSION")),
            ),
            ("nginx".to_owned(), machine::version("nginx", "-v")),
            ("haproxy".to_owned(), machine::version("haproxy", "-v")),
            ("wrk".to_owned(), machine::version("wrk", "-v")),
        ],
        seconds,
        rounds,
        idle_memory_mib,
        crowd_memory_mib,
        done,
    })
}

/// The sides, in the order of a round.
fn contenders(
    (nginx, nginx_at): (u32, SocketAddr),
    (haproxy, haproxy_at): (u32, SocketAddr),
    rampart: &Rampart,
) -> [Contender; 4] {
    let url = |address: SocketAddr, path: &str| format!("http://{address}{path}");
    let plain = |side, url, pid| Contender {
        side,
        url,
        header: None,
        pid,
        beside: None,
    };
    [
        plain(Side::Nginx, url(nginx_at, "/plain"), nginx),
        plain(Side::Haproxy, url(haproxy_at, "/plain"), haproxy),
        Contender {
            beside: Some(rampart.control),
            ..plain(
                Side::RampartPlain,
                url(rampart.address, "/plain"),
                rampart.gateway,
            )
        },
        Contender {
            header: Some(format!("Authorization: Bearer {}", rampart.key)),
            beside: Some(rampart.control),
            ..plain(
                Side::RampartFull,
                url(rampart.address, "/full"),
                rampart.gateway,
            )
        },
    ]
}

impl Contender {
    fn run(&self, seconds: u32) -> anyhow::Result<Round> {
        let wrk = machine::program("wrk").context("`wrk` is not installed")?;
        let beside = || self.beside.map_or(Ok(0.0), cpu_seconds);
        let (cpu, beside_cpu) = (cpu_seconds(self.pid)?, beside()?);
        let (busy, all) = core_ticks(PROXY_CORE)?;
        let done = load::run(LOAD_CORE, &wrk, &self.url, self.header.as_deref(), seconds)
            .with_context(|| format!("{} under load", self.side.name()))?;
        let (busy_after, all_after) = core_ticks(PROXY_CORE)?;
        Ok(Round {
            side: self.side,
            cpu_us: (cpu_seconds(self.pid)? - cpu) * 1e6 / done.requests,
            beside_us: (beside()? - beside_cpu) * 1e6 / done.requests,
            per_s: done.per_s,
            busy: (busy_after - busy) / (all_after - all).max(1.0),
        })
    }
}

/// A folder of this run alone, removed at its end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn make(at_ms: i64) -> anyhow::Result<Self> {
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
