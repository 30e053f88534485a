//! `rampart gateway routes`: what is served, and how it goes.

use clap::Args;
use serde_json::Value;

use super::Session;
use crate::commands::{items, text_or};
use crate::output::Table;
use crate::{Exit, Failure};

/// Arguments of `rampart gateway routes`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart gateway routes\n  rampart gateway routes --format jsonl"
)]
pub struct RoutesArgs {}

pub(super) fn run(_: &RoutesArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let answer: Value = session.server()?.get("/gateway/routes")?;
    let routes = items(&answer, "routes");
    session
        .printer
        .list("rampart.routes.v1", "routes", &routes, || {
            let columns = [
                "name", "host", "path", "to", "auth", "requests", "refused", "p99_ms",
            ];
            let mut table = Table::new(&columns).right(&[5, 6, 7]);
            for route in &routes {
                table.row(columns.map(|key| text_or(route, key, "-")));
            }
            table.render("the estate has no route")
        });
    Ok(Exit::Ok)
}
