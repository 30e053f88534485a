//! `rampart trail`: the record of everything.

pub mod checkpoint;
pub mod export;
pub mod search;
pub mod tail;
pub mod verify;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;

use super::Session;
use super::status::text;
use crate::{Exit, Failure};

/// `rampart trail`.
#[derive(Clone, Debug, Subcommand)]
pub enum TrailCommand {
    /// Prove that nothing was changed, removed or reordered.
    Verify(verify::VerifyArgs),
    /// Copy the trail with its proofs into a folder that can be verified anywhere.
    Export(export::ExportArgs),
    /// Print records as they come.
    Tail(tail::TailArgs),
    /// Search the records, newest first.
    Search(search::SearchArgs),
    /// Print the newest signed checkpoint, to keep somewhere else.
    Checkpoint(checkpoint::CheckpointArgs),
}

pub(super) fn run(command: &TrailCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match command {
        TrailCommand::Verify(args) => verify::run(args, session),
        TrailCommand::Export(args) => export::run(args, session),
        TrailCommand::Tail(args) => tail::run(args, session),
        TrailCommand::Search(args) => search::run(args, session),
        TrailCommand::Checkpoint(args) => checkpoint::run(args, session),
    }
}

/// The trail's folder of the chosen data folder.
fn folder(session: &Session<'_>) -> Result<PathBuf, Failure> {
    let folder = session
        .places
        .data(session.global.data.as_deref())?
        .join("trail");
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(
        Failure::usage(format!("there is no trail at `{}`", folder.display()))
            .hint("name the data folder with `--data DIR`"),
    )
}

/// A record in one line.
fn line(record: &Value) -> String {
    let event = record.get("event").unwrap_or(&Value::Null);
    let actor = event.get("actor").unwrap_or(&Value::Null);
    let index = record.get("index").and_then(Value::as_u64);
    let index = index.map_or_else(String::new, |index| index.to_string());
    let text = format!(
        "{} {index:>6} {:<8} {:<7} {} {} {}",
        text(event, "time"),
        text(event, "severity"),
        text(event, "outcome"),
        text(event, "kind"),
        text(actor, "name"),
        text(event, "message"),
    );
    crate::output::clean(&text).replace('\n', " ")
}

#[cfg(test)]
mod tests;
