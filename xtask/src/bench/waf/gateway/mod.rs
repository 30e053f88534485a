//! The gateway with rules, beside nginx with ModSecurity and beside itself without: reverse proxies
//! with one worker each, before the same backend, under wrk.

mod report;
mod requests;
mod sides;

use std::path::Path;

use anyhow::Context as _;
use model::{Clock as _, SystemClock};

use super::super::contender::{Certificate, LOAD_CORE, PROXY_CORE, backend};
use super::super::gateway::Scratch;
use super::super::load::Aim;
use super::super::process::{Watch, at_rest};
use super::super::{machine, rampart};
use super::{crs, put, rules};
pub(super) use report::Report;
use report::Round;
use requests::Case;
use sides::{MODULE, Ring, Running, Side};

/// Seconds of load before anything is measured: the slowest side answers its first JSON after more than one.
const WARM_UP_S: u32 = 3;

/// What is missing for this part, as a message with its hint.
pub(super) fn missing() -> Option<String> {
    let mut missing = machine::missing(&["nginx", "wrk", "taskset"]);
    if !Path::new(MODULE).is_file() {
        missing.push("nginx's module for ModSecurity");
    }
    if !missing.is_empty() {
        return Some(format!(
            "error: missing: {}\nhint: apt-get install -y nginx-light libnginx-mod-http-modsecurity wrk util-linux",
            missing.join(", ")
        ));
    }
    (machine::cores() < 2)
        .then(|| "error: this needs two cores: one for the proxy, one for the load".to_owned())
}

/// Runs every side with every request, interleaved.
pub(super) fn measure(root: &Path, rounds: u32, seconds: u32) -> anyhow::Result<Report> {
    let started = SystemClock::new().now();
    let program = rampart::build(root)?;
    let folder = Scratch::make(started.as_millis())?;
    let folder = &folder.0;
    let certificate = Certificate::make(folder)?;
    let (_backend, backend) = backend(folder)?;
    let crs = crs(root).canonicalize()?;
    let ring = Ring {
        program: &program,
        folder,
        certificate: &certificate,
        backend,
        crs: &crs,
        rules: &sides::rules(folder, &rules(&crs, folder, 1)?)?,
    };
    let mut running = Vec::new();
    for side in Side::ALL {
        let one = ring.start(side)?;
        one.check()?;
        running.push(one);
    }
    let mut done = Vec::new();
    for round in 0..=rounds {
        for case in Case::ALL {
            let script = folder.join("load.lua");
            put(&script, case.script().as_bytes())?;
            for one in &running {
                // The first round is to warm up.
                let seconds = if round == 0 { WARM_UP_S } else { seconds };
                let ran = run(one, case, &script, seconds)?;
                done.extend((round > 0).then_some(ran));
            }
        }
    }
    Ok(Report {
        date: started.to_string(),
        machine: machine::describe(),
        versions: versions(&running),
        seconds,
        rounds,
        done,
    })
}

fn run(one: &Running, case: Case, script: &Path, seconds: u32) -> anyhow::Result<Round> {
    let aim = Aim {
        core: LOAD_CORE,
        url: &format!("http://{}/", one.at),
        header: None,
        script: Some(script),
        seconds,
    };
    let watch = Watch::begin(one.pid, one.beside, PROXY_CORE)?;
    let done = aim
        .wrk()
        .with_context(|| format!("{} under load ({})", one.side.name(), case.name()))?;
    let seen = watch.end()?;
    // What a slow proxy still has to do must not fall into the next one's time.
    at_rest(one.pid)?;
    Ok(Round {
        side: one.side,
        case,
        cpu_us: seen.cpu_s * 1e6 / done.requests,
        beside_us: seen.beside_s * 1e6 / done.requests,
        per_s: done.per_s,
        busy: seen.busy,
    })
}

fn versions(running: &[Running]) -> Vec<String> {
    let ours = format!("rampart {}", env!("CARGO_PKG_VERSION"));
    let library = running.iter().find_map(Running::library);
    [
        Some(ours),
        Some(machine::version("nginx", "-v")),
        library,
        Some(machine::version("wrk", "-v")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
