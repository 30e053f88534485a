//! `rampart config show`: every value of the estate, and where it comes from.

use clap::{Args, Subcommand};
use estate::{Origin, Place};
use serde_json::json;

use super::{Session, check};
use crate::output::Table;
use crate::{Exit, Failure};

/// `rampart config`.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every value, defaults included.
    Show(ShowArgs),
}

/// Arguments of `rampart config show`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart config show\n  rampart config show --origin\n  \
    rampart config show identity --origin"
)]
pub struct ShowArgs {
    /// Only keys that begin with this.
    #[arg(value_name = "KEY")]
    pub key: Option<String>,
    /// Say for each value which line it stands in, or that it is the default.
    #[arg(long)]
    pub origin: bool,
}

pub(super) fn run(command: &ConfigCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let ConfigCommand::Show(args) = command;
    let file = session
        .places
        .read_config(session.global.config.as_deref())?;
    let origins = estate::origins(&file.source).map_err(|list| check::failure(&file, list))?;
    let chosen: Vec<Origin> = origins
        .into_iter()
        .filter(|origin| {
            args.key
                .as_ref()
                .is_none_or(|key| origin.key.starts_with(key))
        })
        .collect();
    let name = file.name();
    let place = |origin: &Origin| match origin.place {
        Place::File { line, column } => format!("{name}:{line}:{column}"),
        Place::Default => "default".to_owned(),
    };
    let values: Vec<_> = chosen
        .iter()
        .map(|origin| match args.origin {
            true => json!({ "key": origin.key, "value": origin.value, "origin": place(origin) }),
            false => json!({ "key": origin.key, "value": origin.value }),
        })
        .collect();
    session
        .printer
        .list("rampart.config.v1", "values", &values, || {
            if !args.origin {
                return chosen
                    .iter()
                    .map(|o| format!("{} = {}\n", o.key, o.value))
                    .collect();
            }
            let mut table = Table::new(&["key", "value", "origin"]);
            for origin in &chosen {
                table.row([origin.key.clone(), origin.value.clone(), place(origin)]);
            }
            table.render("no key begins like that")
        });
    Ok(Exit::Ok)
}
