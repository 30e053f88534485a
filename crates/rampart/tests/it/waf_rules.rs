//! `rampart waf` as people run it: the real program, on the pack and on the Core Rule Set.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn rampart(arguments: &[&str], input: &str) -> Output {
    use std::io::Write as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_rampart"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The Core Rule Set's folder; a test without it says so.
fn crs() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let set = std::env::var("RAMPART_CRS_DIR").ok();
    let folder = root.join(set.unwrap_or_else(|| "../shared/data/crs".to_owned()));
    if folder.join("rules").is_dir() {
        return Some(folder);
    }
    println!("skipped: RAMPART_CRS_DIR names no Core Rule Set");
    None
}

#[test]
fn pack_passes_its_own_tests() {
    let ran = rampart(&["waf", "test", "builtin", "--format", "json"], "");
    assert_eq!(ran.status.code(), Some(0));
    let document = json(&ran);
    assert_eq!(document["passed"], document["stages"]);
}

#[test]
fn explain_reads_a_request_from_standard_input() {
    let ran = rampart(
        &["waf", "explain", "-", "--format", "json"],
        "GET /?q=1%20union%20select%201,2 HTTP/1.1\nHost: shop.example\n\n",
    );
    assert_eq!(ran.status.code(), Some(1));
    let document = json(&ran);
    assert_eq!(document["decision"]["status"], 403);
    assert!(document["scores"]["rampart_score"].as_i64().unwrap() >= 5);
    let ran = rampart(
        &["waf", "explain", "-"],
        "GET /?q=chairs HTTP/1.1\nHost: shop.example\n\n",
    );
    assert_eq!(ran.status.code(), Some(0));
}

#[test]
fn core_rule_set_passes_but_for_the_known_failures() {
    let Some(folder) = crs() else {
        return;
    };
    let known =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../seclang/testdata/crs-known-failures.txt");
    let (folder, known) = (folder.to_str().unwrap(), known.to_str().unwrap());
    let ran = rampart(&["waf", "check", folder, "--format", "json"], "");
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(json(&ran)["result"], "valid");
    let ran = rampart(
        &["waf", "test", folder, "--known", known, "--format", "json"],
        "",
    );
    let document = json(&ran);
    assert_eq!(ran.status.code(), Some(0), "{document}");
    assert_eq!(document["stages"], 5_051);
    assert_eq!(document["passed"], 5_048);
    assert_eq!(document["known_failures"].as_array().unwrap().len(), 3);
}

#[test]
fn core_rule_set_explains_a_request_beside_our_own_setup() {
    let Some(folder) = crs() else {
        return;
    };
    let request = "GET /?q=1%27%20or%20%271%27%3D%271 HTTP/1.1\nHost: shop.example\n\
        User-Agent: Mozilla/5.0\nAccept: */*\n\n";
    let folder = folder.to_str().unwrap();
    let ran = rampart(
        &["waf", "explain", "-", "--rules", folder, "--format", "json"],
        request,
    );
    assert_eq!(ran.status.code(), Some(1));
    let document = json(&ran);
    let matches = document["matches"].as_array().unwrap();
    assert!(
        matches.iter().any(|found| found["rule"] == 942_100),
        "{document}"
    );
    assert_eq!(document["scores"]["blocking_paranoia_level"], 1);
}
