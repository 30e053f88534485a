//! `rampart sessions`: who is signed in.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Session, items, named, people, text_or};
use crate::client::escape;
use crate::output::Table;
use crate::{Exit, Failure};

/// `rampart sessions`.
#[derive(Clone, Debug, Subcommand)]
pub enum SessionsCommand {
    /// List open sessions.
    List(ListArgs),
    /// End a session at once.
    Revoke(RevokeArgs),
}

/// Arguments of `rampart sessions list`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart sessions list")]
pub struct ListArgs {}

/// Arguments of `rampart sessions revoke`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart sessions revoke ses_01J8Z3V5Q0R7M2X4N6B8C0D1E2")]
pub struct RevokeArgs {
    /// The session's id.
    pub id: model::SessionId,
}

pub(super) fn run(command: &SessionsCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match command {
        SessionsCommand::List(_) => list(session),
        SessionsCommand::Revoke(args) => revoke(args, session),
    }
}

fn list(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let answer: Value = server.get("/sessions")?;
    let sessions = items(&answer, "sessions");
    let logins = people::logins(&server, session);
    session
        .printer
        .list("rampart.sessions.v1", "sessions", &sessions, || {
            let columns = [
                "host",
                "created_at",
                "seen_at",
                "absolute_at",
                "address",
                "id",
            ];
            let mut table =
                Table::new(&["person", "host", "since", "seen", "until", "address", "id"]);
            for session in &sessions {
                let mut cells = vec![named(&logins, session, "person")];
                cells.extend(columns.map(|key| text_or(session, key, "-")));
                table.row(cells);
            }
            table.render("nobody is signed in")
        });
    Ok(Exit::Ok)
}

fn revoke(args: &RevokeArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let id = args.id.to_string();
    session
        .server()?
        .delete(&format!("/sessions/{}", escape(&id)))?;
    session
        .printer
        .document("rampart.session-revoked.v1", &json!({ "id": id }), || {
            format!("{id} is ended\n")
        });
    Ok(Exit::Ok)
}
