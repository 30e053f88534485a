//! `rampart apply`: plan, show, ask, then put the estate file into force. A plan that was
//! overtaken by another version or another text of the file is refused by the server.

use std::io::BufRead as _;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Session, check, plan};
use crate::{Exit, Failure};

/// Arguments of `rampart apply`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart apply\n  rampart apply --yes --format json")]
pub struct ApplyArgs {
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Version {
    number: u64,
    hash: String,
    applied_at: String,
}

pub(super) fn run(args: &ApplyArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let file = check::checked(session)?;
    let server = session.server()?;
    let plan = plan::ask(&server, &file)?;
    if session.printer.is_human() {
        let text = plan::text(session.printer, &plan);
        session.printer.document("rampart.plan.v1", &plan, || text);
    }
    if !args.yes && !plan.changes.is_empty() {
        confirm(session)?;
    }
    let mut fields = serde_json::Map::new();
    fields.insert("base".to_owned(), json!(plan.base));
    fields.insert("hash".to_owned(), json!(plan.hash));
    let version: Version = server.post("/estate/apply", &file.body(fields))?;
    let document = json!({
        "version": version.number,
        "hash": version.hash,
        "applied_at": version.applied_at,
        "changes": plan.changes,
    });
    session.printer.document("rampart.apply.v1", &document, || {
        if version.number == plan.base {
            format!("version {} is in force already\n", version.number)
        } else {
            format!("version {} is in force\n", version.number)
        }
    });
    Ok(Exit::Ok)
}

/// Nothing but a typed `yes` is consent.
fn confirm(session: &mut Session<'_>) -> Result<(), Failure> {
    if !session.places.input.is_terminal {
        return Err(Failure::usage("nobody is there to confirm the change")
            .hint("look at `rampart plan`, then run `rampart apply --yes`"));
    }
    session.printer.ask("apply this? type `yes`: ");
    let mut answer = String::new();
    let read = session.places.input.lines.read_line(&mut answer);
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        Ok(_) => Err(Failure::new(
            Exit::No,
            "not confirmed, so nothing was applied",
        )),
        Err(error) => Err(Failure::because(
            Exit::Failed,
            "cannot read the answer",
            &error,
        )),
    }
}
