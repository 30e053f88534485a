//! `rampart trail verify`: believes nothing but what it is given.

use std::path::PathBuf;

use clap::Args;
use merkle::{SignedCheckpoint, VerifyingKey};
use serde_json::json;
use trail::verify::{Report, Trusted, verify};

use super::{Session, folder};
use crate::output::{Paint, clean};
use crate::paths::read_text;
use crate::{Exit, Failure};

/// Arguments of `rampart trail verify`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart trail verify\n  \
    rampart trail verify --offline export/ --key acme+0123abcd+BASE64 --since kept.checkpoint")]
pub struct VerifyArgs {
    /// Verify this folder, an export or a copy, instead of the data folder's trail.
    #[arg(long, value_name = "DIR")]
    pub offline: Option<PathBuf>,
    /// The key that signs checkpoints, from somewhere else: `name+hash+base64`.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// File with a checkpoint kept somewhere else: everything up to it must still be there.
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
}

pub(super) fn run(args: &VerifyArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let dir = match &args.offline {
        Some(dir) => session.places.resolve(dir),
        None => folder(session)?,
    };
    let trusted = Trusted {
        key: args.key.as_deref().map(key).transpose()?,
        since: match &args.since {
            Some(file) => checkpoints(&session.places.resolve(file))?,
            None => Vec::new(),
        },
        remembered: remembered(args, session),
    };
    let report = verify(&dir, &trusted).map_err(|error| {
        Failure::because(
            Exit::Failed,
            format!("cannot verify `{}`", dir.display()),
            &error,
        )
    })?;
    let intact = report.is_intact();
    let result = if intact { "intact" } else { "not_intact" };
    let mut document = serde_json::to_value(&report).unwrap_or_default();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("folder".to_owned(), json!(dir.display().to_string()));
        fields.insert("result".to_owned(), json!(result));
    }
    let text = human(session, &report);
    session
        .printer
        .document("rampart.trail-verify.v1", &document, || text);
    Ok(if intact { Exit::Ok } else { Exit::No })
}

/// What the running server remembers, asked before the folder is read; nothing when none runs
/// here, or when the folder is not its own.
fn remembered(args: &VerifyArgs, session: &Session<'_>) -> Option<SignedCheckpoint> {
    if args.offline.is_some() {
        return None;
    }
    let answer: serde_json::Value = session.server().ok()?.get("/trail/checkpoint").ok()?;
    answer.get("checkpoint")?.as_str()?.parse().ok()
}

fn key(text: &str) -> Result<VerifyingKey, Failure> {
    text.trim().parse().map_err(|error: merkle::KeyError| {
        Failure::because(Exit::Usage, "`--key` is not a verification key", &error)
            .hint("`rampart trail checkpoint --key` prints it")
    })
}

/// One checkpoint, or the history that `[trail] checkpoints` keeps outside.
fn checkpoints(path: &std::path::Path) -> Result<Vec<SignedCheckpoint>, Failure> {
    let text = read_text(path)?;
    trail::read_checkpoints(&text).map_err(|error| {
        let message = format!("`{}` holds no checkpoint", path.display());
        Failure::because(Exit::Usage, message, &error).hint("`rampart trail checkpoint` prints one")
    })
}

fn human(session: &Session<'_>, report: &Report) -> String {
    let mut text = if report.is_intact() {
        let word = session.printer.paint(Paint::Good, "consistent");
        format!("{word}: {} entries, root {}\n", report.entries, report.root)
    } else {
        let word = session.printer.paint(Paint::Bad, "not consistent");
        format!("{word}: {} entries could be read\n", report.entries)
    };
    for fault in &report.faults {
        let entry = fault
            .entry
            .map_or_else(String::new, |entry| format!("entry {entry}: "));
        let file = fault
            .file
            .as_ref()
            .map_or_else(String::new, |file| format!(" ({}", file.display()));
        let offset = match (fault.offset, file.is_empty()) {
            (Some(offset), false) => format!(", byte {offset})"),
            (None, false) => ")".to_owned(),
            (_, true) => String::new(),
        };
        text.push_str(&format!("  {entry}{}{file}{offset}\n", fault.what));
    }
    if report.signed < report.entries {
        let rest = report.entries - report.signed;
        text.push_str(&format!("{rest} newest entries are not signed for yet\n"));
    }
    if report.erased > 0 {
        text.push_str(&format!(
            "{} payloads were erased; their places are proven\n",
            report.erased
        ));
    }
    if report.unfinished_bytes > 0 {
        text.push_str(&format!(
            "{} bytes behind the last entry were never acknowledged\n",
            report.unfinished_bytes
        ));
    }
    for what in &report.not_excluded {
        text.push_str(&format!("not excluded: {what}\n"));
    }
    clean_keeping_paint(&text)
}

/// Paths and faults can hold anything; the escape sequences of our own colours stay.
fn clean_keeping_paint(text: &str) -> String {
    text.split('\u{1b}')
        .map(clean)
        .collect::<Vec<_>>()
        .join("\u{1b}")
}
