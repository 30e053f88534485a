//! Runs tests and says which hold.

use std::net::{IpAddr, Ipv4Addr};

use regex::bytes::Regex;
use serde_json::{Value, json};

use super::cases::{Case, Expectation, Stage};
use super::request::{MALFORMED, Wire, wire};
use super::service;
use crate::bytes::shown;
use crate::moment::Moment;
use crate::rules::Ruleset;
use crate::transaction::{Connection, RequestHead, ResponseHead, Transaction};
use crate::verdict::Match;

/// What became of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageOutcome {
    /// Rules that were told of, sorted, each once.
    pub ids: Vec<u64>,
    /// The status of the answer.
    pub status: u16,
    /// What was expected and did not happen; empty when all did.
    pub failures: Vec<String>,
}

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// The test's name.
    pub name: String,
    /// Its stages, in order.
    pub stages: Vec<StageOutcome>,
}

impl CaseOutcome {
    /// Whether every stage holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.stages.iter().all(|stage| stage.failures.is_empty())
    }
}

/// What became of many tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Each test.
    pub cases: Vec<CaseOutcome>,
}

impl Report {
    /// Stages that hold, and stages in all.
    #[must_use]
    pub fn stages(&self) -> (usize, usize) {
        let stages = self.cases.iter().flat_map(|case| &case.stages);
        let passed = stages
            .clone()
            .filter(|stage| stage.failures.is_empty())
            .count();
        (passed, stages.count())
    }

    /// The report as JSON, failures by name and with their reasons. `known` are names whose
    /// failure is known.
    #[must_use]
    pub fn to_json(&self, known: &[&str]) -> Value {
        let (passed, all) = self.stages();
        let failed = self.cases.iter().filter(|case| !case.passed());
        let (known_failures, failures): (Vec<_>, Vec<_>) =
            failed.partition(|case| known.contains(&case.name.as_str()));
        let list = |cases: &[&CaseOutcome]| -> Vec<Value> {
            let reasons = |case: &CaseOutcome| -> Vec<String> {
                case.stages
                    .iter()
                    .flat_map(|stage| stage.failures.clone())
                    .collect()
            };
            cases
                .iter()
                .map(|case| json!({ "name": case.name, "reasons": reasons(case) }))
                .collect()
        };
        json!({
            "schema": "rampart.waf-test.v1",
            "stages": all,
            "passed": passed,
            "failed": list(&failures),
            "known_failures": list(&known_failures),
        })
    }
}

/// Runs tests one after the other.
#[must_use]
pub fn run(rules: &Ruleset, cases: &[Case]) -> Report {
    Report {
        cases: cases.iter().map(|case| run_case(rules, case)).collect(),
    }
}

/// Runs one test.
#[must_use]
pub fn run_case(rules: &Ruleset, case: &Case) -> CaseOutcome {
    CaseOutcome {
        name: case.name.clone(),
        stages: case
            .stages
            .iter()
            .map(|stage| run_stage(rules, stage))
            .collect(),
    }
}

fn run_stage(rules: &Ruleset, stage: &Stage) -> StageOutcome {
    let wire = wire(&stage.input);
    let connection = Connection {
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        client_port: 50_000,
        server: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server_port: 80,
        moment: Moment::default(),
        unique_id: b"regression",
    };
    let mut transaction = Transaction::new(rules, &connection);
    let answered = match wire.refused {
        Some(MALFORMED) => 400,
        _ => exchange(&mut transaction, &wire),
    };
    let status = match (wire.refused, transaction.interruption()) {
        (Some(_), _) => 400,
        (None, Some(interruption)) => interruption.status,
        (None, None) => answered,
    };
    let told: Vec<&Match> = transaction
        .matches()
        .iter()
        .filter(|found| found.logged)
        .collect();
    let mut ids: Vec<u64> = told.iter().map(|found| found.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let failures = failures(&stage.expected, &ids, status, &log(&told));
    StageOutcome {
        ids,
        status,
        failures,
    }
}

/// Puts a request and its answer through all phases; the status of the answer.
fn exchange(transaction: &mut Transaction<'_>, wire: &Wire) -> u16 {
    let fields = borrowed(&wire.fields);
    transaction.request_head(&RequestHead {
        line: &wire.line,
        method: &wire.method,
        target: &wire.target,
        protocol: &wire.protocol,
        fields: &fields,
    });
    transaction.request_body(&wire.body);
    let answer = service::answer(wire);
    transaction.response_head(&ResponseHead {
        status: answer.status,
        protocol: b"HTTP/1.1",
        fields: &borrowed(&answer.fields),
    });
    transaction.response_body(&answer.body);
    transaction.finish();
    answer.status
}

fn borrowed(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<(&[u8], &[u8])> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect()
}

/// What was told, a line for each value that was met, as ModSecurity words it.
fn log(told: &[&Match]) -> Vec<u8> {
    let mut text = Vec::new();
    for found in told {
        let id = found.id.to_string();
        let (message, logdata) = (shown(&found.message), shown(&found.logdata));
        let mut targets: Vec<&[u8]> = found
            .found
            .iter()
            .map(|one| one.target.as_slice())
            .collect();
        if targets.is_empty() {
            targets.push(b"");
        }
        for target in targets {
            let parts: [&[u8]; 9] = [
                b"Warning. Match at ",
                target,
                b". [id \"",
                id.as_bytes(),
                b"\"] [msg \"",
                message.as_bytes(),
                b"\"] [data \"",
                logdata.as_bytes(),
                b"\"]\n",
            ];
            text.extend_from_slice(&parts.concat());
        }
    }
    text
}

fn failures(expected: &Expectation, ids: &[u64], status: u16, log: &[u8]) -> Vec<String> {
    let mut failures = Vec::new();
    for id in expected.expect_ids.iter().filter(|id| !ids.contains(id)) {
        failures.push(format!("{id} was not told of"));
    }
    for id in expected.no_expect_ids.iter().filter(|id| ids.contains(id)) {
        failures.push(format!("{id} was told of"));
    }
    if let Some(wanted) = expected.status.filter(|wanted| *wanted != status) {
        failures.push(format!("the status was {status} instead of {wanted}"));
    }
    for (pattern, wanted) in [
        (&expected.match_regex, true),
        (&expected.no_match_regex, false),
    ] {
        let Some(pattern) = pattern else {
            continue;
        };
        match Regex::new(pattern) {
            Ok(regex) if regex.is_match(log) == wanted => {}
            Ok(_) if wanted => failures.push(format!("nothing in the log matches `{pattern}`")),
            Ok(_) => failures.push(format!(
                "the log matches `{pattern}`: {}",
                shown(crate::bytes::head(log, 400))
            )),
            Err(error) => failures.push(format!("`{pattern}` is no pattern: {error}")),
        }
    }
    failures
}
