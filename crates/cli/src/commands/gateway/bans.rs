//! `rampart gateway bans`, `ban`, `unban`: addresses refused before anything else is looked at.

use clap::Args;
use model::{Network, format_duration, parse_duration};
use serde_json::{Value, json};

use super::Session;
use crate::client::escape;
use crate::commands::status::text;
use crate::commands::{items, text_or};
use crate::output::Table;
use crate::{Exit, Failure};

/// Arguments of `rampart gateway bans`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart gateway bans")]
pub struct BansArgs {}

/// Arguments of `rampart gateway ban`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart gateway ban 203.0.113.9\n  \
    rampart gateway ban 198.51.100.0/24 --for 7d --reason 'password guessing'")]
pub struct BanArgs {
    /// Address or range.
    #[arg(value_name = "ADDRESS")]
    pub network: Network,
    /// For how long.
    #[arg(long = "for", value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
    pub duration: std::time::Duration,
    /// Why, for people.
    #[arg(long, default_value = "by hand")]
    pub reason: String,
}

/// Arguments of `rampart gateway unban`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart gateway unban 203.0.113.9")]
pub struct UnbanArgs {
    /// The ban's id, or the address or range it is for.
    #[arg(value_name = "BAN")]
    pub ban: String,
}

pub(super) fn list(_: &BansArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let answer: Value = session.server()?.get("/gateway/bans")?;
    let bans = items(&answer, "bans");
    session.printer.list("rampart.bans.v1", "bans", &bans, || {
        let columns = ["network", "until", "reason", "id"];
        let mut table = Table::new(&columns);
        for ban in &bans {
            table.row(columns.map(|key| text_or(ban, key, "-")));
        }
        table.render("nobody is banned")
    });
    Ok(Exit::Ok)
}

pub(super) fn ban(args: &BanArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let body = json!({
        "network": args.network,
        "for": format_duration(args.duration),
        "reason": args.reason,
    });
    let answer: Value = session.server()?.post("/gateway/bans", &body)?;
    session.printer.document("rampart.ban.v1", &answer, || {
        format!(
            "{} is refused until {}\n",
            text(&answer, "network"),
            text(&answer, "until")
        )
    });
    Ok(Exit::Ok)
}

pub(super) fn unban(args: &UnbanArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let answer: Value = server.get("/gateway/bans")?;
    let meant: Vec<String> = items(&answer, "bans")
        .iter()
        .filter(|ban| text(ban, "id") == args.ban || text(ban, "network") == args.ban)
        .map(|ban| text(ban, "id").to_owned())
        .collect();
    if meant.is_empty() {
        return Err(Failure::failed(format!("there is no ban `{}`", args.ban))
            .hint("`rampart gateway bans` lists them"));
    }
    for id in &meant {
        server.delete(&format!("/gateway/bans/{}", escape(id)))?;
    }
    session
        .printer
        .document("rampart.unban.v1", &json!({ "ended": meant }), || {
            format!("`{}` is no longer refused\n", args.ban)
        });
    Ok(Exit::Ok)
}
