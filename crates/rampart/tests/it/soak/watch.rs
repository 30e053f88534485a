//! What the processes hold over time, and whether it grows.

use std::path::Path;

use serde_json::{Value, json};

/// One look at both processes: gateway, then control.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) at_s: f64,
    pub(super) memory_mib: [f64; 2],
    pub(super) open_files: [usize; 2],
    pub(super) threads: [usize; 2],
    pub(super) held_files: usize,
}

/// Mebibytes one process may grow between the second and the last quarter of a run.
const GROWTH_MAX_MIB: f64 = 12.0;

fn number(path: &str, name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Looks at the processes; nothing while one of them is away.
pub(super) fn sample(at_s: f64, ids: [u32; 2], data: &Path) -> Option<Sample> {
    let memory = |id| Some(number(&format!("/proc/{id}/smaps_rollup"), "Pss:")? / 1024.0);
    let files = |id| Some(std::fs::read_dir(format!("/proc/{id}/fd")).ok()?.count());
    let threads = |id| Some(std::fs::read_dir(format!("/proc/{id}/task")).ok()?.count());
    let [gateway, control] = ids;
    Some(Sample {
        at_s,
        memory_mib: [memory(gateway)?, memory(control)?],
        open_files: [files(gateway)?, files(control)?],
        threads: [threads(gateway)?, threads(control)?],
        held_files: held(&data.join("gateway")),
    })
}

/// Files of the gateway's that are no records: what bodies left behind.
fn held(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let entries = entries.filter_map(|entry| Some(entry.ok()?.path()));
    entries
        .map(
            |path| match path.file_name().and_then(|name| name.to_str()) {
                Some("traffic" | "deliveries") => 0,
                _ if path.is_dir() => held(&path),
                _ => 1,
            },
        )
        .sum()
}

/// Mebibytes a minute, by least squares.
fn slope(samples: &[Sample], process: usize) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count.max(1.0);
    let (at, memory) = (mean(&|s| s.at_s), mean(&|s| s.memory_mib[process]));
    let spread: f64 = samples.iter().map(|s| (s.at_s - at).powi(2)).sum();
    let both: f64 = samples
        .iter()
        .map(|s| (s.at_s - at) * (s.memory_mib[process] - memory))
        .sum();
    if spread == 0.0 {
        0.0
    } else {
        both / spread * 60.0
    }
}

fn quarter(samples: &[Sample], which: usize, process: usize) -> f64 {
    let length = samples.len() / 4;
    let part = &samples[which * length..(which + 1) * length];
    part.iter().map(|s| s.memory_mib[process]).sum::<f64>() / length.max(1) as f64
}

/// What grew, in words; and the figures. The first quarter is the warm-up.
pub(super) fn judge(samples: &[Sample]) -> (Vec<String>, Value) {
    let mut complaints = Vec::new();
    let mut figures = serde_json::Map::new();
    let warm = &samples[samples.len() / 4..];
    for (process, name) in ["gateway", "control"].into_iter().enumerate() {
        let (early, late) = (quarter(samples, 1, process), quarter(samples, 3, process));
        if late - early > GROWTH_MAX_MIB {
            complaints.push(format!("{name} grew from {early:.1} to {late:.1} MiB"));
        }
        let most = |of: &dyn Fn(&Sample) -> usize| samples.iter().map(of).max();
        figures.insert(
            name.to_owned(),
            json!({
                "memory_mib": samples.last().map(|s| s.memory_mib[process]),
                "memory_mib_early": early,
                "memory_mib_late": late,
                "slope_mib_per_min": slope(warm, process),
                "open_files_max": most(&|s| s.open_files[process]),
                "threads_max": most(&|s| s.threads[process]),
            }),
        );
    }
    (complaints, Value::Object(figures))
}

#[test]
fn growth_is_told_from_standing_still() {
    let sample = |at: usize, mib: f64| Sample {
        at_s: at as f64 * 5.0,
        memory_mib: [mib, 10.0],
        open_files: [1, 1],
        threads: [1, 1],
        held_files: 0,
    };
    let flat: Vec<_> = (0..40)
        .map(|at| sample(at, 30.0 + (at % 3) as f64))
        .collect();
    assert!(judge(&flat).0.is_empty());
    let leak: Vec<_> = (0..40).map(|at| sample(at, 30.0 + at as f64)).collect();
    assert_eq!(judge(&leak).0.len(), 1);
    assert!((slope(&leak, 0) - 12.0).abs() < 0.01);
}
