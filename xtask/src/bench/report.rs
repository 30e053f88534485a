//! What a bench found: for people, for programs, and as the page of the reference.

use serde_json::{Value, json};

use super::side::{Over, Side, Who};

/// A plain proxy is at least so cheap beside nginx.
const BAR_PLAIN: f64 = 0.9;
/// The full path through the gateway costs at most so much more than a plain nginx.
const BAR_FULL: f64 = 0.6;
/// Mebibytes of all of Rampart's processes, idle.
const BAR_MEMORY_MIB: f64 = 100.0;
/// The same with a crowd of connections that wait for their next request.
const BAR_CROWD_MIB: f64 = 150.0;
/// Requests per second say something about the proxy only when its core is this busy.
pub(super) const BUSY_MIN: f64 = 0.95;

/// One round of one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) side: Side,
    /// Microseconds of processor time of the proxy per request.
    pub(super) cpu_us: f64,
    /// The same of Rampart's control process.
    pub(super) beside_us: f64,
    /// Requests per second.
    pub(super) per_s: f64,
    /// Share of the proxy's core that was busy.
    pub(super) busy: f64,
}

/// How long the answers of one round at a steady rate took, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady {
    pub(super) who: Who,
    /// Requests per second that were asked for.
    pub(super) per_s: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

impl Steady {
    /// From the time of each answer.
    pub(super) fn of(who: Who, per_s: f64, mut times: Vec<u32>) -> Self {
        times.sort_unstable();
        let at = |share: usize| {
            let index = times.len().saturating_sub(1).saturating_mul(share) / 100;
            times.get(index).map_or(f64::NAN, |time| f64::from(*time))
        };
        Self {
            who,
            per_s,
            p50_us: at(50),
            p99_us: at(99),
        }
    }
}

/// Everything one run found.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) date: String,
    pub(super) machine: String,
    pub(super) versions: Vec<(String, String)>,
    pub(super) seconds: u32,
    pub(super) rounds: u32,
    pub(super) idle_memory_mib: f64,
    /// With so many connections kept alive.
    pub(super) crowd_memory_mib: f64,
    pub(super) done: Vec<Round>,
    pub(super) steady: Vec<Steady>,
}

/// One figure with what it is held against.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    pub(super) peer: Option<String>,
    pub(super) bar: Option<f64>,
    pub(super) holds: Option<bool>,
}

impl Figure {
    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name, "value": self.value, "unit": self.unit,
            "peer": self.peer, "bar": self.bar, "holds": self.holds,
        })
    }
}

/// A line for each figure that is no time of its own.
pub(super) fn verdicts(figures: &[Figure]) -> Vec<String> {
    let held = figures
        .iter()
        .filter(|figure| !figure.unit.starts_with('µ'));
    held.map(|figure| {
        let verdict = match (figure.bar, figure.holds) {
            (Some(bar), Some(true)) => format!("bar {bar}: holds"),
            (Some(bar), _) => format!("bar {bar}: FALLS SHORT"),
            (None, _) => "no bar yet".to_owned(),
        };
        format!(
            "- `{}`: {:.2} ({}), {verdict}",
            figure.name, figure.value, figure.unit
        )
    })
    .collect()
}

/// Median, least and most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let (middle, last) = (values.len() / 2, values.len().saturating_sub(1));
        let median = if values.len() % 2 == 1 {
            at(middle)
        } else {
            f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
        };
        Self {
            median,
            min: at(0),
            max: at(last),
        }
    }
}

impl Report {
    fn spread(&self, side: Side, of: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(
            self.done
                .iter()
                .filter(|round| round.side == side)
                .map(of)
                .collect(),
        )
    }

    fn cpu(&self, side: Side) -> Spread {
        self.spread(side, |round| round.cpu_us)
    }

    /// Whether every bar holds.
    pub(super) fn holds(&self) -> bool {
        self.figures()
            .iter()
            .all(|figure| figure.holds != Some(false))
    }

    fn ratio(&self, over: Over, (ours, peer): (Who, Who), bar: Option<f64>) -> Figure {
        let cpu = |who| self.cpu(Side { who, over }).median;
        let value = cpu(peer) / cpu(ours);
        let version = self.versions.iter().find(|(name, _)| name == peer.key());
        Figure {
            name: format!("{}.{}.cpu_ratio.{}", ours.key(), over.key(), peer.key()),
            value,
            unit: "peer's CPU per request / ours",
            peer: version.map(|(_, version)| version.clone()),
            bar,
            // A figure that is no number holds nothing.
            holds: bar.map(|bar| value >= bar),
        }
    }

    fn memory(name: &str, value: f64, bar: f64) -> Figure {
        Figure {
            name: format!("rampart.{name}"),
            value,
            unit: "MiB PSS, all processes",
            peer: None,
            bar: Some(bar),
            holds: Some(value <= bar),
        }
    }

    fn p99(&self, who: Who) -> Figure {
        Figure {
            name: format!("{}.p99_at_steady_rate", who.key()),
            value: self.answers(who, |steady| steady.p99_us).median,
            unit: "µs",
            peer: None,
            bar: None,
            holds: None,
        }
    }

    fn answers(&self, who: Who, of: impl Fn(&Steady) -> f64) -> Spread {
        let rounds = self.steady.iter().filter(|steady| steady.who == who);
        Spread::of(rounds.map(of).collect())
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for over in Over::ALL {
            figures.push(self.ratio(over, (Who::Plain, Who::Nginx), Some(BAR_PLAIN)));
            figures.push(self.ratio(over, (Who::Full, Who::Nginx), Some(BAR_FULL)));
            figures.push(self.ratio(over, (Who::Plain, Who::Haproxy), None));
            figures.push(self.ratio(over, (Who::Full, Who::Haproxy), None));
        }
        figures.push(Self::memory(
            "idle_memory",
            self.idle_memory_mib,
            BAR_MEMORY_MIB,
        ));
        figures.push(Self::memory(
            "memory_with_10000_idle_connections",
            self.crowd_memory_mib,
            BAR_CROWD_MIB,
        ));
        figures.extend(Who::ALL.map(|who| self.p99(who)));
        figures.extend(Side::all().map(|side| Figure {
            name: format!("{}.{}.cpu_per_request", side.who.key(), side.over.key()),
            value: self.cpu(side).median,
            unit: "µs",
            peer: None,
            bar: None,
            holds: None,
        }));
        figures
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let round = |round: &Round| {
            json!({
                "side": round.side.who.key(), "over": round.side.over.key(), "cpu_per_request_us": round.cpu_us,
                "control_cpu_per_request_us": round.beside_us, "requests_per_s": round.per_s,
                "proxy_core_busy": round.busy,
                "requests_per_s_count": round.busy >= BUSY_MIN,
            })
        };
        let steady = |steady: &Steady| {
            json!({
                "side": steady.who.key(), "requests_per_s": steady.per_s,
                "p50_us": steady.p50_us, "p99_us": steady.p99_us,
            })
        };
        json!({
            "schema": "rampart.bench.v2",
            "name": "gateway",
            "date": self.date,
            "machine": self.machine,
            "versions": self.versions.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "load": { "programs": ["wrk", "h2load"], "threads": 1,
                "connections": super::load::CONNECTIONS,
                "seconds": self.seconds, "rounds": self.rounds },
            "results": self.figures().iter().map(Figure::json).collect::<Vec<_>>(),
            "rounds": self.done.iter().map(round).collect::<Vec<_>>(),
            "steady": self.steady.iter().map(steady).collect::<Vec<_>>(),
        })
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![
            format!("machine   {}", self.machine),
            format!("date      {}", self.date),
        ];
        lines.extend(
            self.versions
                .iter()
                .map(|(name, version)| format!("{name:<9} {version}")),
        );
        lines.push(format!("load      {}", self.load()));
        lines.push(String::new());
        lines.extend(self.table());
        lines.push(String::new());
        lines.extend(self.steady_table());
        lines.push(String::new());
        lines.extend(verdicts(&self.figures()));
        format!("{}\n", lines.join("\n"))
    }

    fn load(&self) -> String {
        format!(
            "wrk (h2load for HTTP/2) and backend on one core, the proxy on the other, one worker \
             each, {} connections (streams) over loopback, {} s a round, {} rounds interleaved",
            super::load::CONNECTIONS,
            self.seconds,
            self.rounds
        )
    }

    fn table(&self) -> Vec<String> {
        let head = "| side | CPU per request, µs: median (min–max) | control's, µs | requests/s | \
                    proxy's core busy |";
        let mut lines = vec![
            head.to_owned(),
            "| --- | --- | --- | --- | --- |".to_owned(),
        ];
        for side in Side::all() {
            let cpu = self.cpu(side);
            let beside = self.spread(side, |round| round.beside_us);
            let busy = self.spread(side, |round| round.busy);
            let per_s = self.spread(side, |round| round.per_s);
            let per_s = if busy.min >= BUSY_MIN {
                format!("{:.0} ({:.0}–{:.0})", per_s.median, per_s.min, per_s.max)
            } else {
                format!(
                    "not counted: the proxy was not the bottleneck (seen {:.0})",
                    per_s.median
                )
            };
            lines.push(format!(
                "| {} | {:.2} ({:.2}–{:.2}) | {:.2} | {per_s} | {:.0} % |",
                side.name(),
                cpu.median,
                cpu.min,
                cpu.max,
                beside.median,
                busy.median * 100.0
            ));
        }
        lines
    }

    /// How long answers take at one rate for all.
    fn steady_table(&self) -> Vec<String> {
        let rate = self.steady.first().map_or(f64::NAN, |steady| steady.per_s);
        let mut lines = vec![
            format!(
                "At {rate:.0} requests/s, which is 70 % of what the slowest of them can do over \
                 HTTP/1.1:"
            ),
            String::new(),
            "| side | half of the answers within, µs | 99 % within, µs: median (min–max) |"
                .to_owned(),
            "| --- | --- | --- |".to_owned(),
        ];
        for who in Who::ALL {
            let half = self.answers(who, |steady| steady.p50_us);
            let most = self.answers(who, |steady| steady.p99_us);
            lines.push(format!(
                "| {} | {:.0} | {:.0} ({:.0}–{:.0}) |",
                who.name(),
                half.median,
                most.median,
                most.min,
                most.max
            ));
        }
        lines
    }

    /// The page `docs/reference/performance.md`.
    pub(super) fn markdown(&self) -> String {
        let versions: Vec<String> = self
            .versions
            .iter()
            .map(|(_, version)| version.clone())
            .collect();
        format!(
            "# Performance\n\nWritten by `cargo xtask bench gateway --write` on {} on this machine: {}.\n\
             Versions: {}.\n\nLoad: {}.\n\n{}\n\n{}\n\n{}\n\n\
             A ratio is the peer's processor time per request over Rampart's: 1 means the same, 0.5 \
             that\nRampart takes twice as much. Rampart records every request and checks it against its \
             rules in both\nvariants; nginx and HAProxy proxy and nothing else, without an access log.\n",
            self.date,
            self.machine,
            versions.join(", "),
            self.load(),
            self.table().join("\n"),
            self.steady_table().join("\n"),
            verdicts(&self.figures()).join("\n"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(full_us: f64, memory: f64) -> Report {
        let round = |over, who, cpu_us| Round {
            side: Side { who, over },
            cpu_us,
            beside_us: 0.0,
            per_s: 1000.0,
            busy: 0.99,
        };
        let rounds = |over| {
            [
                round(over, Who::Nginx, 10.0),
                round(over, Who::Nginx, 30.0),
                round(over, Who::Nginx, 12.0),
                round(over, Who::Haproxy, 12.0),
                round(over, Who::Plain, 13.0),
                round(over, Who::Full, full_us),
            ]
        };
        Report {
            date: "2026-01-01T00:00:00Z".to_owned(),
            machine: "a machine".to_owned(),
            versions: vec![("nginx".to_owned(), "nginx/1".to_owned())],
            seconds: 1,
            rounds: 3,
            idle_memory_mib: memory,
            crowd_memory_mib: memory,
            done: Over::ALL.into_iter().flat_map(rounds).collect(),
            steady: vec![Steady::of(Who::Plain, 1000.0, (0..=100).rev().collect())],
        }
    }

    #[test]
    fn the_median_is_compared() {
        assert!(report(19.9, 50.0).holds());
        assert!(!report(20.1, 50.0).holds());
    }

    #[test]
    fn each_protocol_has_its_own_bar() {
        let mut slow = report(19.9, 50.0);
        let tls =
            |round: &&mut Round| round.side.over == Over::Http2 && round.side.who == Who::Plain;
        slow.done.iter_mut().find(tls).unwrap().cpu_us = 13.4;
        assert!(!slow.holds());
    }

    #[test]
    fn memory_has_a_bar() {
        assert!(!report(10.0, 100.5).holds());
    }

    #[test]
    fn a_side_that_did_nothing_holds_no_bar() {
        let mut nothing = report(10.0, 50.0);
        nothing.done.retain(|round| round.side.who != Who::Full);
        assert!(!nothing.holds());
    }

    #[test]
    fn percentiles_are_of_sorted_times() {
        let steady = report(10.0, 50.0).steady[0];
        assert!((steady.p50_us - 50.0).abs() < f64::EPSILON);
        assert!((steady.p99_us - 99.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_json_keeps_its_promise() {
        let json = report(10.0, 50.0).json();
        assert_eq!(json["schema"], "rampart.bench.v2");
        let first = &json["results"][0];
        assert_eq!(first["bar"], 0.9);
        assert_eq!(first["holds"], true);
        assert_eq!(first["peer"], "nginx/1");
    }
}
