//! `rampart roles`: who holds which role. What a role allows stands in the estate.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::status::text;
use super::{Session, items, people, text_or};
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
#[command(
    after_help = "EXAMPLES\n  rampart roles grant ada@shop.example support\n  \
    rampart roles grant ada@shop.example --group staff\n  rampart roles revoke ada@shop.example support"
)]
pub struct BindingArgs {
    /// Mail address or id.
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
    let answer: Value = session.server()?.get("/bindings")?;
    let bindings = items(&answer, "bindings");
    session
        .printer
        .list("rampart.bindings.v1", "bindings", &bindings, || {
            let columns = ["person", "kind", "name", "granted_at", "id"];
            let mut table = Table::new(&columns);
            for binding in &bindings {
                table.row(columns.map(|key| text_or(binding, key, "-")));
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
        text(binding, "person_id") == person
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
