//! Published orders of versions (of the OSV scanner), line by line and in both directions.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use crate::{Ecosystem, compare};

/// A file, its ecosystem, and the lines that do not hold here, each with the reason.
type Suite = (
    &'static str,
    Ecosystem,
    &'static [(&'static str, &'static str)],
);

const NO_APK: &str = "apk 3 takes one of them for no version";
const BRANCH: &str = "a branch has no place in the order of versions";
const NO_PHP: &str = "`#` stands in no version of a package";
const FILLED: &str = "Composer fills versions up to four numbers: they are equal";
const FIVE: &str = "five numbers are no semantic version";

const SUITES: &[Suite] = &[
    ("alpine", Ecosystem::Alpine, ALPINE),
    ("cran", Ecosystem::Cran, &[]),
    ("debian", Ecosystem::Debian, &[]),
    ("hackage", Ecosystem::Hackage, &[]),
    ("maven", Ecosystem::Maven, &[]),
    ("nuget", Ecosystem::NuGet, &[]),
    ("packagist", Ecosystem::Packagist, PACKAGIST),
    ("pub", Ecosystem::Pub, &[("1.1.3.4.5 = 1.1.3.4.5", FIVE)]),
    ("pypi", Ecosystem::PyPi, &[]),
    ("redhat", Ecosystem::RedHat, &[]),
    ("rubygems", Ecosystem::RubyGems, &[]),
    ("semver", Ecosystem::Npm, &[("1.1.3.4.5 = 1.1.3.4.5", FIVE)]),
];

const ALPINE: &[(&str, &str)] = &[
    ("1-r = 1-r0", NO_APK),
    ("1-r-0 < 1-r0", NO_APK),
    ("1-r-1 < 1-r0", NO_APK),
    ("0.r1 < 0r2", NO_APK),
    ("0..1..0 < 0..1..1", NO_APK),
    ("0...1...0 < 0...1...1", NO_APK),
    ("0...1...0.r1 < 0...1...0.r2", NO_APK),
    ("0...1...0r1 < 0...1...0r2", NO_APK),
    ("0..8 = 0..8", NO_APK),
    ("0..8 > 0...8", NO_APK),
    ("0.8.21.r2 > 0.8.21.r1", NO_APK),
    ("10.2.24.r0 > 10.2.22.r0", NO_APK),
    ("0.8.21.r2 < 0.8.21r2", NO_APK),
    ("1.2.0A < 1.2.0d", NO_APK),
    ("1.2.0D < 1.2.0d", NO_APK),
    ("1-r2 > 1-r-1", NO_APK),
    ("1 > 1-ruff", NO_APK),
    ("1-r0-1 = 1-r-2", NO_APK),
    ("1-r0-1 = 1-r0-2", NO_APK),
    ("1-ruff2 = 1-ruff1", NO_APK),
    ("1-ruff2 = 1--ruff1", NO_APK),
    ("1-r0-ruff2 = 1-r0-ruff1", NO_APK),
    ("1.2 > 1.2_blah", NO_APK),
    ("1.2_svn1 > 1.2_csv2", NO_APK),
    ("1.2_cvs1 > 1.2_blah", NO_APK),
    (".1 < 1", NO_APK),
    ("1 > .1", NO_APK),
    (".2 > .1", NO_APK),
    ("a < b", NO_APK),
    ("c > b", NO_APK),
    ("c = c", NO_APK),
    ("23_foo > 4_beta", NO_APK),
    ("1.0 < 1.0bc", NO_APK),
];

const PACKAGIST: &[(&str, &str)] = &[
    ("1.0.0 > 1.0", FILLED),
    ("dev-foo < 1.26.0", BRANCH),
    ("1.26.0 > dev-foo", BRANCH),
    ("1.2.3.# = 1.2.3", NO_PHP),
    ("1.2.3.# = 1.2.3.#", NO_PHP),
    ("1.2.3.# = 1.2.3.1", NO_PHP),
    ("1.2.3.#.1 > 1.2.3", NO_PHP),
    ("1.2.3.#.p3 > 1.2.3", NO_PHP),
    ("1.2.3.#.beta < 1.2.3", NO_PHP),
];

/// The folder of the fixtures; a test without it says so.
pub(super) fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    #[expect(
        clippy::disallowed_methods,
        reason = "a test asks where the fixtures are"
    )]
    let set = std::env::var("RAMPART_VERSIONS_DIR").ok();
    let folder = root.join(set.unwrap_or_else(|| "../shared/data/versions".to_owned()));
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: RAMPART_VERSIONS_DIR names no fixtures of versions");
    None
}

/// The lines of a fixture that say something.
pub(super) fn lines(folder: &Path, name: &str) -> Vec<(String, Ordering, String)> {
    let path = folder.join(format!("{name}-versions.txt"));
    let text = std::fs::read_to_string(&path).unwrap();
    let says = |line: &&str| !line.is_empty() && !line.starts_with('#') && !line.starts_with("//");
    let lines = text.lines().map(str::trim).filter(says);
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [left, order, right] = words[..] else {
                panic!("`{line}` of {name} is no comparison");
            };
            let order = match order {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                ">" => Ordering::Greater,
                other => panic!("`{other}` is no order"),
            };
            (left.to_owned(), order, right.to_owned())
        })
        .collect()
}

fn sign(order: Ordering) -> char {
    match order {
        Ordering::Less => '<',
        Ordering::Equal => '=',
        Ordering::Greater => '>',
    }
}

#[test]
fn every_published_line_holds_in_both_directions_but_for_the_known_ones() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for (name, ecosystem, known) in SUITES {
        let (mut held, mut listed) = (0, Vec::new());
        for (left, order, right) in lines(&folder, name) {
            let line = format!("{left} {} {right}", sign(order));
            let there = compare(*ecosystem, &left, &right);
            let back = compare(*ecosystem, &right, &left);
            let holds = there == Ok(order) && back == Ok(order.reverse());
            match (holds, known.iter().any(|(known, _)| *known == line)) {
                (true, false) => held += 1,
                (false, true) => listed.push(line),
                (true, true) => wrong.push(format!("{name}: `{line}` holds now: take it off")),
                (false, false) => wrong.push(format!("{name}: `{line}`: {there:?}, {back:?}")),
            }
        }
        for (line, _) in *known {
            if !listed.iter().any(|found| found == line) {
                wrong.push(format!("{name}: no line says `{line}`"));
            }
        }
        println!("{name}: {held} lines hold, {} known not to", listed.len());
        assert!(held > 5, "{name}: hardly a line was read");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
