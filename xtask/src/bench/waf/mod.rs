//! `bench waf`: `seclang` and libmodsecurity with the same rules and the same requests, each on one
//! thread. What counts is processor time per request, from the request's bytes to the decision. And
//! the gateway with rules beside nginx with ModSecurity (`gateway`).

mod cases;
mod gateway;
mod peer;
mod report;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use model::{Clock as _, SystemClock};

use super::gateway::Scratch;
use super::machine;
use crate::chores::complain;
use cases::{CASES, Noise};
use peer::Peer;
use report::{Loaded, Report, Round};

/// Paranoia levels that are measured; the first one has the bars.
const LEVELS: [u8; 4] = [1, 2, 3, 4];
/// Rounds at the other levels, which have no bars.
const ROUNDS_BESIDE: u32 = 3;

/// As Debian installs it.
const LIBRARY: &str = "libmodsecurity.so.3";

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Seclang,
    Modsecurity,
}

impl Who {
    const ALL: [Self; 2] = [Self::Seclang, Self::Modsecurity];

    fn name(self) -> &'static str {
        match self {
            Self::Seclang => "seclang",
            Self::Modsecurity => "libmodsecurity",
        }
    }
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The engine alone.
    Engine,
    /// The gateway with rules.
    Gateway,
}

impl Part {
    pub(super) const NAMED: [(&'static str, Self); 2] =
        [("engine", Self::Engine), ("gateway", Self::Gateway)];
}

/// What was measured: both parts, or the one that was asked for.
#[derive(Debug)]
pub(super) struct Measured {
    engine: Option<Report>,
    gateway: Option<gateway::Report>,
}

impl Measured {
    /// Whether every bar holds.
    pub(super) fn holds(&self) -> bool {
        self.engine.as_ref().is_none_or(Report::holds)
            && self.gateway.as_ref().is_none_or(gateway::Report::holds)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let engine = self.engine.as_ref().map(Report::text);
        let gateway = self.gateway.as_ref().map(gateway::Report::text);
        let parts: Vec<String> = [engine, gateway].into_iter().flatten().collect();
        parts.join("\n")
    }

    /// For programs: a document for each part.
    pub(super) fn json(&self) -> serde_json::Value {
        let engine = self.engine.as_ref().map(Report::json);
        let gateway = self.gateway.as_ref().map(gateway::Report::json);
        [engine, gateway].into_iter().flatten().collect()
    }

    /// The page `docs/reference/waf-performance.md`.
    pub(super) fn markdown(&self) -> String {
        let engine = self.engine.as_ref().map(Report::markdown);
        let gateway = self.gateway.as_ref().map(gateway::Report::markdown);
        let parts: Vec<String> = [engine, gateway].into_iter().flatten().collect();
        parts.join("\n")
    }
}

/// What is missing for this bench, as a message with its hint.
pub(super) fn missing(root: &Path, part: Option<Part>) -> Option<String> {
    if part != Some(Part::Gateway) && machine::program("cc").is_none() {
        return Some("error: missing: cc\nhint: apt-get install -y gcc libc6-dev".to_owned());
    }
    let rules = crs(root).join("rules");
    if !rules.is_dir() {
        let rules = rules.display();
        return Some(format!(
            "error: missing: the Core Rule Set: there is no `{rules}`\nhint: set RAMPART_CRS_DIR to its folder"
        ));
    }
    match part {
        Some(Part::Engine) => None,
        None | Some(Part::Gateway) => gateway::missing(),
    }
}

/// Measures both parts, or the one that is asked for. None when libmodsecurity is not installed.
pub(super) fn measure(
    root: &Path,
    part: Option<Part>,
    (rounds, seconds): (u32, u32),
) -> anyhow::Result<Option<Measured>> {
    let engine = match part {
        Some(Part::Gateway) => None,
        None | Some(Part::Engine) => match engine(root, rounds)? {
            None => return Ok(None),
            some => some,
        },
    };
    let gateway = match part {
        Some(Part::Engine) => None,
        None | Some(Part::Gateway) => Some(gateway::measure(root, rounds, seconds)?),
    };
    Ok(Some(Measured { engine, gateway }))
}

/// The folder of the Core Rule Set.
fn crs(root: &Path) -> PathBuf {
    let named = std::env::var_os("RAMPART_CRS_DIR");
    root.join(named.unwrap_or_else(|| "../shared/data/crs".into()))
}

/// Runs both engines, interleaved. None when libmodsecurity is not installed.
fn engine(root: &Path, rounds: u32) -> anyhow::Result<Option<Report>> {
    let started = SystemClock::new().now();
    let folder = Scratch::make(started.as_millis())?;
    let programs = [ours(root)?, theirs(root, &folder.0)?];
    let mut report = Report {
        date: started.to_string(),
        machine: machine::describe(),
        rounds,
        versions: Vec::new(),
        loaded: Vec::new(),
        done: Vec::new(),
    };
    for level in LEVELS {
        let rules = rules(&crs(root), &folder.0, level)?;
        let mut peers = Vec::new();
        for (who, (program, arguments)) in Who::ALL.into_iter().zip(&programs) {
            let Some(peer) = Peer::start(program, arguments, &rules)? else {
                if who == Who::Modsecurity {
                    return Ok(None);
                }
                bail!("the rules could not be loaded");
            };
            report.loaded.push(Loaded {
                who,
                level,
                seconds: peer.load_ns / 1e9,
                mib: peer.resident_kib / 1024.0,
            });
            peers.push((who, peer));
        }
        if report.versions.is_empty() {
            report.versions = peers.iter().map(|(_, peer)| peer.version.clone()).collect();
        }
        let rounds = if level == 1 { rounds } else { ROUNDS_BESIDE };
        report
            .done
            .extend(at_level(level, rounds, &folder.0, &mut peers)?);
    }
    Ok(Some(report))
}

fn at_level(
    level: u8,
    rounds: u32,
    folder: &Path,
    peers: &mut [(Who, Peer)],
) -> anyhow::Result<Vec<Round>> {
    let mut noise = Noise::new(u64::from(level));
    let mut done = Vec::new();
    let requests = folder.join("requests");
    for round in 0..=rounds {
        for (number, case) in CASES.iter().enumerate() {
            put(&requests, &(case.requests)(&mut noise))?;
            for (who, peer) in peers.iter_mut() {
                let times = if *who == Who::Seclang {
                    case.times * 4
                } else {
                    case.times
                };
                let ran = peer.run(&requests, if case.fresh { 1 } else { times })?;
                let ended = (ran.status == 403) == case.blocked;
                // A side that does not decide as it should is not compared.
                if level == 1 && !ended {
                    bail!("{} answered {} to `{}`", who.name(), ran.status, case.name);
                }
                // The first round is to warm up.
                if round > 0 {
                    done.push(Round {
                        who: *who,
                        level,
                        case: number,
                        us: ran.ns / ran.requests / 1e3,
                    });
                }
            }
        }
    }
    Ok(done)
}

/// The Core Rule Set in blocking mode, with the recommended configuration; no audit log is written.
fn rules(crs: &Path, folder: &Path, level: u8) -> anyhow::Result<PathBuf> {
    let crs = crs
        .canonicalize()
        .context("the Core Rule Set has no path")?;
    let crs = crs.display();
    let text = format!(
        "Include {crs}/../modsecurity/modsecurity.conf-recommended\nSecRuleEngine On\nSecAuditEngine Off\n\
         Include {crs}/crs-setup.conf.example\n\
         SecAction \"id:900000,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level={level}\"\n\
         Include {crs}/rules/*.conf\n"
    );
    let path = folder.join("rules.conf");
    put(&path, text.as_bytes())?;
    Ok(path)
}

#[expect(clippy::disallowed_methods, reason = "a file of this run alone")]
fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Builds the release build of the engine alone, behind its commands.
fn ours(root: &Path) -> anyhow::Result<(PathBuf, Vec<String>)> {
    complain("building seclang (release)");
    let words = [
        "build",
        "--release",
        "--locked",
        "-p",
        "seclang",
        "--example",
        "peer",
    ];
    let built = Command::new(env!("CARGO"))
        .args(words)
        .current_dir(root)
        .status();
    if !built.context("cannot run cargo")?.success() {
        bail!("the release build failed");
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok((target.join("release/examples/peer"), Vec::new()))
}

/// Builds the program that puts libmodsecurity behind the same commands.
fn theirs(root: &Path, folder: &Path) -> anyhow::Result<(PathBuf, Vec<String>)> {
    let program = folder.join("modsecurity");
    let built = Command::new("cc")
        .arg("-O2")
        .arg("-o")
        .arg(&program)
        .arg(root.join("xtask/peers/modsecurity.c"))
        .arg("-ldl")
        .status();
    if !built.context("cannot run cc")?.success() {
        bail!("the program for libmodsecurity does not build");
    }
    Ok((program, vec![LIBRARY.to_owned()]))
}
