//! The official JSON-Schema-Test-Suite, draft 2020-12, found by `RAMPART_JSON_SCHEMA_SUITE`: the
//! folder that holds `tests` and `remotes`.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::*;
use crate::Formats;

/// Groups of the suite that are known to fail, by file and description, and why.
const KNOWN: &[(&str, &str)] = &[];

/// Words of a schema that lead to another document.
fn needs_remote(schema: &str) -> bool {
    [
        "http://localhost:1234",
        "https://json-schema.org/draft/2020-12/schema\"",
        "json-schema.org/draft/2019-09",
        "json-schema.org/draft-07",
    ]
    .iter()
    .any(|remote| {
        let written = schema.matches(remote).count();
        let dialect = schema
            .matches("\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"")
            .count();
        if remote.ends_with('"') {
            written > dialect
        } else {
            written > 0
        }
    })
}

struct Tally {
    passed: usize,
    failed: Vec<(String, String, String)>,
    remote: usize,
}

fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test asks where the suite is")]
    let found = std::env::var("RAMPART_JSON_SCHEMA_SUITE").ok();
    if found.is_none() {
        println!("skipped: RAMPART_JSON_SCHEMA_SUITE does not say where the suite is");
    }
    found.map(PathBuf::from)
}

fn run(folder: &Path, options: &Options) -> Tally {
    let mut tally = Tally {
        passed: 0,
        failed: Vec::new(),
        remote: 0,
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let groups: Vec<Json> =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for group in groups {
            one(&name, &group, options, &mut tally);
        }
    }
    tally
}

fn one(file: &str, group: &Json, options: &Options, tally: &mut Tally) {
    let text = group["schema"].to_string();
    let about = group["description"].as_str().unwrap().to_owned();
    let tests = group["tests"].as_array().unwrap();
    let compiled = Alone::compile(&text, options);
    let alone = match compiled {
        Ok((alone, _)) => alone,
        Err(findings) => {
            let remote = findings
                .iter()
                .all(|f| f.message.contains("another document") || f.message.contains("dialect"));
            if remote && (needs_remote(&text) || text.contains("$vocabulary")) {
                tally.remote += tests.len();
                return;
            }
            for test in tests {
                let why = findings
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tally.failed.push((
                    file.to_owned(),
                    about.clone(),
                    format!("{}: {why}", test["description"]),
                ));
            }
            return;
        }
    };
    for test in tests {
        let mut out = Violations::new();
        let held = alone.check(&test["data"].to_string(), Direction::Request, &mut out);
        assert_eq!(
            held,
            out.is_empty(),
            "{file} {about} {test}: the verdict is what the violations say"
        );
        if held == test["valid"].as_bool().unwrap() {
            tally.passed += 1;
        } else {
            tally.failed.push((
                file.to_owned(),
                about.clone(),
                test["description"].to_string(),
            ));
        }
    }
}

#[test]
fn mandatory_tests_of_the_official_suite_hold() {
    let Some(folder) = folder() else {
        return;
    };
    let options = Options {
        formats: Formats::Annotate,
        ..Options::default()
    };
    let tally = run(&folder.join("tests/draft2020-12"), &options);
    println!(
        "passed {}, failed {}, of other documents {}",
        tally.passed,
        tally.failed.len(),
        tally.remote
    );
    let known = |file: &str, about: &str| KNOWN.iter().any(|(f, a)| *f == file && *a == about);
    let news: Vec<_> = tally
        .failed
        .iter()
        .filter(|(f, a, _)| !known(f, a))
        .collect();
    assert!(news.is_empty(), "{news:#?}");
    for (file, about) in KNOWN {
        let still = tally.failed.iter().any(|(f, a, _)| f == file && a == about);
        assert!(still, "{file} `{about}` passes now: take it off the list");
    }
    assert!(
        tally.passed > 1_000,
        "the suite was found but holds only {} tests",
        tally.passed
    );
}

/// Formats are mandatory nowhere; what is known to differ is listed by file.
#[test]
fn formats_of_the_official_suite_hold() {
    let Some(folder) = folder() else {
        return;
    };
    let tally = run(
        &folder.join("tests/draft2020-12/optional/format"),
        &Options::default(),
    );
    println!(
        "formats: passed {}, failed {}",
        tally.passed,
        tally.failed.len()
    );
    for (file, _, test) in &tally.failed {
        println!("  {file} {test}");
    }
    assert!(
        tally
            .failed
            .iter()
            .all(|(file, ..)| file == "idn-hostname.json" || file == "hostname.json")
    );
}
