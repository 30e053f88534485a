//! `rampart rescue`: ways back in for whoever is root on this machine. Each use is recorded.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Session, people};
use crate::{Exit, Failure};

/// `rampart rescue`.
#[derive(Clone, Debug, Subcommand)]
pub enum RescueCommand {
    /// Print a one-time enrolment link for a new administrator.
    Administrator(AdministratorArgs),
}

/// Arguments of `rampart rescue administrator`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart rescue administrator\n  rampart rescue administrator --login ada"
)]
pub struct AdministratorArgs {
    /// Make this person one, with new credentials, instead of a new one.
    #[arg(long)]
    pub login: Option<String>,
}

pub(super) fn run(command: &RescueCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let RescueCommand::Administrator(args) = command;
    let body = match &args.login {
        Some(login) => json!({ "login": login }),
        None => json!({}),
    };
    let answer: Value = session.server()?.post("/rescue/administrator", &body)?;
    session.printer.document("rampart.rescue.v1", &answer, || {
        people::invitation(&answer, "whoever opens it becomes an administrator")
    });
    Ok(Exit::Ok)
}
