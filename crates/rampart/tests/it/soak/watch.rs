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
    /// Events in the trail.
    pub(super) events: u64,
}

/// Mebibytes one process may grow between the second and the last quarter of a run, however long
/// it is, and within the second half of it by its slope: heaps breathe, and caches fill. Control
/// may grow by what it remembers of events besides.
const GROWTH_MAX_MIB: f64 = 2.5;
/// Bytes that control remembers of an event at most: its id in a table of slots of 17 bytes, of
/// which 7 in 16 are taken when it has just doubled, and in a queue of 16 bytes that has too.
const EVENT_BYTES: f64 = 17.0 * 16.0 / 7.0 + 32.0;
/// Events whose ids control remembers (`RECENT_MAX` of the trail).
const EVENTS_REMEMBERED: u64 = 131_072;
/// Bytes of a leaf in its file (`LEAF_FRAME_BYTES` of the trail).
const LEAF_BYTES: u64 = 72;

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
        events: events(&data.join("trail")),
    })
}

/// Entries of the trail, by the length of its leaves.
fn events(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let leaves = entries.flatten().map(|entry| entry.path());
    leaves
        .filter(|path| path.extension().is_some_and(|end| end == "leaves"))
        .filter_map(|path| Some(path.metadata().ok()?.len() / LEAF_BYTES))
        .sum()
}

/// What control may remember more of events at the later sample than at the earlier one.
fn remembered_mib(earlier: u64, later: u64) -> f64 {
    let more = later.min(EVENTS_REMEMBERED) - earlier.min(EVENTS_REMEMBERED);
    more as f64 * EVENT_BYTES / 1_048_576.0
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
    let (warm, half) = (&samples[samples.len() / 4..], &samples[samples.len() / 2..]);
    let events = |part: &[Sample]| {
        let ends = (part.first(), part.last());
        ends.0
            .zip(ends.1)
            .map_or((0, 0), |(a, b)| (a.events, b.events))
    };
    let half_min = half.first().zip(half.last());
    let half_min = half_min.map_or(0.0, |(a, b)| (b.at_s - a.at_s) / 60.0);
    for (process, name) in ["gateway", "control"].into_iter().enumerate() {
        let (early, late) = (quarter(samples, 1, process), quarter(samples, 3, process));
        let allowed = |part: &[Sample]| {
            let (earlier, later) = events(part);
            let remembered = remembered_mib(earlier, later) * process as f64;
            GROWTH_MAX_MIB + remembered
        };
        if late - early > allowed(warm) {
            complaints.push(format!("{name} grew from {early:.1} to {late:.1} MiB"));
        }
        let lately = slope(half, process);
        if lately * half_min > allowed(half) {
            complaints.push(format!(
                "{name} grew by {lately:.2} MiB a minute in the last {half_min:.0} minutes"
            ));
        }
        let most = |of: &dyn Fn(&Sample) -> usize| samples.iter().map(of).max();
        figures.insert(
            name.to_owned(),
            json!({
                "memory_mib": samples.last().map(|s| s.memory_mib[process]),
                "memory_mib_early": early,
                "memory_mib_late": late,
                "slope_mib_per_min": lately,
                "allowed_mib": allowed(warm),
                "open_files_max": most(&|s| s.open_files[process]),
                "threads_max": most(&|s| s.threads[process]),
            }),
        );
    }
    (complaints, Value::Object(figures))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples five seconds apart, of what the processes hold then, and of events then.
    fn samples(of: impl Fn(usize) -> ([f64; 2], u64)) -> Vec<Sample> {
        let sample = |at: usize| Sample {
            at_s: at as f64 * 5.0,
            memory_mib: of(at).0,
            open_files: [1, 1],
            threads: [1, 1],
            held_files: 0,
            events: of(at).1,
        };
        (0..400).map(sample).collect()
    }

    #[test]
    fn growth_is_told_from_standing_still() {
        let flat = samples(|at| ([30.0 + (at % 3) as f64, 10.0], 0));
        assert!(judge(&flat).0.is_empty());
        let leak = samples(|at| ([30.0 + at as f64, 10.0], 0));
        assert_eq!(judge(&leak).0.len(), 2);
        assert!((slope(&leak, 0) - 12.0).abs() < 0.01);
        // A third of a mebibyte a minute, in a run of half an hour.
        let slow = samples(|at| ([30.0, 10.0 + at as f64 / 36.0], 0));
        assert_eq!(judge(&slow).0.len(), 2);
    }

    #[test]
    fn what_grows_late_is_told_though_the_whole_run_hides_it() {
        let late = samples(|at| ([30.0, 10.0 + at.saturating_sub(300) as f64 / 16.0], 0));
        let complaints = judge(&late).0;
        assert!(complaints.iter().all(|one| one.starts_with("control")));
        assert!(!complaints.is_empty());
    }

    #[test]
    fn control_may_remember_events_until_its_limit_and_the_gateway_none() {
        let bytes = |at: usize| (at as f64 * 500.0).min(EVENTS_REMEMBERED as f64) * 60.0;
        let mib = |at: usize| 10.0 + bytes(at) / 1_048_576.0;
        let control = samples(|at| ([30.0, mib(at)], at as u64 * 500));
        assert!(judge(&control).0.is_empty());
        let forgets = samples(|at| ([30.0, mib(at)], at as u64 * 500 + EVENTS_REMEMBERED));
        assert!(!judge(&forgets).0.is_empty());
        let gateway = samples(|at| ([mib(at), 10.0], at as u64 * 500));
        assert!(!judge(&gateway).0.is_empty());
    }
}
