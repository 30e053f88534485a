use std::collections::BTreeMap;

use seclang::regression::{Case, Wire, run, run_case, wire};
use seclang::{Leniency, Loader, NoFiles, Ruleset};

use super::*;
use crate::sent::{json_text, send};

/// Rules whose job is to set or to decide: they match nothing in a request.
fn is_frame(file: &str) -> bool {
    file.starts_with("rampart-") || file == "setting"
}

/// Gates of paranoia levels have ids of their own.
fn is_gate(id: u64) -> bool {
    id % 10_000 >= 9_000
}

fn at(paranoia: u8) -> Ruleset {
    let setting = Setting {
        paranoia,
        ..Setting::default()
    };
    let loaded = load(setting).unwrap();
    assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
    loaded.rules
}

/// Every rule has its say, and nothing ends a request.
fn detecting() -> Ruleset {
    let mut loader = Loader::new(&NoFiles, Leniency::Strict);
    let setting = Setting {
        paranoia: LEVEL_MAX,
        ..Setting::default()
    };
    loader.text("setting", setting.text().as_bytes());
    for (name, text) in files() {
        loader.text(name, text.as_bytes());
    }
    loader.text("mode", b"SecRuleEngine DetectionOnly");
    loader.finish().unwrap().rules
}

fn request(case: &Case) -> Wire {
    wire(&case.stages[0].input)
}

fn id_of(case: &Case) -> u64 {
    let (id, _) = case.name.split_once('-').unwrap();
    id.parse().unwrap()
}

fn is_positive(case: &Case) -> bool {
    !case.stages[0].expected.expect_ids.is_empty()
}

#[test]
fn every_test_of_the_pack_holds() {
    let report = run(&detecting(), &cases().unwrap());
    let failed: Vec<_> = report.cases.iter().filter(|case| !case.passed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(report.cases.len() > 800, "{}", report.cases.len());
}

#[test]
fn every_rule_has_three_tests_of_either_kind() {
    let mut counts: BTreeMap<u64, [usize; 2]> = at(LEVEL_MAX)
        .rules()
        .filter(|rule| !is_frame(&rule.place.file) && !is_gate(rule.id))
        .map(|rule| (rule.id, [0, 0]))
        .collect();
    assert!(counts.len() > 100, "{}", counts.len());
    for case in cases().unwrap() {
        let count = counts.get_mut(&id_of(&case));
        let count = count.unwrap_or_else(|| panic!("{}: there is no such rule", case.name));
        count[usize::from(!is_positive(&case))] += 1;
    }
    for (id, [positive, negative]) in counts {
        assert!(
            positive >= 3 && negative >= 3,
            "{id}: {positive}, {negative}"
        );
    }
}

#[test]
fn what_one_rule_must_let_be_matches_nothing_at_the_first_level() {
    let rules = at(1);
    for case in cases().unwrap().iter().filter(|case| !is_positive(case)) {
        let sent = send(&rules, &request(case));
        assert_eq!(sent.ids(), Vec::<u64>::new(), "{}: {case:?}", case.name);
    }
}

/// Text of the rule with this id: from its line to the next rule's.
fn text_of(id: u64) -> String {
    let mark = format!("\"id:{id},");
    let mut rules = files().iter().flat_map(|(_, text)| text.split("\n\n"));
    let found = rules.find(|rule| rule.contains(&mark));
    found.unwrap_or_else(|| panic!("no rule {id}")).to_owned()
}

#[test]
fn a_critical_match_is_refused_at_its_own_level_and_others_only_score() {
    let levels: Vec<Ruleset> = (1..=LEVEL_MAX).map(at).collect();
    for case in cases().unwrap().iter().filter(|case| is_positive(case)) {
        let text = text_of(id_of(case));
        let (_, rest) = text.split_once("tag:'paranoia/").unwrap();
        let (level, _) = rest.split_once('\'').unwrap();
        let level: usize = level.parse().unwrap();
        let sent = send(&levels[level - 1], &request(case));
        let critical = text.contains("severity:CRITICAL");
        if critical {
            assert!(sent.refused, "{}", case.name);
            assert!(sent.score >= 5, "{}: {}", case.name, sent.score);
        } else {
            assert!(sent.score >= 2, "{}: {}", case.name, sent.score);
        }
        if level > 1 {
            let below = send(&levels[level - 2], &request(case));
            assert!(
                !below.ids().contains(&id_of(case)),
                "{} below its level",
                case.name
            );
        }
    }
}

#[test]
fn every_rule_says_what_it_is_about() {
    for rule in at(LEVEL_MAX).rules() {
        if is_frame(&rule.place.file) || is_gate(rule.id) {
            continue;
        }
        let text = text_of(rule.id);
        for part in [
            "msg:'",
            "severity:",
            "tag:'rampart/",
            "tag:'paranoia/",
            "tx.rampart_score=+",
        ] {
            assert!(text.contains(part), "{} has no {part}", rule.id);
        }
        let named = text.contains("tag:'CWE-") || text.contains("tag:'CAPEC-");
        assert!(named, "{} names no weakness", rule.id);
        let class = rule.place.file.strip_suffix(".conf").unwrap();
        assert!(
            text.contains(&format!("tag:'rampart/{class}'")),
            "{}",
            rule.id
        );
    }
}

#[test]
fn ids_are_the_packs_own_and_files_are_short() {
    for rule in at(LEVEL_MAX).rules() {
        assert!((25_000_000..26_000_000).contains(&rule.id), "{}", rule.id);
    }
    for (name, text) in files().iter().chain(tables()) {
        assert!(text.lines().count() <= 500, "{name}");
    }
    assert_eq!(files()[0].0, "rampart-setup.conf");
    assert_eq!(files().last().unwrap().0, "rampart-verdict.conf");
}

fn one(target: &str) -> Wire {
    let raw = format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    wire(&seclang::regression::Input::Raw(raw.into_bytes()))
}

#[test]
fn the_score_decides_and_both_can_be_set() {
    let attack = one("/?q=1%20union%20select%201,2");
    let with = |paranoia, threshold| {
        load(Setting {
            paranoia,
            threshold,
        })
        .unwrap()
        .rules
    };
    assert!(send(&with(1, 5), &attack).refused);
    assert!(!send(&with(1, 1_000), &attack).refused);
    // A warning of the third level is below the threshold, and above a lower one.
    let tag = one("/?q=%3Cb%3E");
    assert!(!send(&with(2, 3), &tag).refused);
    assert!(!send(&with(3, 5), &tag).refused);
    assert!(send(&with(3, 3), &tag).refused);
}

#[test]
fn settings_of_other_sets_of_rules_serve_this_one() {
    let load = |setting: &str| {
        let mut loader = Loader::new(&NoFiles, Leniency::Strict);
        loader.text("other", setting.as_bytes());
        for (name, text) in files() {
            loader.text(name, text.as_bytes());
        }
        loader.finish().unwrap().rules
    };
    let tag = one("/?q=%3Cb%3E");
    let others = "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level=3,\
        setvar:tx.inbound_anomaly_score_threshold=3\"";
    assert!(send(&load(others), &tag).refused);
    assert!(!send(&load(""), &tag).refused);
}

/// A body of a type, and whether `1 or 1=1` within it is seen.
#[test]
fn bodies_are_read_by_their_types_and_otherwise_as_texts() {
    let rules = at(1);
    let sent = |kind: &str, body: &str| {
        let kind = match kind {
            "" => String::new(),
            kind => format!("Content-Type: {kind}\r\n"),
        };
        let raw = format!(
            "POST / HTTP/1.1\r\nHost: shop.example\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        send(
            &rules,
            &wire(&seclang::regression::Input::Raw(raw.into_bytes())),
        )
    };
    let json = r#"{"id": "1 union select 1,2"}"#;
    for kind in [
        "application/json",
        "Application/JSON ; charset=utf-8",
        "application/vnd.api+json",
        "text/json",
        "text/plain",
        "",
        "application/graphql",
        "application/x-www-form-urlencoded",
    ] {
        assert!(sent(kind, json).score >= 5, "{kind}");
    }
    let xml = "<a><b>1 union select 1,2</b></a>";
    for kind in [
        "application/xml",
        "text/xml",
        "application/soap+xml; a=b",
        "image/svg+xml",
    ] {
        assert!(sent(kind, xml).score >= 5, "{kind}");
    }
    assert!(sent("application/x-java-serialized-object", "rO0ABXNyABFqYXZh").score >= 5);
    assert!(sent("application/x-of-our-own", json).score >= 5);
    // What is opaque is not looked into at the first level.
    assert_eq!(sent("image/png", "1 union select 1,2").score, 0);
    assert_eq!(
        sent("application/octet-stream", "rO0ABXNyABFqYXZh").score,
        0
    );
}

fn crs() -> Option<std::path::PathBuf> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    #[expect(clippy::disallowed_methods, reason = "a test asks where the rules are")]
    let set = std::env::var("RAMPART_CRS_DIR").ok();
    let folder = root.join(set.unwrap_or_else(|| "../shared/data/crs".to_owned()));
    if folder.join("rules").is_dir() {
        return Some(folder);
    }
    println!("skipped: RAMPART_CRS_DIR names no Core Rule Set");
    None
}

/// Texts of others beside the Core Rule Set, which people would paste into a form.
#[test]
fn versions_and_vectors_of_others_match_nothing() {
    let Some(folder) = crs() else {
        return;
    };
    let rules = at(1);
    let mut seen = 0;
    for name in ["versions", "wycheproof"] {
        let Ok(entries) = std::fs::read_dir(folder.join("..").join(name)) else {
            continue;
        };
        for entry in entries {
            let Ok(text) = std::fs::read_to_string(entry.unwrap().path()) else {
                continue;
            };
            let text: String = text.chars().take(65_536).collect();
            let table = format!("rule 1\n- json: {{\"text\": {}}}\n", json_text(&text));
            let case = &seclang::regression::parse_table("t", &table).unwrap()[0];
            assert_eq!(send(&rules, &request(case)).ids(), Vec::<u64>::new());
            seen += 1;
        }
    }
    println!("{seen} files");
}

/// This tree's own documents and sources, in pieces: prose, markdown, code.
#[test]
fn documents_and_sources_of_this_project_match_nothing() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rules = at(1);
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "docs/concepts/gateway.md",
        "docs/reference/estate.md",
        "docs/guide/adopting.md",
        ".ci/run",
        "Cargo.toml",
        "crates/store/src/lib.rs",
        "crates/cli/src/output.rs",
        "docs/examples/verify_assertion.py",
    ] {
        let Ok(text) = std::fs::read_to_string(root.join(name)) else {
            panic!("{name} is gone");
        };
        let text: String = text.chars().take(65_536).collect();
        let table = format!("rule 1\n- json: {{\"text\": {}}}\n", json_text(&text));
        let case = &seclang::regression::parse_table("t", &table).unwrap()[0];
        assert_eq!(
            send(&rules, &request(case)).ids(),
            Vec::<u64>::new(),
            "{name}"
        );
    }
}

#[test]
fn a_table_that_is_none_is_told_with_its_line() {
    for (text, problem) in [
        ("+ arg: x", "a test before the first `rule` in line 1"),
        ("rule x", "`x` is no id in line 1"),
        ("rule 1\narg: x", "neither `+ ` nor `- ` in line 2"),
        ("rule 1\n+ arg", "no `: `"),
        ("rule 1\n+ what: x", "`what` is nothing that can be sent"),
        ("rule 1\n+ base64 a/b: !", "`!`"),
        ("rule 1\n+ header: x", "a header without"),
    ] {
        let error = seclang::regression::parse_table("t", text).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
    let case = &seclang::regression::parse_table("t", "rule 5\n- arg: a b").unwrap()[0];
    assert_eq!(request(case).target, b"/?q=a%20b");
    assert!(run_case(&at(1), case).passed());
}
