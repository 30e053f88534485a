//! `rampart plan`: what applying the estate file would change. Changes nothing.

use clap::Args;
use estate::{Change, ChangeKind};
use serde::{Deserialize, Serialize};

use super::{Session, check};
use crate::client::Server;
use crate::output::{Paint, clean};
use crate::paths::ConfigFile;
use crate::{Exit, Failure, Printer};

/// Arguments of `rampart plan`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart plan\n  rampart plan --exit-code || echo \"something would change\""
)]
pub struct PlanArgs {
    /// End with 1 when something would change.
    #[arg(long)]
    pub exit_code: bool,
}

/// What the server answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The applied version it was made against.
    pub(super) base: u64,
    /// Digest of the file it was made for.
    pub(super) hash: String,
    pub(super) changes: Vec<Change>,
}

pub(super) fn run(args: &PlanArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let file = check::checked(session)?;
    let plan = ask(&session.server()?, &file)?;
    show(session.printer, &plan);
    let exit = if args.exit_code && !plan.changes.is_empty() {
        Exit::No
    } else {
        Exit::Ok
    };
    Ok(exit)
}

pub(super) fn ask(server: &Server, file: &ConfigFile) -> Result<Plan, Failure> {
    server.post("/estate/plan", &file.body(serde_json::Map::new()))
}

fn show(printer: &mut Printer, plan: &Plan) {
    let text = text(printer, plan);
    printer.document("rampart.plan.v1", plan, || text);
}

/// A plan for people.
pub(super) fn text(printer: &Printer, plan: &Plan) -> String {
    if plan.changes.is_empty() {
        return format!("nothing would change; version {} stays\n", plan.base);
    }
    let mut text = String::new();
    for change in &plan.changes {
        let (sign, paint) = match change.kind {
            ChangeKind::Added => ("+", Paint::Good),
            ChangeKind::Removed => ("-", Paint::Bad),
            ChangeKind::Changed => ("~", Paint::Care),
        };
        let title = format!("{sign} {}", clean(&change.what));
        text.push_str(&printer.paint(paint, &title));
        text.push('\n');
        for line in &change.detail {
            text.push_str(&format!("    {}\n", clean(line)));
        }
        text.push_str(&format!("  → {}\n", clean(&change.effect)));
    }
    let of = |kind: ChangeKind| {
        plan.changes
            .iter()
            .filter(|change| change.kind == kind)
            .count()
    };
    text.push_str(&format!(
        "\nagainst version {}: {} added, {} changed, {} removed\n",
        plan.base,
        of(ChangeKind::Added),
        of(ChangeKind::Changed),
        of(ChangeKind::Removed)
    ));
    text
}
