//! Measures what compiling, proving and the closure take on intents made out of a seed, in
//! processor time, which others on the same machine change little:
//! `cargo run --release -p reach --example measure [HOSTS…]`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a program for measuring, which has nobody to answer but its own operator"
)]

mod generate;

use generate::{Layout, Size, intent};
use reach::{Day, Policy};
use rustix::time::{ClockId, clock_gettime};

/// LIMIT: rounds of each size; the median is told.
const ROUNDS: usize = 5;

fn main() {
    let told: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    let sizes = if told.is_empty() {
        vec![100, 1_000, 3_000]
    } else {
        told
    };
    println!(
        "| hosts | addresses | check | compile | read and prove | closure | text | pairs | peers |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    for hosts in sizes {
        for layout in [Layout::Dense, Layout::Scattered] {
            let mut rounds: Vec<[f64; 4]> =
                (0..ROUNDS).map(|_| round(hosts, layout, None)).collect();
            let mut line = String::new();
            round(hosts, layout, Some(&mut line));
            let median = |at: usize, rounds: &mut Vec<[f64; 4]>| {
                rounds.sort_by(|a, b| a[at].total_cmp(&b[at]));
                rounds[ROUNDS / 2][at] * 1_000.0
            };
            let times: Vec<String> = (0..4)
                .map(|at| format!("{:.1} ms", median(at, &mut rounds)))
                .collect();
            println!("| {hosts} | {layout:?} | {} | {line}", times.join(" | "));
        }
    }
}

fn round(hosts: usize, layout: Layout, line: Option<&mut String>) -> [f64; 4] {
    let intent = intent(Size::usual(hosts, layout), 1);
    let today = Day::new(2026, 11, 26).unwrap();
    let at = now();
    let policy = Policy::check(&intent, today).unwrap();
    let check = now() - at;
    let at = now();
    let artefacts = policy.compile().unwrap();
    let compile = now() - at;
    let at = now();
    let proof = policy.prove(&artefacts);
    let prove = now() - at;
    assert!(
        proof.holds(),
        "{:?} {:?}",
        proof.differences.first(),
        proof.unproved.first()
    );
    let at = now();
    let closure = policy.closure();
    let reach = now() - at;
    if let Some(line) = line {
        let bytes: usize = artefacts.iter().map(|one| one.rules.len()).sum();
        let peers: usize = artefacts.iter().map(|one| one.peers.len()).sum();
        *line = format!(
            "{:.1} MiB + {:.1} MiB | {} ({} direct, {} reached) | {} |",
            bytes as f64 / 1_048_576.0,
            peers as f64 / 1_048_576.0,
            proof.pairs,
            closure.direct,
            closure.reached,
            proof.peers,
        );
    }
    [check, compile, prove, reach]
}

/// Seconds of processor time of this process, which has one thread.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
