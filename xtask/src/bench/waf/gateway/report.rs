//! What the gateway's part found: for people, for programs, and as a section of the page.

use serde_json::{Value, json};

use super::super::super::load;
use super::super::super::report::{BUSY_MIN, Figure, Spread, verdicts};
use super::requests::Case;
use super::sides::Side;

/// With the Core Rule Set, Rampart answers at least so many times as many requests as nginx with
/// ModSecurity does.
const BAR_PEER: f64 = 20.0;
/// Of the requests it could answer without rules, it answers at least this share.
const BAR_SHARE: f64 = 0.15;

/// One round of one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) side: Side,
    pub(super) case: Case,
    /// Microseconds of processor time of the proxy per request.
    pub(super) cpu_us: f64,
    /// The same of Rampart's control process.
    pub(super) beside_us: f64,
    /// Requests per second.
    pub(super) per_s: f64,
    /// Share of the proxy's core that was busy.
    pub(super) busy: f64,
}

/// Everything one run found.
#[derive(Clone, Debug)]
pub(in super::super) struct Report {
    pub(super) date: String,
    pub(super) machine: String,
    pub(super) versions: Vec<String>,
    pub(super) seconds: u32,
    pub(super) rounds: u32,
    pub(super) done: Vec<Round>,
}

impl Report {
    fn spread(&self, side: Side, case: Case, of: impl Fn(&Round) -> f64) -> Spread {
        let fits = |round: &&Round| round.side == side && round.case == case;
        Spread::of(self.done.iter().filter(fits).map(of).collect())
    }

    fn cpu(&self, side: Side, case: Case) -> f64 {
        self.spread(side, case, |round| round.cpu_us).median
    }

    fn per_s(&self, side: Side, case: Case) -> f64 {
        self.spread(side, case, |round| round.per_s).median
    }

    /// Whether every bar holds.
    pub(in super::super) fn holds(&self) -> bool {
        let figures = self.figures();
        figures.iter().all(|figure| figure.holds != Some(false))
    }

    fn figures(&self) -> Vec<Figure> {
        let figure = |name: String, value: f64, unit, bar: Option<f64>| Figure {
            name,
            value,
            unit,
            peer: None,
            bar,
            // A figure that is no number holds nothing.
            holds: bar.map(|bar| value >= bar),
        };
        let mut figures = Vec::new();
        for case in Case::ALL {
            let of = case.key();
            for (side, bar_peer, bar_share) in [
                (Side::Crs, Some(BAR_PEER), Some(BAR_SHARE)),
                (Side::Builtin, None, None),
            ] {
                let key = side.key();
                figures.push(figure(
                    format!("{key}.{of}.per_s_ratio.nginx_modsecurity"),
                    self.per_s(side, case) / self.per_s(Side::Modsecurity, case),
                    "our requests per second / the peer's",
                    bar_peer,
                ));
                figures.push(figure(
                    format!("{key}.{of}.cpu_ratio.nginx_modsecurity"),
                    self.cpu(Side::Modsecurity, case) / self.cpu(side, case),
                    "peer's CPU per request / ours",
                    None,
                ));
                // Without rules the load's core may be the one that is short, and then requests
                // per second would flatter: processor time cannot.
                figures.push(figure(
                    format!("{key}.{of}.share_of.rampart_plain"),
                    self.cpu(Side::Plain, case) / self.cpu(side, case),
                    "CPU per request without rules / with them",
                    bar_share,
                ));
            }
            figures.push(figure(
                format!("nginx_modsecurity.{of}.share_of.nginx"),
                self.cpu(Side::Nginx, case) / self.cpu(Side::Modsecurity, case),
                "CPU per request without rules / with them",
                None,
            ));
        }
        figures
    }

    /// For programs.
    pub(in super::super) fn json(&self) -> Value {
        let round = |round: &Round| {
            json!({
                "side": round.side.key(), "case": round.case.key(),
                "cpu_per_request_us": round.cpu_us,
                "control_cpu_per_request_us": round.beside_us,
                "requests_per_s": round.per_s, "proxy_core_busy": round.busy,
            })
        };
        json!({
            "schema": "rampart.bench.v2",
            "name": "waf_gateway",
            "date": self.date,
            "machine": self.machine,
            "versions": self.versions,
            "load": { "programs": ["wrk"], "threads": 1, "connections": load::CONNECTIONS,
                "seconds": self.seconds, "rounds": self.rounds },
            "results": self.figures().iter().map(Figure::json).collect::<Vec<_>>(),
            "rounds": self.done.iter().map(round).collect::<Vec<_>>(),
        })
    }

    /// For people.
    pub(in super::super) fn text(&self) -> String {
        format!(
            "machine   {}\ndate      {}\nversions  {}\nload      {}\n\n{}\n\n{}\n",
            self.machine,
            self.date,
            self.versions.join(", "),
            self.load(),
            self.table().join("\n"),
            verdicts(&self.figures()).join("\n"),
        )
    }

    fn load(&self) -> String {
        format!(
            "wrk and backend on one core, the proxy on the other, one worker each, {} connections over \
             loopback, {} s a round, {} rounds interleaved",
            load::CONNECTIONS,
            self.seconds,
            self.rounds
        )
    }

    fn table(&self) -> Vec<String> {
        let head = "| request | side | CPU per request, µs: median (min–max) | control's, µs | \
                    requests/s | proxy's core busy |";
        let mut lines = vec![
            head.to_owned(),
            "| --- | --- | --- | --- | --- | --- |".to_owned(),
        ];
        for case in Case::ALL {
            for side in Side::ALL {
                let cpu = self.spread(side, case, |round| round.cpu_us);
                let beside = self.spread(side, case, |round| round.beside_us);
                let per_s = self.spread(side, case, |round| round.per_s);
                let busy = self.spread(side, case, |round| round.busy);
                let short = if busy.min < BUSY_MIN {
                    ", held back by the load"
                } else {
                    ""
                };
                lines.push(format!(
                    "| {} | {} | {:.1} ({:.1}–{:.1}) | {:.1} | {:.0} ({:.0}–{:.0}){short} | {:.0} % |",
                    case.name(),
                    side.name(),
                    cpu.median,
                    cpu.min,
                    cpu.max,
                    beside.median,
                    per_s.median,
                    per_s.min,
                    per_s.max,
                    busy.median * 100.0
                ));
            }
        }
        lines
    }

    /// The page's section.
    pub(in super::super) fn markdown(&self) -> String {
        format!(
            "## The gateway with rules\n\nMeasured on {} on this machine: {}.\nVersions: {}.\n\nLoad: {}.\n\n\
             The OWASP Core Rule Set in blocking mode at paranoia level 1, all phases, bodies of requests and \
             answers looked\ninto, JSON among them, no audit log. Each side was seen to answer an honest request and to refuse an \
             attack, in\nthe query and in JSON, before it was measured; without rules the attack went through. ModSecurity has its \
             recommended\nconfiguration; Rampart also records every request.\n\n{}\n\n{}\n\n\
             The share of itself without rules is by processor time: what keeps a side without rules from \
             answering more may be the\nload.\n",
            self.date,
            self.machine,
            self.versions.join(", "),
            self.load(),
            self.table().join("\n"),
            verdicts(&self.figures()).join("\n"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(crs_us: f64, peer_per_s: f64) -> Report {
        let round = |side, case, cpu_us, per_s| Round {
            side,
            case,
            cpu_us,
            beside_us: 0.0,
            per_s,
            busy: 1.0,
        };
        let of = |case| {
            [
                round(Side::Plain, case, 30.0, 30_000.0),
                round(Side::Crs, case, crs_us, 5_000.0),
                round(Side::Modsecurity, case, 4_000.0, peer_per_s),
            ]
        };
        Report {
            date: "2026-01-01T00:00:00Z".to_owned(),
            machine: "a machine".to_owned(),
            versions: vec!["rampart".to_owned()],
            seconds: 1,
            rounds: 1,
            done: Case::ALL.into_iter().flat_map(of).collect(),
        }
    }

    #[test]
    fn each_bar_is_held_against_its_figure() {
        assert!(report(199.0, 249.0).holds());
        assert!(!report(201.0, 249.0).holds());
        assert!(!report(199.0, 251.0).holds());
    }

    #[test]
    fn a_side_that_did_nothing_holds_no_bar() {
        for side in [Side::Plain, Side::Crs, Side::Modsecurity] {
            let mut nothing = report(100.0, 100.0);
            nothing.done.retain(|round| round.side != side);
            assert!(!nothing.holds(), "{side:?}");
        }
    }
}
