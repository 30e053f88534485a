//! `rampart trail checkpoint`: the newest signed statement about the whole trail.

use clap::Args;
use serde_json::Value;

use super::Session;
use crate::commands::status::text;
use crate::{Exit, Failure};

/// Arguments of `rampart trail checkpoint`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart trail checkpoint > /mnt/elsewhere/kept.checkpoint\n  \
    rampart trail checkpoint --key > /mnt/elsewhere/rampart.key"
)]
pub struct CheckpointArgs {
    /// Print the key that verifies checkpoints instead.
    #[arg(long)]
    pub key: bool,
}

pub(super) fn run(args: &CheckpointArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let answer: Value = session.server()?.get("/trail/checkpoint")?;
    session
        .printer
        .document("rampart.checkpoint.v1", &answer, || {
            if args.key {
                format!("{}\n", text(&answer, "key"))
            } else {
                text(&answer, "checkpoint").to_owned()
            }
        });
    Ok(Exit::Ok)
}
