//! `rampart rescue`: ways back in for whoever is root on this machine. Each use is recorded.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::status::text;
use super::{Session, text_or};
use crate::{Exit, Failure};

/// `rampart rescue`.
#[derive(Clone, Debug, Subcommand)]
pub enum RescueCommand {
    /// Print a one-time enrolment link for a new administrator.
    Administrator(AdministratorArgs),
}

/// Arguments of `rampart rescue administrator`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart rescue administrator")]
pub struct AdministratorArgs {}

pub(super) fn run(command: &RescueCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let RescueCommand::Administrator(_) = command;
    let answer: Value = session
        .server()?
        .post("/rescue/administrator", &json!({}))?;
    session.printer.document("rampart.rescue.v1", &answer, || {
        format!(
            "{}\n\nthis link makes whoever opens it an administrator; it works once, until {}\n",
            text(&answer, "link"),
            text_or(&answer, "expires_at", "it is used")
        )
    });
    Ok(Exit::Ok)
}
