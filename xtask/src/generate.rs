//! `cargo xtask gen`: the reference that the program itself can write. Committed, and compared by
//! `tidy`, so that it never lies.

use std::path::Path;

use anyhow::Context as _;

use crate::chores::{Exit, say};
use crate::commands;

/// What to do with what differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write it.
    Write,
    /// Only say it.
    Check,
}

/// Runs the chore.
pub(crate) fn run(root: &Path, mode: Mode) -> anyhow::Result<Exit> {
    let stale = stale(root)?;
    match mode {
        Mode::Check => {
            for path in &stale {
                say(&format!("stale: {path}"));
            }
            Ok(if stale.is_empty() {
                Exit::Fine
            } else {
                Exit::No
            })
        }
        Mode::Write => {
            for (path, text) in pages()?
                .iter()
                .filter(|(path, _)| stale.contains(&(*path).to_owned()))
            {
                write(&root.join(path), text)?;
                say(&format!("wrote {path}"));
            }
            Ok(Exit::Fine)
        }
    }
}

/// The generated files that are missing or say something else than the program.
pub(crate) fn stale(root: &Path) -> anyhow::Result<Vec<String>> {
    let differs = |path: &str, text: &str| {
        std::fs::read_to_string(root.join(path)).map_or(true, |found| found != text)
    };
    let pages = pages()?;
    let stale = pages.iter().filter(|(path, text)| differs(path, text));
    Ok(stale.map(|(path, _)| (*path).to_owned()).collect())
}

/// Every generated file: its path and what it says today.
fn pages() -> anyhow::Result<Vec<(&'static str, String)>> {
    let schema =
        serde_json::to_string_pretty(&estate::schema()).context("the schema is no JSON")?;
    Ok(vec![
        (
            "docs/reference/cli.md",
            one_line_feed(&commands::markdown()),
        ),
        (
            "docs/reference/estate.md",
            one_line_feed(&estate::reference_markdown()),
        ),
        ("docs/reference/estate.schema.json", one_line_feed(&schema)),
    ])
}

fn one_line_feed(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n"))
}

/// Writes a file of the project; only people's checkouts are written, so no crash matters.
#[expect(
    clippy::disallowed_methods,
    reason = "a file of a checkout: git keeps the one before"
)]
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
