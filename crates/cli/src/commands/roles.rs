//! `rampart roles`: who holds which role. What a role allows stands in the estate.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::status::text;
use super::{Session, items, named, owner_of, people, text_or};
use crate::client::escape;
use crate::output::Table;
use crate::{Exit, Failure};

/// `rampart roles`.
#[derive(Clone, Debug, Subcommand)]
pub enum RolesCommand {
    /// List who holds which role and is in which group.
    List(ListArgs),
    /// Give somebody a role, or put them into a group.
    Grant(BindingArgs),
    /// Take a role from somebody, or take them out of a group.
    Revoke(BindingArgs),
}

/// Arguments of `rampart roles list`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart roles list")]
pub struct ListArgs {}

/// Arguments of `rampart roles grant` and `revoke`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart roles grant ada support\n  \
    rampart roles grant ada --group staff\n  rampart roles revoke ada support")]
pub struct BindingArgs {
    /// Login, mail address or id.
    #[arg(value_name = "PERSON")]
    pub person: String,
    /// The role.
    #[arg(
        value_name = "ROLE",
        required_unless_present = "group",
        conflicts_with = "group"
    )]
    pub role: Option<String>,
    /// A group instead.
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
}

impl BindingArgs {
    fn what(&self) -> (&'static str, &str) {
        match (&self.role, &self.group) {
            (Some(role), _) => ("role", role),
            (None, Some(group)) => ("group", group),
            (None, None) => ("role", ""),
        }
    }
}

pub(super) fn run(command: &RolesCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match command {
        RolesCommand::List(_) => list(session),
        RolesCommand::Grant(args) => grant(args, session),
        RolesCommand::Revoke(args) => revoke(args, session),
    }
}

fn list(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let answer: Value = server.get("/bindings")?;
    let bindings = items(&answer, "bindings");
    let logins = people::logins(&server, session);
    session
        .printer
        .list("rampart.bindings.v1", "bindings", &bindings, || {
            let mut table =
                Table::new(&["person", "kind", "name", "created_at", "expires_at", "id"]);
            for binding in &bindings {
                let mut cells = vec![named(&logins, binding, "person")];
                let columns = ["kind", "name", "created_at", "expires_at", "id"];
                cells.extend(columns.map(|key| text_or(binding, key, "-")));
                table.row(cells);
            }
            table.render("nobody holds a role")
        });
    Ok(Exit::Ok)
}

fn grant(args: &BindingArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let id = people::find(&server, &args.person)?;
    let (kind, name) = args.what();
    let body = json!({ "person": id, "kind": kind, "name": name });
    let answer: Value = server.post("/bindings", &body)?;
    session
        .printer
        .document("rampart.binding.v1", &answer, || match kind {
            "group" => format!("{} is in `{name}`\n", args.person),
            _ => format!("{} holds `{name}`\n", args.person),
        });
    Ok(Exit::Ok)
}

fn revoke(args: &BindingArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let person = people::find(&server, &args.person)?;
    let (kind, name) = args.what();
    let answer: Value = server.get("/bindings")?;
    let held = items(&answer, "bindings").into_iter().find(|binding| {
        owner_of(binding, "person") == person
            && text(binding, "kind") == kind
            && text(binding, "name") == name
    });
    let Some(binding) = held else {
        return Err(
            Failure::failed(format!("{} does not have the {kind} `{name}`", args.person))
                .hint("`rampart roles list` lists who has what"),
        );
    };
    server.delete(&format!("/bindings/{}", escape(text(&binding, "id"))))?;
    session
        .printer
        .document("rampart.binding.v1", &binding, || match kind {
            "group" => format!("{} is no longer in `{name}`\n", args.person),
            _ => format!("{} no longer holds `{name}`\n", args.person),
        });
    Ok(Exit::Ok)
}
