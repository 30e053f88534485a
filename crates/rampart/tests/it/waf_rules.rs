//! `rampart waf check`, `explain` and `test` of the real program, which need no server: on Rampart's
//! own rules, on a small folder, and on the Core Rule Set where it is found.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::world::program;
use crate::{skipped, told};

const RULES: &str = "SecRuleEngine On\n\
    SecRule ARGS \"@contains evil\" \\\n    \"id:100,phase:2,deny,status:403,msg:'evil is said',severity:CRITICAL\"\n";

const TESTS: &str = "rule_id: 100\ntests:\n\
    \x20 - test_id: 1\n    stages:\n      - input: {uri: '/?a=evil', headers: {Host: a}}\n        output: {log: {expect_ids: [100]}}\n\
    \x20 - test_id: 2\n    stages:\n      - input: {uri: '/?a=good', headers: {Host: a}}\n        output: {log: {no_expect_ids: [100]}}\n";

/// A folder of rules with tests.
struct Place(tempfile::TempDir);

/// How the program ended: its exit code, what it wrote, and what it complained of.
type Ended = (i32, String, String);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(place.path().join("mine/tests/regression/X")).unwrap();
        place.write("mine/rules.conf", RULES);
        place.write("mine/tests/regression/X/100.yaml", TESTS);
        place.write(
            "evil",
            "GET /?a=evil%1b[2J HTTP/1.1\r\nHost: a.example\r\n\r\n",
        );
        place.write("good", "GET /?a=good HTTP/1.1\r\nHost: a.example\r\n\r\n");
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        store::atomic_write(&self.path().join(name), text.as_bytes(), 0o644).unwrap();
    }

    fn waf(&self, arguments: &[&str]) -> Ended {
        let output = std::process::Command::new(program())
            .arg("waf")
            .args(arguments)
            .current_dir(self.path())
            .output()
            .unwrap();
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    /// The same as a document.
    fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let all = [arguments, &["--format", "json"]].concat();
        let (code, out, err) = self.waf(&all);
        let document = serde_json::from_str(&out);
        (
            code,
            document.unwrap_or_else(|error| panic!("{error}: {out}{err}")),
        )
    }
}

#[test]
fn check_counts_rules_and_names_file_and_line_of_what_is_wrong() {
    let place = Place::new();
    let (code, out, err) = place.waf(&["check", "mine"]);
    assert_eq!((code, out.contains("1 rule")), (0, true), "{out}{err}");
    let (code, document) = place.json(&["check", "builtin"]);
    assert_eq!(
        (code, &document["result"]),
        (0, &"valid".into()),
        "{document}"
    );
    assert!(
        document["counts"]["rules"].as_u64() > Some(100),
        "{document}"
    );
    let broken = "SecRuleEngine On\n\nSecRule ARGS \"@nothing x\" \"id:7\"\n";
    place.write("mine/rules.conf", broken);
    let (code, out, err) = place.waf(&["check", "mine"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(
        err.contains("rules.conf:3") && err.contains("nothing"),
        "{err}"
    );
    let (code, document) = place.json(&["check", "mine"]);
    assert_eq!(
        (code, &document["findings"][0]["line"]),
        (2, &3.into()),
        "{document}"
    );
}

#[test]
fn explain_says_what_a_request_meets_and_where_the_rule_stands() {
    let place = Place::new();
    let (code, out, err) = place.waf(&["explain", "evil", "--rules", "mine"]);
    assert_eq!(code, 1, "{err}");
    for said in [
        "refused with 403",
        "evil is said",
        "rules.conf:2",
        "ARGS:a = evil",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }
    assert!(!out.contains('\u{1b}'), "{out}");
    let (code, document) = place.json(&["explain", "evil", "--rules", "mine"]);
    assert_eq!((code, &document["decision"]["rule"]), (1, &100.into()));
    assert_eq!(document["matches"][0]["found"][0]["target"], "ARGS:a");
    let (code, out, _) = place.waf(&["explain", "good", "--rules", "mine"]);
    assert_eq!((code, out.starts_with("let through")), (0, true), "{out}");
    // Rampart's own rules by themselves.
    place.write(
        "attack",
        "GET /?id=1%27%20UNION%20SELECT%20password%20FROM%20users--%20- HTTP/1.1\r\nHost: a.example\r\n\r\n",
    );
    let (code, document) = place.json(&["explain", "attack"]);
    assert_eq!((code, &document["rules"]), (1, &"builtin".into()));
    assert!(
        document["scores"]["rampart_score"].as_i64() >= Some(5),
        "{document}"
    );
}

#[test]
fn test_counts_passed_failed_and_known_failures() {
    let place = Place::new();
    let (code, document) = place.json(&["test", "mine"]);
    assert_eq!((code, &document["passed"]), (0, &2.into()), "{document}");
    place.write(
        "mine/tests/regression/X/100.yaml",
        &TESTS.replace("/?a=evil", "/?a=other"),
    );
    let (code, out, _) = place.waf(&["test", "mine"]);
    assert_eq!((code, out.contains("100-1")), (1, true), "{out}");
    place.write("known", "100-1 the test is wrong\n");
    let (code, document) = place.json(&["test", "mine", "--known", "known"]);
    assert_eq!(code, 0, "{document}");
    assert_eq!(document["known_failures"][0]["name"], "100-1");
    let (code, document) = place.json(&["test", "builtin"]);
    assert_eq!(
        (code, &document["failed"]),
        (0, &serde_json::json!([])),
        "{document}"
    );
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_to_do() {
    let place = Place::new();
    for (arguments, said) in [
        (&["check", "gone"][..], "no rules at `gone`"),
        (&["check", "bultin"], "did you mean `builtin`?"),
        (&["check", "--loose", "mine"], "--loose"),
        (&["check"], "Usage"),
        (&["explain", "gone"], "cannot read `gone`"),
        (
            &["explain", "good", "--rules", "gone"],
            "no rules at `gone`",
        ),
        (&["explain", "good", "--paranoia", "5"], "5"),
        (&["test", "gone"], "gone"),
        (&["test", "mine", "--known", "gone"], "gone"),
        (&["guess"], "guess"),
    ] {
        let (code, out, err) = place.waf(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
    // Without a server there is nothing to tune by.
    let (code, _, err) = place.waf(&["tune", "--data", "none"]);
    assert!(code != 0 && !err.is_empty(), "{err}");
}

/// The Core Rule Set's folder, where there is one.
fn crs() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let set = told("RAMPART_CRS_DIR").unwrap_or_else(|| "../shared/data/crs".to_owned());
    let folder = root.join(set);
    let found = folder.join("rules").is_dir();
    if !found {
        skipped("RAMPART_CRS_DIR names no Core Rule Set");
    }
    found.then(|| std::fs::canonicalize(folder).unwrap())
}

#[test]
fn core_rule_set_is_checked_and_explains() {
    let Some(crs) = crs() else {
        return;
    };
    let crs = crs.to_str().unwrap();
    let place = Place::new();
    let (code, document) = place.json(&["check", crs]);
    assert_eq!(code, 0, "{document}");
    assert!(
        document["counts"]["rules"].as_u64() > Some(400),
        "{document}"
    );
    place.write(
        "attack",
        "GET /?id=1%27%20UNION%20SELECT%20password%20FROM%20users--%20- HTTP/1.1\r\nHost: a.example\r\n\
         User-Agent: test\r\nAccept: */*\r\n\r\n",
    );
    let (code, document) = place.json(&["explain", "attack", "--rules", crs]);
    assert_eq!(
        (code, &document["decision"]["rule"]),
        (1, &949_110.into()),
        "{document}"
    );
    let rules = document["matches"].to_string();
    assert!(
        rules.contains("942100") && rules.contains("REQUEST-942"),
        "{rules}"
    );
}
