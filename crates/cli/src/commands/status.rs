//! `rampart status`: whether every part of the running server works.

use clap::Args;
use serde_json::Value;

use super::Session;
use crate::output::{Paint, Table};
use crate::{Exit, Failure};

/// Arguments of `rampart status`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart status\n  rampart status --format json")]
pub struct StatusArgs {}

pub(super) fn run(_: &StatusArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let (_, health) = session.server()?.look("/health")?;
    let state = text(&health, "state").to_owned();
    let fine = state == "green";
    let paint = if fine { Paint::Good } else { Paint::Bad };
    let word = session
        .printer
        .paint(paint, if fine { "works" } else { "does not work" });
    session.printer.document("rampart.status.v1", &health, || {
        let mut table = Table::new(&["part", "state", "detail"]);
        for part in health
            .get("components")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let cells = ["name", "state", "detail"].map(|key| text(part, key).to_owned());
            table.row(cells);
        }
        format!(
            "rampart {} {word}\n\n{}",
            text(&health, "version"),
            table.render("no parts")
        )
    });
    Ok(if fine { Exit::Ok } else { Exit::No })
}

/// A text of an answer, empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
