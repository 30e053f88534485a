mod differential;
pub(crate) mod mutations;

use std::path::{Path, PathBuf};

use super::*;
use crate::{Files, Leniency, Loader, Ruleset};

/// Files of a folder, for tests.
struct Folder;

impl Files for Folder {
    fn read(&self, from: &str, path: &str) -> Result<Vec<u8>, String> {
        let beside = Path::new(from).parent().unwrap_or(Path::new(""));
        std::fs::read(beside.join(path)).map_err(|error| format!("`{path}`: {error}"))
    }

    fn list(&self, from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let beside = Path::new(from)
            .parent()
            .unwrap_or(Path::new(""))
            .join(pattern);
        let folder = beside.parent().unwrap_or(Path::new("."));
        let name = beside
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let suffix = name.strip_prefix('*').map(str::to_owned);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| format!("`{pattern}`: {error}"))? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let text = path.to_string_lossy().into_owned();
            let wanted = match &suffix {
                Some(suffix) => text.ends_with(suffix.as_str()),
                None => path == beside,
            };
            if wanted {
                names.push(text);
            }
        }
        names.sort();
        Ok(names)
    }
}

/// The Core Rule Set's folder; a test without it says so.
pub(crate) fn crs() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    #[expect(clippy::disallowed_methods, reason = "a test asks where the rules are")]
    let set = std::env::var("RAMPART_CRS_DIR").ok();
    let folder = root.join(set.unwrap_or_else(|| "../shared/data/crs".to_owned()));
    if folder.join("rules").is_dir() {
        return Some(folder);
    }
    println!("skipped: RAMPART_CRS_DIR names no Core Rule Set");
    None
}

/// The Core Rule Set as its tests want it.
pub(crate) fn crs_rules(folder: &Path, leniency: Leniency) -> Ruleset {
    let mut loader = Loader::new(&Folder, leniency);
    let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
    loader.include("", &at("../modsecurity/modsecurity.conf-recommended"));
    loader.include("", &at("crs-setup.conf.example"));
    loader.text("setup of the tests", CRS_SETUP.as_bytes());
    loader.include("", &at("rules/*.conf"));
    let loaded = loader.finish().unwrap();
    for finding in &loaded.findings {
        println!("{finding}");
    }
    loaded.rules
}

pub(crate) fn crs_cases(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut folders = vec![folder.join("tests/regression")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|ext| ext.to_str()) {
                None if path.is_dir() => folders.push(path),
                Some("yaml" | "yml") => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        cases.extend(parse(&file.to_string_lossy(), &text).unwrap());
    }
    cases
}

/// Names of tests that fail, with the reasons why.
fn known_failures() -> Vec<&'static str> {
    let lines = include_str!("../../testdata/crs-known-failures.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split(' ').next())
        .collect()
}

#[test]
fn crs_regression_tests_hold_but_for_the_known_ones() {
    let Some(folder) = crs() else {
        return;
    };
    let rules = crs_rules(&folder, Leniency::Strict);
    let report = run(&rules, &crs_cases(&folder));
    let (passed, all) = report.stages();
    println!("{passed} of {all} stages of the Core Rule Set hold");
    let known = known_failures();
    let mut surprises = Vec::new();
    for case in &report.cases {
        let is_known = known.contains(&case.name.as_str());
        if !case.passed() && !is_known {
            surprises.push(format!("{} fails: {:?}", case.name, case.stages));
        } else if case.passed() && is_known {
            surprises.push(format!("{} passes, and is listed as failing", case.name));
        }
    }
    assert!(
        surprises.is_empty(),
        "{}\n{passed} of {all}",
        surprises.join("\n")
    );
}

const TESTS: &str = r#"
rule_id: 100
tests:
  - test_id: 1
    desc: finds it
    stages:
      - input:
          method: POST
          uri: /post
          headers:
            Host: localhost
          data: "a=e vil&b"
        output:
          status: 200
          log:
            expect_ids: [100]
            match_regex: 'ARGS:a'
  - test_id: 2
    stages:
      - input:
          encoded_request: R0VUIC8gSFRUUC8xLjENCkhvc3Q6IGENCkhvc3Q6IGINCg0K
        output:
          status: 400
      - input:
          uri: /reflect
          method: POST
          headers: {Host: a, Content-Type: application/json}
          data: '{"status": 503, "body": "leak"}'
        output:
          status: 200
          log:
            no_expect_ids: [101]
"#;

const RULES: &str = "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n\
    SecRule ARGS:a \"@streq e vil\" \"id:100,phase:2,deny,log\"\n\
    SecRule RESPONSE_BODY leak \"id:101,phase:4,pass,log\"";

fn report() -> Report {
    let mut loader = Loader::new(&crate::NoFiles, Leniency::Strict);
    loader.text("t.conf", RULES.as_bytes());
    let rules = loader.finish().unwrap().rules;
    run(&rules, &parse("t.yaml", TESTS).unwrap())
}

#[test]
fn tests_are_made_as_go_ftw_makes_them() {
    let cases = parse("t.yaml", TESTS).unwrap();
    assert_eq!(cases[0].name, "100-1");
    let wire = wire(&cases[0].stages[0].input);
    assert_eq!(wire.body, b"a=e+vil&b");
    let names: Vec<String> = wire
        .fields
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
        .collect();
    assert_eq!(
        names,
        ["Host", "Content-Type", "Connection", "Content-Length"]
    );
    assert_eq!(
        super::wire(&cases[1].stages[0].input).refused,
        Some("two Hosts")
    );
    assert!(parse("t.yaml", "tests: [{stages: []}]").is_err());
    assert!(parse("t.yaml", "# nothing").unwrap().is_empty());
    assert!(parse("t.yaml", "a: [").is_err());
}

#[test]
fn a_report_names_what_fails_and_why() {
    let report = report();
    assert!(report.cases[0].passed(), "{:?}", report.cases[0]);
    assert_eq!(report.stages(), (2, 3));
    let json = report.to_json(&[]);
    assert_eq!(json["failed"][0]["name"], "100-2");
    assert_eq!(json["failed"][0]["reasons"][0], "101 was told of");
    assert_eq!(
        json["failed"][0]["reasons"][1],
        "the status was 503 instead of 200"
    );
    let known = report.to_json(&["100-2"]);
    assert_eq!(known["failed"].as_array().unwrap().len(), 0);
    assert_eq!(known["known_failures"][0]["name"], "100-2");
}

#[test]
fn what_is_left_out_beforehand_cannot_match() {
    let Some(folder) = crs() else {
        return;
    };
    let mut rules = crs_rules(&folder, Leniency::Strict);
    // Every seventh test, for time's sake.
    let cases: Vec<Case> = crs_cases(&folder).into_iter().step_by(7).collect();
    let mut random = testkit::Mutator::new(1);
    let payloads = mutations::payloads(&cases);
    let wires: Vec<Wire> = (0..400)
        .map(|_| mutations::request(&payloads, &mut random))
        .collect();
    let told = |rules: &Ruleset| -> Vec<_> {
        wires
            .iter()
            .map(|wire| differential::told(rules, wire))
            .collect()
    };
    let (fast, fast_told) = (run(&rules, &cases), told(&rules));
    rules.ask_everything();
    let slow = run(&rules, &cases);
    for (fast, slow) in fast.cases.iter().zip(&slow.cases) {
        assert_eq!(fast, slow);
    }
    for ((wire, fast), slow) in wires.iter().zip(fast_told).zip(told(&rules)) {
        assert_eq!(fast, slow, "{wire:?}");
    }
}

/// Requests, and the lowest paranoia level that blocks them; five: none.
const DECISIONS: &[(&str, u8)] = &[
    ("/search?q=chairs", 5),
    ("/search?q=1%27+OR+%271%27%3D%271", 1),
    ("/search?q=%3Cscript%3Ealert(1)%3C/script%3E", 1),
    ("/file?name=../../../../etc/passwd", 1),
    ("/run?c=%3Bcat+/etc/passwd", 1),
    ("/search?q=a%00b", 1),
    ("/search?q=a%01b", 2),
    ("/search?q=%C3%A4pfel", 3),
    ("/search?q=really%21", 4),
];

#[test]
fn decisions_are_those_of_the_paranoia_level() {
    let Some(folder) = crs() else {
        return;
    };
    for level in 1..=4 {
        let mut loader = Loader::new(&Folder, Leniency::Strict);
        let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
        loader.include("", &at("../modsecurity/modsecurity.conf-recommended"));
        let setup = format!(
            "SecRuleEngine On\nSecAction \"id:1,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level={level}\""
        );
        loader.text("level", setup.as_bytes());
        loader.include("", &at("crs-setup.conf.example"));
        loader.include("", &at("rules/*.conf"));
        let rules = loader.finish().unwrap().rules;
        for (uri, from) in DECISIONS {
            let fields = [
                ("Host", "shop.example"),
                ("User-Agent", "Mozilla/5.0"),
                ("Accept", "*/*"),
            ];
            let input = Input::Parts {
                method: "GET".to_owned(),
                uri: (*uri).to_owned(),
                version: "HTTP/1.1".to_owned(),
                fields: fields
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .to_vec(),
                data: None,
                complete: true,
            };
            let stages = vec![Stage {
                input,
                expected: Expectation::default(),
            }];
            let case = Case {
                name: String::new(),
                description: String::new(),
                stages,
            };
            let status = run_case(&rules, &case).stages[0].status;
            let expected = if level >= *from { 403 } else { 200 };
            assert_eq!(status, expected, "{uri} at paranoia level {level}");
        }
    }
}

#[test]
fn noise_costs_no_more_work_than_text_and_work_grows_with_length_alone() {
    let Some(folder) = crs() else {
        return;
    };
    let rules = crs_rules(&folder, Leniency::Strict);
    let spent =
        |value: &[u8]| differential::exchanged(&rules, &mutations::form(value)).spent_bytes();
    let text = |length: usize| -> Vec<u8> {
        let words = b"the+quick+brown+fox+jumps+over+the+lazy+dog+and+orders+a+parcel+of+seeds+";
        words.iter().copied().cycle().take(length).collect()
    };
    let mut random = testkit::Mutator::new(1);
    let mut noise = |length: usize| -> Vec<u8> {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..length)
            .map(|_| *random.pick(LETTERS).unwrap())
            .collect()
    };
    let long = spent(&text(64 << 10));
    let (short_noise, long_noise) = (spent(&noise(8 << 10)), spent(&noise(64 << 10)));
    println!("text {long}, noise {long_noise}, of 8 kB {short_noise}");
    assert!(
        long_noise <= long * 3,
        "{long_noise} for noise, {long} for text"
    );
    assert!(
        long_noise <= short_noise * 9,
        "{long_noise} for 64 kB, {short_noise} for 8 kB"
    );
    // A request's value is looked at by a few hundred operators at most, and by most of them never.
    assert!(long_noise < 150 * (64 << 10), "{long_noise}");
}
