//! `rampart trail export`: a copy that verifies without this machine.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Session, folder};
use crate::{Exit, Failure};

/// Arguments of `rampart trail export`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart trail export /mnt/audit/2026-03\n  \
    rampart trail verify --offline /mnt/audit/2026-03")]
pub struct ExportArgs {
    /// A new folder to write into.
    #[arg(value_name = "DIR", required_unless_present = "to")]
    pub folder: Option<PathBuf>,
    /// The same, by name.
    #[arg(long, value_name = "DIR", conflicts_with = "folder")]
    pub to: Option<PathBuf>,
}

pub(super) fn run(args: &ExportArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let from = folder(session)?;
    let chosen = args.folder.as_ref().or(args.to.as_ref());
    let to = chosen.ok_or_else(|| Failure::usage("an export needs a folder to write into"))?;
    let to = session.places.resolve(to);
    let shown = to.display().to_string();
    if to
        .read_dir()
        .is_ok_and(|mut inside| inside.next().is_some())
    {
        return Err(Failure::usage(format!("`{shown}` is not empty"))
            .hint("an export gets a folder of its own"));
    }
    let exported = trail::export(&from, &to).map_err(|error| {
        Failure::because(
            Exit::Failed,
            format!("cannot export into `{shown}`"),
            &error,
        )
    })?;
    let document = json!({
        "folder": shown,
        "events": exported.events,
        "segments": exported.segments,
    });
    session
        .printer
        .document("rampart.trail-export.v1", &document, || {
            format!(
                "wrote {} events and {} segments into {shown}\n\nanyone can check them: \
             rampart trail verify --offline {shown}\n",
                exported.events, exported.segments
            )
        });
    Ok(Exit::Ok)
}
