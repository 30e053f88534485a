//! What the bench found: for people, for programs, and as the page of the reference.

use serde_json::{Value, json};

use super::super::report::{Figure, Spread, verdicts};
use super::Who;
use super::cases::{CASES, NOISE_OVER_TEXT_MAX};

/// Rules of every paranoia level take at most so much memory, and so long to load.
const BAR_MEMORY_MIB: f64 = 64.0;
const BAR_LOAD_S: f64 = 1.0;
/// The level whose memory and time have a bar.
const LEVEL_MAX: u8 = 4;

/// One round of one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) who: Who,
    pub(super) level: u8,
    /// The case's place in the list.
    pub(super) case: usize,
    /// Microseconds of processor time per request.
    pub(super) us: f64,
}

/// What loading took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loaded {
    pub(super) who: Who,
    pub(super) level: u8,
    pub(super) seconds: f64,
    /// Of the whole process.
    pub(super) mib: f64,
}

/// Everything one run found.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) date: String,
    pub(super) machine: String,
    pub(super) rounds: u32,
    pub(super) versions: Vec<String>,
    pub(super) loaded: Vec<Loaded>,
    pub(super) done: Vec<Round>,
}

impl Report {
    fn spread(&self, who: Who, level: u8, case: usize) -> Spread {
        let of = |round: &&Round| round.who == who && round.level == level && round.case == case;
        Spread::of(self.done.iter().filter(of).map(|round| round.us).collect())
    }

    fn ratio(&self, level: u8, case: usize) -> f64 {
        let median = |who| self.spread(who, level, case).median;
        median(Who::Modsecurity) / median(Who::Seclang)
    }

    /// Whether every bar holds.
    pub(super) fn holds(&self) -> bool {
        let figures = self.figures();
        figures.iter().all(|figure| figure.holds != Some(false))
    }

    fn figures(&self) -> Vec<Figure> {
        let peer = self.versions.get(1).cloned();
        let mut figures = Vec::new();
        for (at, case) in CASES.iter().enumerate() {
            let value = self.ratio(1, at);
            figures.push(Figure {
                name: format!("seclang.{}.cpu_ratio.libmodsecurity", case.key),
                value,
                unit: "peer's CPU per request / ours",
                peer: peer.clone(),
                bar: case.bar,
                // A figure that is no number holds nothing.
                holds: case.bar.map(|bar| value >= bar),
            });
        }
        let place = |key: &str| {
            CASES
                .iter()
                .position(|case| case.key == key)
                .unwrap_or(usize::MAX)
        };
        let own = |key: &str| self.spread(Who::Seclang, 1, place(key)).median;
        let cliff = own("noise_64k") / own("text_64k");
        figures.push(at_most(
            "noise_64k_over_text_64k",
            cliff,
            "CPU per request / CPU per request",
            NOISE_OVER_TEXT_MAX,
        ));
        let loaded = self
            .loaded
            .iter()
            .find(|one| one.who == Who::Seclang && one.level == LEVEL_MAX);
        let (mib, seconds) = loaded.map_or((f64::NAN, f64::NAN), |one| (one.mib, one.seconds));
        figures.push(at_most(
            "level_4.memory",
            mib,
            "MiB resident, the whole process",
            BAR_MEMORY_MIB,
        ));
        figures.push(at_most("level_4.load", seconds, "s of CPU", BAR_LOAD_S));
        figures
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let round = |round: &Round| {
            json!({
                "side": round.who.name(), "paranoia_level": round.level,
                "case": CASES.get(round.case).map(|case| case.key), "cpu_per_request_us": round.us,
            })
        };
        let loaded = |one: &Loaded| {
            json!({
                "side": one.who.name(), "paranoia_level": one.level, "cpu_s": one.seconds,
                "resident_mib": one.mib,
            })
        };
        json!({
            "schema": "rampart.bench.v2",
            "name": "waf",
            "date": self.date,
            "machine": self.machine,
            "versions": self.versions,
            "results": self.figures().iter().map(Figure::json).collect::<Vec<_>>(),
            "rounds": self.done.iter().map(round).collect::<Vec<_>>(),
            "loaded": self.loaded.iter().map(loaded).collect::<Vec<_>>(),
        })
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let lines = [
            format!("machine   {}", self.machine),
            format!("date      {}", self.date),
            format!("versions  {}", self.versions.join(", ")),
            String::new(),
            self.table().join("\n"),
            String::new(),
            self.loads().join("\n"),
            String::new(),
            verdicts(&self.figures()).join("\n"),
        ];
        format!("{}\n", lines.join("\n"))
    }

    fn table(&self) -> Vec<String> {
        let mut lines = vec![
            "| request | paranoia level | seclang, µs: median (min–max) | libmodsecurity, µs | times |".to_owned(),
            "| --- | --- | --- | --- | --- |".to_owned(),
        ];
        for level in super::LEVELS {
            for (at, case) in CASES.iter().enumerate() {
                let ours = self.spread(Who::Seclang, level, at);
                let theirs = self.spread(Who::Modsecurity, level, at);
                lines.push(format!(
                    "| {} | {level} | {:.1} ({:.1}–{:.1}) | {:.0} ({:.0}–{:.0}) | {:.1} |",
                    case.name,
                    ours.median,
                    ours.min,
                    ours.max,
                    theirs.median,
                    theirs.min,
                    theirs.max,
                    self.ratio(level, at)
                ));
            }
        }
        lines
    }

    fn loads(&self) -> Vec<String> {
        let mut lines = vec![
            "| side | paranoia level | loading, s of CPU | resident then, MiB |".to_owned(),
            "| --- | --- | --- | --- |".to_owned(),
        ];
        lines.extend(self.loaded.iter().map(|one| {
            format!(
                "| {} | {} | {:.2} | {:.1} |",
                one.who.name(),
                one.level,
                one.seconds,
                one.mib
            )
        }));
        lines
    }

    /// The page `docs/reference/waf-performance.md`.
    pub(super) fn markdown(&self) -> String {
        format!(
            "# Performance of the WAF\n\nWritten by `cargo xtask bench waf --write`.\n\n## The engine alone\n\nMeasured on {} on this \
             machine: {}.\nVersions: {}.\n\nThe OWASP Core Rule Set in blocking mode with ModSecurity's recommended \
             configuration, without an audit log;\none thread each, the same requests, {} rounds interleaved at \
             paranoia level 1 and {} at the others.\nProcessor time from a request's bytes to the decision; nothing is \
             sent.\n\n{}\n\n{}\n\n{}\n\nA ratio is libmodsecurity's processor time over `seclang`'s. Noise is letters, \
             digits, `-` and `_` at random,\nand no engine sees the same twice.\n",
            self.date,
            self.machine,
            self.versions.join(", "),
            self.rounds,
            super::ROUNDS_BESIDE,
            self.table().join("\n"),
            self.loads().join("\n"),
            verdicts(&self.figures()).join("\n"),
        )
    }
}

fn at_most(name: &str, value: f64, unit: &'static str, bar: f64) -> Figure {
    Figure {
        name: format!("seclang.{name}"),
        value,
        unit,
        peer: None,
        bar: Some(bar),
        holds: Some(value <= bar),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(ours_us: f64, noise_us: f64, mib: f64) -> Report {
        let of = |who, case, us| Round {
            who,
            level: 1,
            case,
            us,
        };
        let all = CASES.iter().enumerate().flat_map(|(at, case)| {
            let own = if case.key == "noise_64k" {
                noise_us
            } else {
                ours_us
            };
            [of(Who::Seclang, at, own), of(Who::Modsecurity, at, 2_000.0)]
        });
        Report {
            date: "2026-01-01T00:00:00Z".to_owned(),
            machine: "a machine".to_owned(),
            rounds: 1,
            versions: vec!["seclang".to_owned(), "ModSecurity v3".to_owned()],
            loaded: vec![Loaded {
                who: Who::Seclang,
                level: 4,
                seconds: 0.5,
                mib,
            }],
            done: all.collect(),
        }
    }

    #[test]
    fn each_bar_is_held_against_its_figure() {
        assert!(report(99.0, 99.0, 60.0).holds());
        assert!(!report(101.0, 99.0, 60.0).holds());
        assert!(!report(99.0, 400.0, 60.0).holds());
        assert!(!report(99.0, 99.0, 65.0).holds());
    }

    #[test]
    fn a_side_that_did_nothing_holds_no_bar() {
        let mut nothing = report(10.0, 10.0, 10.0);
        nothing.done.retain(|round| round.who == Who::Seclang);
        assert!(!nothing.holds());
    }
}
