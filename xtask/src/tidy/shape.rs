//! How files are built: their length, how modules open, white space, and the README each strategy
//! brings.

use super::{File, Finding, Report, Tree, layers};

const REVIEW_LINES: usize = 500;
const FAIL_LINES: usize = 800;
const LIB_LINES: usize = 120;
/// All JavaScript together stays below this.
const SCRIPT_LINES: usize = 300;

pub(super) fn check(tree: &Tree, report: &mut Report) {
    for file in tree.select(File::is_rust) {
        length(file, report);
    }
    // A file of tests opens with its claims: the names of the tests.
    for file in tree.select(|file| file.is_rust() && !file.is_test()) {
        opening(file, &mut report.findings);
    }
    for file in tree.select(is_ours) {
        white_space(file, &mut report.findings);
    }
    scripts(tree, &mut report.findings);
    readmes(tree, &mut report.findings);
    foreign(tree, &mut report.findings);
}

fn length(file: &File, report: &mut Report) {
    let lines = file.text.lines().count();
    let finding = |what: String| Finding::file(&file.path, what);
    if lines > FAIL_LINES {
        report
            .findings
            .push(finding(format!("{lines} lines: {FAIL_LINES} are the most")));
    } else if lines > REVIEW_LINES {
        report.long.push(finding(format!("{lines} lines")));
    }
    let is_lib = file.path.starts_with("crates/") && file.path.ends_with("/src/lib.rs");
    if is_lib && lines > LIB_LINES {
        let what = format!("{lines} lines: a lib.rs has at most {LIB_LINES}");
        report.findings.push(finding(what));
    }
}

fn opening(file: &File, findings: &mut Vec<Finding>) {
    let first = file.text.lines().find(|line| !line.trim().is_empty());
    if !first.is_some_and(|line| line.starts_with("//! ")) {
        findings.push(Finding::line(
            &file.path,
            1,
            "a module opens with `//!`: what it is for, what it never does",
        ));
    }
}

/// Files whose bytes are written by us, not recorded.
fn is_ours(file: &File) -> bool {
    let recorded = ["testdata", "snapshots", "corpus"];
    !file.path.split('/').any(|part| recorded.contains(&part))
        && !matches!(file.name(), "LICENSE" | "Cargo.lock")
}

fn white_space(file: &File, findings: &mut Vec<Finding>) {
    for (at, line) in file.text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::line(
                &file.path,
                at + 1,
                "white space at the end of the line",
            ));
        }
    }
    if !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n")) {
        findings.push(Finding::file(
            &file.path,
            "a file ends with exactly one line feed",
        ));
    }
}

fn scripts(tree: &Tree, findings: &mut Vec<Finding>) {
    let script = |file: &File| file.path.ends_with(".js") || file.path.ends_with(".mjs");
    let lines: usize = tree
        .select(script)
        .map(|file| file.text.lines().count())
        .sum();
    if lines >= SCRIPT_LINES {
        let what = format!("{lines} lines of JavaScript in all: fewer than {SCRIPT_LINES}");
        findings.push(Finding::file("crates/console/assets", what));
    }
}

fn readmes(tree: &Tree, findings: &mut Vec<Finding>) {
    for strategy in layers::STRATEGIES {
        let folder = format!("crates/{strategy}/");
        let path = format!("{folder}README.md");
        let exists = tree.paths.iter().any(|path| path.starts_with(&folder));
        if exists && !tree.paths.contains(&path) {
            findings.push(Finding::file(
                &path,
                "every strategy says here what it defends against, what it does not, what it keeps",
            ));
        }
    }
}

/// SECURITY: nothing of others is copied in; what others wrote comes as a dependency, by name.
fn foreign(tree: &Tree, findings: &mut Vec<Finding>) {
    let foreign = |path: &&String| {
        path.ends_with(".min.js")
            || path.ends_with(".min.css")
            || path.ends_with(".wasm")
            || path.ends_with("package.json")
            || path
                .split('/')
                .any(|part| matches!(part, "node_modules" | "vendor" | "third_party"))
    };
    for path in tree.paths.iter().filter(foreign) {
        findings.push(Finding::file(path, "no third-party files in the tree"));
    }
}
