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
    let set = std::env::vars()
        .find(|(name, _)| name == "RAMPART_CRS_DIR")
        .map(|(_, value)| value);
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
