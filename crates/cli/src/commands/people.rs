//! `rampart people`: who may sign in.

use std::collections::BTreeMap;

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
    /// Print a one-time link for new credentials in place of lost ones.
    Reissue(PersonArgs),
}

/// Arguments of `rampart people list`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart people list\n  rampart people list --format jsonl")]
pub struct ListArgs {}

/// Arguments of `rampart people invite`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart people invite ada --name 'Ada Lovelace' --email ada@shop.example --role support"
)]
pub struct InviteArgs {
    /// What they sign in with.
    pub login: String,
    /// How they are called [default: the login].
    #[arg(long)]
    pub name: Option<String>,
    /// Where they are reached.
    #[arg(long)]
    pub email: Option<String>,
    /// Roles they hold from the start.
    #[arg(long, value_name = "ROLE")]
    pub role: Vec<String>,
    /// Groups they are in from the start.
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
}

/// Arguments of `rampart people disable`, `enable` and `reissue`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart people disable ada\n  rampart people enable ada@shop.example"
)]
pub struct PersonArgs {
    /// Login, mail address or id.
    #[arg(value_name = "PERSON")]
    pub person: String,
}

pub(super) fn run(command: &PeopleCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match command {
        PeopleCommand::List(_) => list(session),
        PeopleCommand::Invite(args) => invite(args, session),
        PeopleCommand::Disable(args) => switch(args, "disable", session),
        PeopleCommand::Enable(args) => switch(args, "enable", session),
        PeopleCommand::Reissue(args) => reissue(args, session),
    }
}

fn list(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let answer: Value = session.server()?.get("/people")?;
    let people = items(&answer, "people");
    session
        .printer
        .list("rampart.people.v1", "people", &people, || {
            let columns = ["login", "name", "state", "email", "id"];
            let mut table = Table::new(&columns);
            for person in &people {
                table.row(columns.map(|key| text_or(person, key, "-")));
            }
            table.render("nobody yet; `rampart people invite` invites the first")
        });
    Ok(Exit::Ok)
}

fn invite(args: &InviteArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let mut body = json!({
        "login": args.login,
        "name": args.name.as_ref().unwrap_or(&args.login),
        "roles": args.role,
        "groups": args.group,
    });
    if let (Some(email), Some(fields)) = (&args.email, body.as_object_mut()) {
        fields.insert("email".to_owned(), json!(email));
    }
    let answer: Value = session.server()?.post("/people", &body)?;
    let about = format!("give it to {} and nobody else", args.login);
    session
        .printer
        .document("rampart.invitation.v1", &answer, || {
            invitation(&answer, &about)
        });
    Ok(Exit::Ok)
}

fn reissue(args: &PersonArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let id = find(&server, &args.person)?;
    let answer: Value = server.post(&format!("/people/{}/reissue", escape(&id)), &json!({}))?;
    let about = format!("it replaces what {} signs in with", args.person);
    session
        .printer
        .document("rampart.invitation.v1", &answer, || {
            invitation(&answer, &about)
        });
    Ok(Exit::Ok)
}

/// A one-time link and what to know about it.
pub(super) fn invitation(answer: &Value, about: &str) -> String {
    let link = match text(answer, "link") {
        "" => format!("{} (on the console's host)", text(answer, "path")),
        link => link.to_owned(),
    };
    let until = text_or(answer, "expires_at", "it is used");
    format!("{link}\n\nthis link works once, until {until}; {about}\n")
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
        .filter(|person| {
            let is = |key| text(person, key).eq_ignore_ascii_case(meant);
            is("login") || is("email")
        })
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

/// Logins by id, so that tables name people as people do. Whoever may not read people sees ids.
pub(super) fn logins(server: &Server, session: &Session<'_>) -> BTreeMap<String, String> {
    if !session.printer.is_human() {
        return BTreeMap::new();
    }
    let answer: Value = server.get("/people").unwrap_or_default();
    let one = |person: &Value| {
        (
            text(person, "id").to_owned(),
            text(person, "login").to_owned(),
        )
    };
    items(&answer, "people").iter().map(one).collect()
}
