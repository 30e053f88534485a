//! `cargo xtask tidy`: the rules of CONTRIBUTING.md that a program can check, each in a file of
//! its own. It reads, and changes nothing.

mod layers;
mod links;
mod shape;
mod templates;
mod tree;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use crate::chores::{Exit, say};
use crate::generate;
pub(crate) use tree::{File, Tree};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    /// About a whole file.
    pub(crate) fn file(path: &str, what: impl Into<String>) -> Self {
        Self::line(path, 0, what)
    }

    /// About one line, counted from one.
    pub(crate) fn line(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.path, self.what)
        } else {
            write!(f, "{}:{}: {}", self.path, self.line, self.what)
        }
    }
}

/// What was found, and what is only worth a look.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Rules that are broken.
    pub(crate) findings: Vec<Finding>,
    /// Files long enough to be reviewed for splitting.
    pub(crate) long: Vec<Finding>,
    /// How many files were read.
    pub(crate) files: usize,
}

/// Runs the chore and prints its findings.
pub(crate) fn run(root: &Path) -> anyhow::Result<Exit> {
    let report = check(root)?;
    for finding in &report.long {
        say(&format!("review: {finding}"));
    }
    for finding in &report.findings {
        say(&format!("tidy: {finding}"));
    }
    let count = report.findings.len();
    say(&format!("tidy: {} files, {count} findings", report.files));
    Ok(if count == 0 { Exit::Fine } else { Exit::No })
}

/// Checks the tree below `root`.
pub(crate) fn check(root: &Path) -> anyhow::Result<Report> {
    let tree = Tree::read(root)?;
    let mut report = Report {
        files: tree.files.len(),
        ..Report::default()
    };
    shape::check(&tree, &mut report);
    layers::check(&tree, &mut report.findings);
    words::check(&tree, &mut report.findings);
    templates::check(&tree, &mut report.findings);
    links::check(&tree, &mut report.findings);
    for stale in generate::stale(root)? {
        report.findings.push(Finding::file(
            &stale,
            "is not what the program says today: run `cargo xtask gen`",
        ));
    }
    report.findings.sort();
    Ok(report)
}
