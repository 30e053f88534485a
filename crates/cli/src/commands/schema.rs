//! `rampart schema`: the JSON Schema of the estate file.

use clap::Args;

use super::Session;
use crate::{Exit, Failure};

/// Arguments of `rampart schema`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart schema > rampart.schema.json")]
pub struct SchemaArgs {}

/// The schema is a format of its own, so it is the same in every `--format`.
pub(super) fn run(_: &SchemaArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let text = serde_json::to_string_pretty(&estate::schema())
        .map_err(|error| Failure::because(Exit::Failed, "cannot write the schema", &error))?;
    session.printer.raw(&format!("{text}\n"));
    Ok(Exit::Ok)
}
