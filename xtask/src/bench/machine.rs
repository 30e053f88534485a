//! The machine and the programs on it, as far as a figure needs to name them.

use std::path::PathBuf;
use std::process::Command;

/// The program `name` on the path, or where servers are kept.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Which of `names` are not installed.
pub(super) fn missing<'a>(names: &[&'a str]) -> Vec<&'a str> {
    names
        .iter()
        .copied()
        .filter(|name| program(name).is_none())
        .collect()
}

/// The first line a program says about its version, on either of its outputs.
pub(super) fn version(name: &str, argument: &str) -> String {
    let Some(output) =
        program(name).and_then(|path| Command::new(path).arg(argument).output().ok())
    else {
        return "unknown".to_owned();
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or("unknown");
    line.split(" - ").next().unwrap_or(line).trim().to_owned()
}

/// Cores this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// `AMD EPYC, 2 cores, 24 GiB, Linux 6.1.0`.
pub(crate) fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, model)| model.trim());
    let memory_kib: u64 = read("/proc/meminfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    format!(
        "{model}, {} cores, {} GiB, Linux {}",
        cores(),
        memory_kib.div_ceil(1 << 20),
        read("/proc/sys/kernel/osrelease").trim()
    )
}
