//! What the pack finds of the attacks of others.

use std::collections::BTreeMap;
use std::path::Path;

use seclang::Ruleset;
use seclang::regression::{Case, parse, wire};

use crate::load;
use crate::sent::send;
use crate::texts::{escaped, files_under, parts};

/// Tests of the Core Rule Set that expect one of its rules against attacks to match: only what they
/// send counts here.
fn payloads(data: &Path) -> Vec<(String, Case)> {
    let first = first_level(data);
    let mut files = Vec::new();
    files_under(&data.join("crs/tests/regression"), &[".yaml"], &mut files);
    let mut out = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let class = file
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        for case in parse(&file.to_string_lossy(), &text).unwrap() {
            let request = class.starts_with("REQUEST-9");
            let expected = || {
                case.stages
                    .iter()
                    .flat_map(|stage| &stage.expected.expect_ids)
            };
            if request && expected().any(|id| first.contains(id)) {
                out.push((format!("{class}, level 1"), case));
            } else if request && expected().next().is_some() {
                out.push((format!("{class}, higher"), case));
            }
        }
    }
    out
}

/// The ids of its first paranoia level.
fn first_level(data: &Path) -> Vec<u64> {
    let mut files = Vec::new();
    files_under(&data.join("crs/rules"), &[".conf"], &mut files);
    let mut out = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for rule in text.split("\"id:").skip(1) {
            let digits: String = rule.chars().take_while(char::is_ascii_digit).collect();
            if rule.contains("paranoia-level/1") {
                out.extend(digits.parse::<u64>());
            }
        }
    }
    out
}

/// The input of every test file of libinjection that is said to be an injection.
fn injections(data: &Path) -> Vec<String> {
    let mut files = Vec::new();
    files_under(&data.join("libinjection/tests"), &[".txt"], &mut files);
    let mut out = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("test-sqli") {
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let Some((_, rest)) = text.split_once("--INPUT--\n") else {
            continue;
        };
        let Some((input, expected)) = rest.split_once("\n--EXPECTED--") else {
            continue;
        };
        if !expected.trim().is_empty() {
            out.push(input.to_owned());
        }
    }
    out
}

/// Counts by class and level; those of a class that is named are shown where they are let through.
pub(crate) fn count(data: &Path, show: Option<&str>) {
    let levels: Vec<Ruleset> = (1..=4).map(|level| load(level, "")).collect();
    let mut found: BTreeMap<String, (usize, [usize; 4])> = BTreeMap::new();
    for (class, case) in payloads(data) {
        let entry = found.entry(class.clone()).or_default();
        entry.0 += 1;
        for (at, rules) in levels.iter().enumerate() {
            let refused = case
                .stages
                .iter()
                .any(|stage| send(rules, &wire(&stage.input)).refused);
            entry.1[at] += usize::from(refused);
            if at == 0 && !refused && show.is_some_and(|show| class.contains(show)) {
                let one = wire(&case.stages[0].input);
                println!(
                    "{} {} {} {:?}",
                    case.name,
                    String::from_utf8_lossy(&one.line),
                    String::from_utf8_lossy(&one.body),
                    one.fields
                        .iter()
                        .map(|(n, v)| format!(
                            "{}: {}",
                            String::from_utf8_lossy(n),
                            String::from_utf8_lossy(v)
                        ))
                        .filter(|f| !f.starts_with("Accept")
                            && !f.starts_with("Host")
                            && !f.starts_with("Conn")
                            && !f.starts_with("Content-Length"))
                        .collect::<Vec<_>>()
                );
            }
        }
    }
    for input in injections(data) {
        let entry = found
            .entry("libinjection test-sqli".to_owned())
            .or_default();
        entry.0 += 1;
        for (at, rules) in levels.iter().enumerate() {
            let one = parts(
                "GET",
                &format!("/?q={}", escaped(input.as_bytes())),
                None,
                None,
            );
            let refused = send(rules, &one).refused;
            entry.1[at] += usize::from(refused);
            if at == 0 && !refused && show == Some("libinjection") {
                println!("{input}");
            }
        }
    }
    for (class, (all, at)) in found {
        println!(
            "| {class} | {all} | {} |",
            at.map(|n| format!("{n}")).join(" | ")
        );
    }
}
