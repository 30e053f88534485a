//! `rampart trail export`: a copy that verifies without this machine.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Session, folder};
use crate::{Exit, Failure};

/// Arguments of `rampart trail export`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart trail export --to /mnt/audit/2026-03\n  \
    rampart trail verify --offline /mnt/audit/2026-03"
)]
pub struct ExportArgs {
    /// A new folder to write into.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

pub(super) fn run(args: &ExportArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let from = folder(session)?;
    let to = session.places.resolve(&args.to);
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
