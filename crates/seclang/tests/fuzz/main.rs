//! Looks for bytes that break what [`checks`] claims: `fuzz MINUTES [SEED [FOLDER]]`, where minutes are of
//! processor time, whatever else the machine does, and the folder is that of the Core Rule Set: its rules
//! and tests then join the corpus, and whole requests meet it as a whole, at the highest level. There is
//! no coverage to be guided by; what goes another way than all before it joins the corpus instead.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a program for measuring, which has nobody to answer but its own operator"
)]

mod checks;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use checks::Target;
use rustix::time::{ClockId, clock_gettime};
use seclang::regression::{CRS_SETUP, parse, wire, written};
use seclang::{Files, Leniency, Loader, Ruleset};
use testkit::Mutator;

/// LIMIT: what joins a corpus at the beginning; of what is found to go another way, four times as much.
const CORPUS_MAX: usize = 4_096;
/// LIMIT: bytes of one that joins.
const JOINING_BYTES_MAX: usize = 8 << 10;

struct Corpus {
    target: Target,
    inputs: Vec<Vec<u8>>,
    seen: HashSet<String>,
    rounds: u64,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Files as they are named.
struct Folder;

impl Files for Folder {
    fn read(&self, from: &str, path: &str) -> Result<Vec<u8>, String> {
        let beside = Path::new(from).parent().unwrap_or(Path::new(""));
        std::fs::read(beside.join(path)).map_err(|error| format!("`{path}`: {error}"))
    }

    fn list(&self, _from: &str, pattern: &str) -> Result<Vec<String>, String> {
        Ok(vec![pattern.to_owned()])
    }
}

/// The Core Rule Set as its own tests want it: every rule has its say.
fn core_rule_set(folder: &Path) -> Ruleset {
    let mut loader = Loader::new(&Folder, Leniency::Strict);
    let name = |path: &Path| path.to_string_lossy().into_owned();
    loader.include(
        "",
        &name(&folder.join("../modsecurity/modsecurity.conf-recommended")),
    );
    loader.include("", &name(&folder.join("crs-setup.conf.example")));
    loader.text("setup of the tests", CRS_SETUP.as_bytes());
    let mut rules = Vec::new();
    files(&folder.join("rules"), &mut rules);
    rules.retain(|path| path.extension().is_some_and(|ending| ending == "conf"));
    for path in rules {
        loader.include("", &name(&path));
    }
    match loader.finish() {
        Ok(loaded) => loaded.rules,
        Err(error) => panic!("{error}"),
    }
}

fn corpus(target: Target) -> Corpus {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz");
    let mut found = Vec::new();
    files(&folder.join(target.name()), &mut found);
    let inputs = found
        .iter()
        .map(|path| std::fs::read(path).expect("a file of the corpus"));
    Corpus {
        target,
        inputs: inputs.collect(),
        seen: HashSet::new(),
        rounds: 0,
    }
}

/// Rules of the Core Rule Set one by one, and the bodies of its tests.
fn enlarge(corpora: &mut [Corpus], folder: &Path) {
    let mut found = Vec::new();
    files(folder, &mut found);
    for path in found {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let is = |ending: &str| path.extension().is_some_and(|known| known == ending);
        if is("conf") {
            let rules = text.split("\n\n").filter(|one| one.starts_with("Sec"));
            for rule in rules {
                join(
                    corpora,
                    Target::Rules,
                    format!("{rule}\nSecMarker END\n").into_bytes(),
                );
            }
        } else if is("yaml") {
            let stages = parse("a test", &text)
                .unwrap_or_default()
                .into_iter()
                .flat_map(|case| case.stages);
            for stage in stages {
                join(corpora, Target::Requests, written(&stage.input));
                let body = wire(&stage.input).body;
                for target in [
                    Target::Urlencoded,
                    Target::Multipart,
                    Target::Json,
                    Target::Xml,
                ] {
                    if looks_like(target, &body) {
                        join(corpora, target, body.clone());
                    }
                }
            }
        }
    }
}

fn looks_like(target: Target, body: &[u8]) -> bool {
    match target {
        Target::Rules | Target::Requests => false,
        Target::Urlencoded => body.contains(&b'='),
        Target::Multipart => body.starts_with(b"--"),
        Target::Json => matches!(body.first(), Some(b'{' | b'[')),
        Target::Xml => body.first() == Some(&b'<'),
    }
}

fn join(corpora: &mut [Corpus], target: Target, input: Vec<u8>) {
    let corpus = corpora.iter_mut().find(|corpus| corpus.target == target);
    if let Some(corpus) = corpus.filter(|corpus| corpus.inputs.len() < CORPUS_MAX)
        && input.len() <= JOINING_BYTES_MAX
    {
        corpus.inputs.push(input);
    }
}

/// What this process has had of it.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| words.get(at).map(String::as_str);
    let minutes = word(0)
        .and_then(|text| text.parse().ok())
        .expect("usage: fuzz MINUTES [SEED [FOLDER]]");
    let seed: u64 = word(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut corpora: Vec<Corpus> = Target::ALL.into_iter().map(corpus).collect();
    if let Some(folder) = word(2) {
        enlarge(&mut corpora, Path::new(folder));
    }
    let rules = checks::rules();
    let whole = word(2).map(|folder| core_rule_set(Path::new(folder)));
    let begun = processor_time();
    let end = Duration::from_secs(60_u64.saturating_mul(minutes));
    let mut round = 0_u64;
    while processor_time().saturating_sub(begun) < end {
        for corpus in &mut corpora {
            let mut mutator = Mutator::new(seed.wrapping_add(round.wrapping_mul(0x1000_0001)));
            let mut input = mutator.pick(&corpus.inputs).cloned().unwrap_or_default();
            // Two thirds with their damage, one third with a piece of another one before it.
            if mutator.below(3) == 0 {
                let other = mutator.pick(&corpus.inputs).cloned().unwrap_or_default();
                let at = mutator.below(other.len());
                input.splice(0..0, other.get(..at).unwrap_or_default().iter().copied());
            }
            mutator.mutate(&mut input, corpus.target.words());
            let rules = match (&whole, corpus.target) {
                (Some(whole), Target::Requests) => whole,
                _ => &rules,
            };
            let looked = catch_unwind(AssertUnwindSafe(|| {
                checks::look(corpus.target, rules, &input)
            }));
            let Ok(way) = looked else {
                println!(
                    "FOUND: {} in round {round} of seed {seed}: \"{}\"",
                    corpus.target.name(),
                    input.escape_ascii()
                );
                panic!("a claim does not hold");
            };
            corpus.rounds += 1;
            if corpus.seen.len() < CORPUS_MAX * 4
                && corpus.seen.insert(way)
                && input.len() <= JOINING_BYTES_MAX
            {
                corpus.inputs.push(input);
            }
        }
        round += 1;
    }
    let took = processor_time().saturating_sub(begun);
    println!("{} s of processor time", took.as_secs());
    for corpus in &corpora {
        println!(
            "{}: {} inputs, {} ways, {} of them in the corpus; nothing found",
            corpus.target.name(),
            corpus.rounds,
            corpus.seen.len(),
            corpus.inputs.len()
        );
    }
}
