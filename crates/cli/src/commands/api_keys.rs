//! `rampart api-keys`: keys of programs. A key never may more than its owner.

use clap::{Args, Subcommand};
use model::{Network, Permission, parse_duration};
use serde_json::{Value, json};

use super::status::text;
use super::{Session, items, named, people, text_or};
use crate::client::{Server, escape};
use crate::output::Table;
use crate::{Exit, Failure};

/// LIMIT: pages that are listed, of 200 keys each.
const PAGES_MAX: usize = 500;

/// `rampart api-keys`.
#[derive(Clone, Debug, Subcommand)]
pub enum ApiKeysCommand {
    /// List keys; their secrets are not kept.
    List(ListArgs),
    /// Make a key and print it this once.
    Create(CreateArgs),
    /// End a key at once.
    Revoke(RevokeArgs),
}

/// Arguments of `rampart api-keys list`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart api-keys list")]
pub struct ListArgs {}

/// Arguments of `rampart api-keys create`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart api-keys create ci --owner ada --allow orders:read\n  \
    rampart api-keys create nightly --owner ada --allow 'stock:*' --for 30d --from 10.0.0.0/8"
)]
pub struct CreateArgs {
    /// What it is for.
    pub name: String,
    /// Whose key it is, when not the caller's own: login, mail address or id.
    #[arg(long, value_name = "PERSON")]
    pub owner: Option<String>,
    /// What it may do, within what its owner may.
    #[arg(long, value_name = "PERMISSION", required = true)]
    pub allow: Vec<Permission>,
    /// For how long it works.
    #[arg(long = "for", value_name = "DURATION", default_value = "90d", value_parser = parse_duration)]
    pub duration: std::time::Duration,
    /// Only from these addresses.
    #[arg(long, value_name = "ADDRESS")]
    pub from: Vec<Network>,
}

/// Arguments of `rampart api-keys revoke`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart api-keys revoke key_01J8Z3V5Q0R7M2X4N6B8C0D1E2")]
pub struct RevokeArgs {
    /// The key's id.
    pub id: model::ApiKeyId,
}

pub(super) fn run(command: &ApiKeysCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match command {
        ApiKeysCommand::List(_) => list(session),
        ApiKeysCommand::Create(args) => create(args, session),
        ApiKeysCommand::Revoke(args) => revoke(args, session),
    }
}

fn list(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let (keys, next) = all(&server)?;
    let logins = people::logins(&server, session);
    session
        .printer
        .list("rampart.api-keys.v1", "keys", &keys, || {
            let columns = ["prefix", "permissions", "expires_at", "revoked_at", "id"];
            let mut table = Table::new(&[
                "name",
                "owner",
                "prefix",
                "permissions",
                "ends",
                "revoked",
                "id",
            ]);
            for key in &keys {
                let mut cells = vec![text_or(key, "name", "-"), named(&logins, key, "owner")];
                cells.extend(columns.map(|column| text_or(key, column, "-")));
                table.row(cells);
            }
            table.render("there is no key")
        });
    if let Some(next) = next {
        session.printer.note(&format!(
            "there are older ones than {next}, which are not shown"
        ));
    }
    Ok(Exit::Ok)
}

/// Every key, page by page, and the last one shown when there are more.
fn all(server: &Server) -> Result<(Vec<Value>, Option<String>), Failure> {
    let (mut keys, mut next) = (Vec::new(), None::<String>);
    for _ in 0..PAGES_MAX {
        let path = match &next {
            None => "/api-keys".to_owned(),
            Some(before) => format!("/api-keys?before={}", escape(before)),
        };
        let answer: Value = server.get(&path)?;
        keys.extend(items(&answer, "keys"));
        next = Some(text(&answer, "next").to_owned()).filter(|next| !next.is_empty());
        if next.is_none() {
            break;
        }
    }
    Ok((keys, next))
}

fn create(args: &CreateArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let expires_at = session.places.clock.now().after(args.duration);
    let mut body = json!({
        "name": args.name,
        "permissions": args.allow,
        "networks": args.from,
        "expires_at": expires_at,
    });
    if let (Some(owner), Some(fields)) = (&args.owner, body.as_object_mut()) {
        fields.insert("owner".to_owned(), json!(people::find(&server, owner)?));
    }
    let answer: Value = server.post("/api-keys", &body)?;
    session.printer.document("rampart.api-key.v1", &answer, || {
        format!("{}\n", text(&answer, "text"))
    });
    session
        .printer
        .note("this is shown only now; whoever has it can use it");
    Ok(Exit::Ok)
}

fn revoke(args: &RevokeArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let id = args.id.to_string();
    session
        .server()?
        .delete(&format!("/api-keys/{}", escape(&id)))?;
    session
        .printer
        .document("rampart.api-key-revoked.v1", &json!({ "id": id }), || {
            format!("{id} no longer works\n")
        });
    Ok(Exit::Ok)
}
