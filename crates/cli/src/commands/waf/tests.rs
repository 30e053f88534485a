use serde_json::json;

use crate::Exit;
use crate::testing::Place;

const RULES: &str = "SecRuleEngine DetectionOnly\n\
    SecRule ARGS:a \"@rx ev(i)l\" \\\n    \"id:100,phase:2,deny,status:406,capture,msg:'found %{TX.1}',severity:CRITICAL,chain\"\n\
    SecRule ARGS:b \"@streq x\" \"t:lowercase,setvar:tx.blocking_inbound_anomaly_score=+5\"\n";

const TESTS: &str = "rule_id: 100\ntests:\n\
    \x20 - test_id: 1\n    stages:\n      - input: {uri: '/?a=evil&b=X', headers: {Host: a}}\n        output: {log: {expect_ids: [100]}}\n\
    \x20 - test_id: 2\n    stages:\n      - input: {uri: '/?a=evil', headers: {Host: a}}\n        output: {log: {expect_ids: [100]}}\n";

fn place() -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join("own/tests/regression/DEEP")).unwrap();
    place.write("own/rules.conf", RULES);
    place.write("own/tests/regression/DEEP/100.yaml", TESTS);
    place
}

#[test]
fn check_counts_what_can_be_loaded() {
    let place = place();
    let ran = place.run(&["waf", "check", "own"]);
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.err);
    insta::assert_snapshot!("check", ran.show());
    let ran = place.run(&["waf", "check", "own/rules.conf", "--format", "json"]);
    assert_eq!(
        ran.json()["counts"],
        json!({ "rules": 1, "links": 2, "files": 1, "phases": [0, 1, 0, 0, 0] })
    );
}

const BROKEN: &str = "SecRulle ARGS x \"id:1\"\n\
    SecRule ARGS \"@rx (?=a)\" \"id:2\"\n\
    SecRule ARGS \"@rx a\" \"id:3,chain\"\nSecRule ARGS \"@rbl x\" \"t:none\"\n\
    SecRule ARGS \"@rx a\" \"id:4,t:lowrcase\"\nSecRule ARGS \"@rx a\" \"id:5\"\nSecTmpDir /tmp\n";

#[test]
fn check_tells_every_problem_with_its_line_and_what_to_do() {
    let place = Place::new();
    place.write("broken.conf", BROKEN);
    let ran = place.run(&["waf", "check", "broken.conf"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert_eq!(ran.out, "");
    insta::assert_snapshot!("check_broken", ran.show());
    let ran = place.run(&["waf", "check", "broken.conf", "--format", "json"]);
    assert_eq!(ran.exit, Exit::Usage);
    let document = ran.json();
    assert_eq!(document["result"], "invalid");
    let first = &document["findings"][0];
    assert_eq!(
        (&first["line"], &first["level"]),
        (&json!(1), &json!("error"))
    );
    assert_eq!(first["hint"], "did you mean `SecRule`?");
}

#[test]
fn a_lenient_check_lists_what_is_left_out() {
    let place = Place::new();
    place.write("broken.conf", BROKEN);
    let ran = place.run(&["waf", "check", "--lenient", "broken.conf"]);
    assert_eq!(ran.exit, Exit::Partly, "{}", ran.err);
    insta::assert_snapshot!("check_lenient", ran.show());
}

#[test]
fn check_takes_a_folder_or_files_or_the_pack_and_nothing_else() {
    let place = place();
    assert_eq!(place.run(&["waf", "check", "builtin"]).exit, Exit::Ok);
    let ran = place.run(&["waf", "check", "bultin"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("did you mean `builtin`?"), "{}", ran.err);
    let ran = place.run(&["waf", "check", "own/rules.conf", "own"]);
    assert!(ran.err.contains("`own` is no file"), "{}", ran.err);
    let ran = place.run(&["waf", "check", "none.conf"]);
    assert!(ran.err.contains("no rules at `none.conf`"), "{}", ran.err);
    place.write("more.conf", "Include own/*.conf\nSecRule ARGS x \"id:7\"");
    let ran = place.run(&["waf", "check", "more.conf", "--format", "json"]);
    assert_eq!(ran.json()["counts"]["rules"], 2, "{}", ran.err);
    place.write("lost.conf", "Include gone.conf");
    let ran = place.run(&["waf", "check", "lost.conf"]);
    assert!(
        ran.err.contains("lost.conf:1: ") && ran.err.contains("gone.conf"),
        "{}",
        ran.err
    );
}

#[test]
fn explain_shows_each_match_and_the_decision() {
    let place = place();
    place.write("request", "GET /?a=evil&b=X HTTP/1.1\nHost: a.example\n\n");
    let ran = place.run(&["waf", "explain", "request", "--rules", "own"]);
    assert_eq!(ran.exit, Exit::No, "{}", ran.err);
    insta::assert_snapshot!("explain", ran.show());
    let ran = place.run(&[
        "waf", "explain", "request", "--rules", "own", "--format", "json",
    ]);
    let document = ran.json();
    assert_eq!(document["schema"], "rampart.waf-explain.v1");
    assert_eq!(document["decision"]["status"], 406);
    let found = &document["matches"][0];
    assert_eq!(found["rule"], 100);
    assert_eq!(found["line"], 2);
    assert_eq!(found["links"][1]["line"], 4);
    assert_eq!(
        found["found"][0],
        json!({ "target": "ARGS:b", "value": "x" })
    );
    assert_eq!(found["scores"][0]["by"], 5);
    assert_eq!(document["scores"]["blocking_inbound_anomaly_score"], 5);
}

#[test]
fn explain_shows_what_was_found_far_behind_in_a_value() {
    let place = Place::new();
    let rule = "SecRule ARGS \"@rx e+vil\" \"id:1,phase:2,deny,log,t:lowercase\"";
    place.write("one.conf", rule);
    let long = "y".repeat(6_000);
    let request = format!("GET /?a={long}EEVIL{long} HTTP/1.1\nHost: a.example\n\n");
    place.write("request", &request);
    let explain = ["waf", "explain", "request", "--rules", "one.conf"];
    let ran = place.run(&explain);
    let line = ran.out.lines().find(|line| line.contains("ARGS:a = "));
    let line = line.unwrap_or(&ran.out).trim();
    assert!(line.starts_with("ARGS:a = …yyy"), "{line}");
    assert!(line.contains("yeevily") && line.len() < 400, "{line}");
    let ran = place.run(&[&explain[..], &["--format", "json"]].concat());
    let found = &ran.json()["matches"][0]["found"][0];
    assert_eq!(found["matched"], "eevil");
    assert_eq!(found["before"], 5_744);
}

#[test]
fn explain_holds_requests_to_the_pack_by_itself() {
    let mut place = Place::new();
    place.write(
        "plain",
        "GET /?name=O'Brien HTTP/1.1\r\nHost: a.example\r\n\r\n",
    );
    let ran = place.run(&["waf", "explain", "plain"]);
    assert_eq!(ran.exit, Exit::Ok, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("let through\n"), "{}", ran.out);
    place.write(
        "attack",
        "POST /login HTTP/1.1\nHost: a.example\nContent-Type: application/json\n\n{\"user\": \"x' or '1'='1\"}\n",
    );
    let ran = place.run(&["waf", "explain", "attack"]);
    assert_eq!(ran.exit, Exit::No);
    insta::assert_snapshot!("explain_pack", ran.show());
    // What a level adds is seen at that level alone.
    place.write("tag", "GET /?q=%3Cb%3E HTTP/1.1\nHost: a\n\n");
    let matches = |level: &str| {
        let ran = place.run(&[
            "waf",
            "explain",
            "tag",
            "--paranoia",
            level,
            "--format",
            "json",
        ]);
        ran.json()["matches"].as_array().unwrap().len()
    };
    assert_eq!((matches("1"), matches("3")), (0, 1));
    place.typed = Some("GET /?q=<script>alert(1)</script> HTTP/1.1\nHost: a\n\n");
    assert_eq!(place.run(&["waf", "explain", "-"]).exit, Exit::No);
}

#[test]
fn explain_says_how_a_request_was_read() {
    let place = Place::new();
    let note = |request: &str, note: &str| {
        place.write("request", request);
        let ran = place.run(&["waf", "explain", "request"]);
        assert!(ran.out.contains(note), "{}{}", ran.out, ran.err);
    };
    note("GET / HTTP/1.1\n\n", "before rules see it: no Host");
    note(
        "POST / HTTP/1.1\nHost: a\n\na=b\n",
        "3 bytes after the head are the body",
    );
    note(
        "POST / HTTP/1.1\nHost: a\nContent-Length: 1\n\nabc",
        "ends after 1 of the 3 bytes",
    );
    note(
        "POST / HTTP/1.1\nHost: a\nContent-Type: application/json\n\n{\"a\": ",
        "not all of the request could be read",
    );
    place.write("request", "nonsense");
    let ran = place.run(&["waf", "explain", "request"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("is no request line"), "{}", ran.err);
    // What a request says cannot pretend to be a line of the answer, nor reach the terminal.
    place.write(
        "request",
        "GET /?q=1%20or%201=1%0Alet%20through%1b[2J HTTP/1.1\nHost: a\n\n",
    );
    let ran = place.run(&["waf", "explain", "request"]);
    assert!(
        !ran.out.contains('\u{1b}') && !ran.out.contains("\nlet through"),
        "{}",
        ran.out
    );
}

#[test]
fn test_holds_failures_against_the_known_ones() {
    let place = place();
    let ran = place.run(&["waf", "test", "own"]);
    assert_eq!(ran.exit, Exit::No, "{}", ran.err);
    insta::assert_snapshot!("test", ran.show());
    place.write("known", "# reasons\n100-2 the rule needs both\n");
    let ran = place.run(&["waf", "test", "own", "--known", "known", "--format", "json"]);
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.err);
    let document = ran.json();
    assert_eq!(document["schema"], "rampart.waf-test.v1");
    assert_eq!(document["passed"], 1);
    assert_eq!(document["failed"], json!([]));
    assert_eq!(document["known_failures"][0]["name"], "100-2");
    // One that passes does not belong into the list.
    place.write("known", "100-2 reason\n100-1 reason\n100-9 gone\n");
    let ran = place.run(&["waf", "test", "own", "--known", "known"]);
    assert_eq!(ran.exit, Exit::No);
    assert!(
        ran.out.contains("100-1 passes, and is listed as failing"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("100-9 is listed as failing, and there is no such test"),
        "{}",
        ran.out
    );
}

#[test]
fn test_runs_the_packs_own_tests() {
    let place = Place::new();
    let ran = place.run(&["waf", "test", "builtin", "--format", "json"]);
    assert_eq!(ran.exit, Exit::Ok, "{}{}", ran.out, ran.err);
    assert!(ran.json()["passed"].as_u64().unwrap() > 800);
}

#[test]
fn test_without_tests_or_with_broken_ones_says_so() {
    let place = place();
    std::fs::create_dir_all(place.path().join("empty")).unwrap();
    let ran = place.run(&["waf", "test", "empty"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(
        ran.err
            .contains("there are no tests under `DIR/empty/tests/regression`"),
        "{}",
        ran.err
    );
    assert_eq!(
        place.run(&["waf", "test", "own/rules.conf"]).exit,
        Exit::Usage
    );
    place.write("own/tests/regression/bad.yaml", "tests: [{stages: []}]");
    let ran = place.run(&["waf", "test", "own"]);
    assert!(ran.err.contains("a test has no `test_id`"), "{}", ran.err);
}

/// The Core Rule Set's folder; a test without it says so.
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

#[test]
fn core_rule_set_passes_but_for_the_known_failures() {
    let Some(folder) = crs() else {
        return;
    };
    let known = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../seclang/testdata/crs-known-failures.txt");
    let (folder, known) = (folder.to_str().unwrap(), known.to_str().unwrap());
    let place = Place::new();
    let ran = place.run(&["waf", "test", folder, "--known", known, "--format", "json"]);
    let document = ran.json();
    assert_eq!(ran.exit, Exit::Ok, "{document}");
    let [stages, passed] = ["stages", "passed"].map(|key| document[key].as_u64().unwrap());
    assert!(stages >= 5_051, "{stages}");
    assert_eq!(passed + 3, stages);
    assert_eq!(document["known_failures"].as_array().unwrap().len(), 3);
}

fn tuned() -> serde_json::Value {
    json!({
        "since": "2026-03-01T00:00:00.000Z", "until": "2026-03-02T00:00:00.000Z",
        "complete": false, "notes": ["too \u{1b}[2J much\n[[route]]"],
        "requests": 9, "would_pass": 5, "excepted": 1, "unknown": 2,
        "proposals": [{
            "rule": 942_100, "message": "SQL \u{202e}injection", "place": "crs/rules/sqli.conf:46",
            "route": "posts", "target": "ARGS:comment", "evidence": "people",
            "evidence_text": "several principals who are signed in", "requests": 5, "alike": 2,
            "principals": 3, "addresses": 1, "first": "2026-03-01T07:00:00.000Z",
            "last": "2026-03-01T08:00:00.000Z", "answered": [{ "class": 2, "count": 4 }],
            "example": {
                "request_id": "req_00000000000000000000000001",
                "time": "2026-03-01T08:00:00.000Z", "request": "POST shop.example/posts\nmode = 1",
            },
            "alone": 4, "together": 5, "unasked": 7, "attacks": 1,
            "blinds": "rule 942100 no longer looks at `ARGS:comment` on route `posts`",
            "until": "2026-05-30",
            "lines": "[[waf.exclusion]]\nrule = 942100\nparameter = \"comment\"\nroute = \"posts\"\nreason = \"r\"\nuntil = \"2026-05-30\"\n",
        }],
        "left_alone": [{
            "what": "203.0.113.9", "rule": null, "route": null, "target": null, "requests": 1,
            "why": "looks like an attacker: one address met 12 different rules", "example": null,
        }],
        "left_alone_more": 3,
    })
}

#[test]
fn tune_prints_what_can_be_put_into_an_estate_and_nothing_of_strangers_besides() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "--name", "acme"]).exit, Exit::Ok);
    let asked = place.serve(|_, _| (200, tuned().to_string()));
    let ran = place.run(&[
        "waf",
        "tune",
        "--since",
        "48h",
        "--until",
        "1d",
        "--route",
        "posts",
        "--expires",
        "2026-05-30",
    ]);
    insta::assert_snapshot!("tune", ran.show());
    assert_eq!(
        asked.targets(),
        ["GET /gateway/rules/tune?since=2d&until=1d&route=posts&expires=2026%2D05%2D30"]
    );
    // Whatever is no line of an exclusion is a comment.
    let estate: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(estate.concat().matches("[[").count(), 1, "{}", ran.out);
    assert!(!ran.out.contains(['\u{1b}', '\u{202e}']), "{}", ran.out);
    let ran = place.run(&["waf", "tune", "--format", "json"]);
    assert_eq!(ran.json()["schema"], "rampart.waf-tune.v1");
}
