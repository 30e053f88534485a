//! `rampart people`: who may sign in.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Session;
use super::status::text;
use super::{items, text_or};
use crate::client::{Server, escape};
use crate::output::Table;
use crate::{Exit, Failure};

/// `rampart people`.
#[derive(Clone, Debug, Subcommand)]
pub enum PeopleCommand {
    /// List people.
    List(ListArgs),
    /// Invite somebody; prints their one-time enrolment link.
    Invite(InviteArgs),
    /// Stop somebody from signing in, and end their sessions and keys.
    Disable(PersonArgs),
    /// Let somebody sign in again.
    Enable(PersonArgs),
}

/// Arguments of `rampart people list`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart people list\n  rampart people list --format jsonl")]
pub struct ListArgs {}

/// Arguments of `rampart people invite`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart people invite ada@shop.example --name 'Ada Lovelace' --role support"
)]
pub struct InviteArgs {
    /// Their mail address.
    pub email: String,
    /// How they are called [default: the mail address].
    #[arg(long)]
    pub name: Option<String>,
    /// Roles they hold from the start.
    #[arg(long, value_name = "ROLE")]
    pub role: Vec<String>,
    /// Groups they are in from the start.
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
}

/// Arguments of `rampart people disable` and `enable`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart people disable ada@shop.example\n  rampart people enable ada@shop.example"
)]
pub struct PersonArgs {
    /// Mail address or id.
    #[arg(value_name = "PERSON")]
    pub person: String,
}

pub(super) fn run(command: &PeopleCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match command {
        PeopleCommand::List(_) => list(session),
        PeopleCommand::Invite(args) => invite(args, session),
        PeopleCommand::Disable(args) => switch(args, "disable", session),
        PeopleCommand::Enable(args) => switch(args, "enable", session),
    }
}

fn list(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let answer: Value = session.server()?.get("/people")?;
    let people = items(&answer, "people");
    session
        .printer
        .list("rampart.people.v1", "people", &people, || {
            let columns = ["email", "name", "state", "roles", "groups", "id"];
            let mut table = Table::new(&columns);
            for person in &people {
                table.row(columns.map(|key| text_or(person, key, "-")));
            }
            table.render("nobody yet; `rampart people invite` invites the first")
        });
    Ok(Exit::Ok)
}

fn invite(args: &InviteArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let body = json!({
        "email": args.email,
        "name": args.name.as_ref().unwrap_or(&args.email),
        "roles": args.role,
        "groups": args.group,
    });
    let answer: Value = session.server()?.post("/people", &body)?;
    session
        .printer
        .document("rampart.invitation.v1", &answer, || {
            format!(
                "{}\n\nthis link works once, until {}; give it to {} and nobody else\n",
                text(&answer, "link"),
                text_or(&answer, "expires_at", "it is used"),
                args.email
            )
        });
    Ok(Exit::Ok)
}

fn switch(args: &PersonArgs, verb: &str, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let id = find(&server, &args.person)?;
    let _: Value = server.post(&format!("/people/{}/{verb}", escape(&id)), &json!({}))?;
    let schema = "rampart.person-state.v1";
    session.printer.document(
        schema,
        &json!({ "id": id, "state": format!("{verb}d") }),
        || format!("{} is {verb}d\n", args.person),
    );
    Ok(Exit::Ok)
}

/// The id of the one person who is meant.
pub(super) fn find(server: &Server, meant: &str) -> Result<String, Failure> {
    if meant.parse::<model::PersonId>().is_ok() {
        return Ok(meant.to_owned());
    }
    let answer: Value = server.get("/people")?;
    let found: Vec<String> = items(&answer, "people")
        .iter()
        .filter(|person| text(person, "email").eq_ignore_ascii_case(meant))
        .map(|person| text(person, "id").to_owned())
        .collect();
    match found.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(Failure::failed(format!("there is nobody `{meant}`"))
            .hint("`rampart people list` lists everybody")),
        _ => Err(
            Failure::failed(format!("`{meant}` is more than one person"))
                .hint("name the one you mean by id"),
        ),
    }
}
