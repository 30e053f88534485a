//! The published databases of RustSec and PyPA: every advisory is read, and is right at the edges of
//! its ranges.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use super::super::*;
use crate::testing::{asked, index, package};
use crate::{Ecosystem, Index, Version};

/// A database's folder; a test without it says so.
fn folder(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    #[expect(
        clippy::disallowed_methods,
        reason = "a test asks where the advisories are"
    )]
    let set = std::env::var("RAMPART_ADVISORIES_DIR").ok();
    let folder = root.join(set.unwrap_or_else(|| "../shared/data/advisories".to_owned()));
    let folder = folder.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: RAMPART_ADVISORIES_DIR holds no `{name}`");
    None
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
}

/// Every file of RustSec's with its text.
fn rustsec_files() -> Option<Vec<(String, String, Collection)>> {
    let folder = folder("rustsec")?;
    let mut all = Vec::new();
    for (part, collection) in [
        ("crates", Collection::Crates),
        ("rust", Collection::Toolchain),
    ] {
        let mut paths = Vec::new();
        files(&folder.join(part), ".md", &mut paths);
        for path in paths {
            let text = std::fs::read_to_string(&path).unwrap();
            all.push((path.display().to_string(), text, collection));
        }
    }
    Some(all)
}

/// Every advisory of RustSec.
pub(crate) fn rustsec() -> Option<Vec<Advisory>> {
    let read = |(file, text, collection): &(String, String, Collection)| {
        Advisory::from_rustsec(file, text, *collection).unwrap()
    };
    Some(rustsec_files()?.iter().map(read).collect())
}

/// Every advisory of PyPA.
pub(crate) fn pypa() -> Option<Vec<Advisory>> {
    let mut paths = Vec::new();
    files(&folder("pypa")?.join("vulns"), ".yaml", &mut paths);
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        Advisory::from_yaml(&path.display().to_string(), &text).unwrap()
    };
    Some(paths.iter().map(read).collect())
}

#[test]
fn every_advisory_of_rustsec_is_read() {
    let Some(all) = rustsec_files() else { return };
    let mut bad = Vec::new();
    let mut scored = 0;
    for (file, text, collection) in &all {
        match Advisory::from_rustsec(file, text, *collection) {
            Ok(advisory) => {
                assert!(file.contains(&advisory.id), "{file} is {}", advisory.id);
                assert!(!advisory.summary.is_empty(), "{file} has no title");
                let says = !advisory.severity.is_empty();
                assert_eq!(says, advisory.score_tenths().is_some(), "{file}: no score");
                scored += usize::from(says);
            }
            Err(error) => bad.push(error.to_string()),
        }
    }
    println!(
        "rustsec: {} read, {scored} with a score",
        all.len() - bad.len()
    );
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(all.len() > 1_200, "only {} files", all.len());
}

#[test]
fn every_advisory_of_pypa_is_read() {
    let Some(folder) = folder("pypa") else { return };
    let mut paths = Vec::new();
    files(&folder.join("vulns"), ".yaml", &mut paths);
    let mut bad = Vec::new();
    let mut versions = (0_usize, 0_usize);
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        match Advisory::from_yaml(&path.display().to_string(), &text) {
            Ok(advisory) => {
                for version in advisory.affected.iter().flat_map(|one| &one.versions) {
                    let read = Version::parse(Ecosystem::PyPi, version);
                    versions.0 += 1;
                    versions.1 += usize::from(!read.unwrap().is_certain());
                }
            }
            Err(error) => bad.push(error.to_string()),
        }
    }
    println!(
        "pypa: {} read, {} versions listed, {} of them by the older rule",
        paths.len() - bad.len(),
        versions.0,
        versions.1
    );
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(paths.len() > 2_600, "only {} files", paths.len());
}

/// Whether the matcher finds the advisory, alone in an index, at a version of its package.
fn affected(index: &Index, name: &str, version: &str) -> bool {
    let report = asked(index, &package("crates.io", name, version));
    let verdict = &report.verdicts[0];
    assert!(verdict.doubts.is_empty(), "{name} {version}: {verdict:?}");
    !verdict.findings.is_empty()
}

/// The `versions.patched` and `unaffected` lists of a file, read by hand and not by the reader under
/// test.
fn lists(text: &str) -> Vec<(String, String)> {
    let toml = text.split("```").nth(1).unwrap().trim_start_matches("toml");
    let document: toml_edit::Document<&str> = toml_edit::Document::parse(toml).unwrap();
    let mut found = Vec::new();
    for name in ["patched", "unaffected"] {
        let list = document["versions"]
            .get(name)
            .and_then(|item| item.as_array());
        for requirement in list.into_iter().flatten() {
            found.push((name.to_owned(), requirement.as_str().unwrap().to_owned()));
        }
    }
    found
}

/// Plain reasoning about one bound: what lies at it and next to it, as (version, is without it).
fn at_the_edge(comparator: &str) -> Vec<(String, bool)> {
    let split = comparator.find(|c: char| c.is_ascii_digit()).unwrap();
    let (operator, version) = comparator.split_at(split);
    let version = version.trim();
    let core: Vec<u64> = version
        .split(['-', '+'])
        .next()
        .unwrap()
        .split('.')
        .map(|number| number.parse().unwrap())
        .collect();
    let [major, minor, patch] = [0, 1, 2].map(|at| core.get(at).copied().unwrap_or(0));
    let full = core.len() == 3;
    let has_pre = version.contains('-');
    let exact = if full {
        version.to_owned()
    } else {
        format!("{major}.{minor}.{patch}")
    };
    let before = match (has_pre, patch, minor, major) {
        (true, ..) => format!("{major}.{minor}.{patch}-0"),
        (_, 1.., _, _) => format!("{major}.{minor}.{}", patch - 1),
        (_, _, 1.., _) => format!("{major}.{}.9999", minor - 1),
        (_, _, _, 1..) => format!("{}.9999.9999", major - 1),
        _ => format!("{exact}-0"),
    };
    let after = format!("{major}.{minor}.{}", patch + 1);
    match operator.trim() {
        ">=" | "^" | "" => vec![(exact, true), (before, false)],
        "<" => vec![(exact, false), (before, true)],
        ">" if full => vec![(exact, false), (after, true)],
        "<=" if full => vec![(exact, true), (after, false)],
        "=" => vec![(exact, true), (before, false), (after, false)],
        _ => Vec::new(),
    }
}

#[test]
fn at_every_bound_of_rustsec_the_version_is_fine_and_its_neighbour_is_not() {
    let Some(all) = rustsec_files() else { return };
    let (mut checked, mut advisories) = (0, 0);
    for (file, text, collection) in &all {
        let advisory = Advisory::from_rustsec(file, text, *collection).unwrap();
        let told = advisory.affected[0].package.as_ref().unwrap();
        if advisory.withdrawn.is_some() || told.scope.is_none() {
            continue;
        }
        let index = index(Ecosystem::CratesIo, std::slice::from_ref(&advisory));
        let lists = lists(text);
        // What a neighbour is, the other requirements may say otherwise: those that take it in by
        // Cargo's own rule (of the `semver` crate's matching, written out for releases).
        let taken = |version: &str| {
            lists
                .iter()
                .any(|(_, requirement)| takes(requirement, version))
        };
        for (_, requirement) in &lists {
            for comparator in requirement.split(',') {
                for (version, fine) in at_the_edge(comparator.trim()) {
                    let fine = if fine {
                        taken(&version) || !requirement.contains(',')
                    } else {
                        taken(&version)
                    };
                    assert_eq!(
                        !affected(&index, &told.name, &version),
                        fine,
                        "{file}: {version} at `{comparator}` of `{requirement}`"
                    );
                    checked += 1;
                }
            }
        }
        advisories += usize::from(!lists.is_empty());
    }
    println!("rustsec: {checked} versions at the bounds of {advisories} advisories");
    assert!(checked > 2_000, "only {checked}");
}

/// Whether a requirement takes a version in, by numbers alone: the test's own reading.
fn takes(requirement: &str, version: &str) -> bool {
    let order = |a: &str, b: &str| {
        let (a, b) = (
            Version::parse_semver(a).unwrap(),
            Version::parse_semver(b).unwrap(),
        );
        a.compare(&b).unwrap()
    };
    requirement.split(',').all(|comparator| {
        let comparator = comparator.trim();
        let split = comparator.find(|c: char| c.is_ascii_digit()).unwrap();
        let (operator, bound) = comparator.split_at(split);
        let bound = bound.trim();
        let numbers: Vec<&str> = bound.split('-').next().unwrap().split('.').collect();
        let place = order(version, bound);
        match operator.trim() {
            ">=" => place != Ordering::Less,
            "<" => place == Ordering::Less,
            ">" if numbers.len() == 1 => {
                order(
                    version,
                    &format!("{}.0.0", numbers[0].parse::<u64>().unwrap() + 1),
                ) != Ordering::Less
            }
            ">" => place == Ordering::Greater,
            "<=" => place != Ordering::Greater,
            "=" => place == Ordering::Equal,
            "^" | "" => {
                let number = |at: usize| numbers.get(at).map_or(0, |n| n.parse::<u64>().unwrap());
                let to = match (number(0), number(1)) {
                    (0, 0) => format!("0.0.{}-0", number(2) + 1),
                    (0, minor) => format!("0.{}.0-0", minor + 1),
                    (major, _) => format!("{}.0.0-0", major + 1),
                };
                place != Ordering::Less && order(version, &to) == Ordering::Less
            }
            other => panic!("`{other}` in `{requirement}`"),
        }
    })
}
