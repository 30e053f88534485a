//! `rampart gateway routes`: what is served, and how it goes.

use clap::Args;
use serde_json::Value;

use super::Session;
use super::figures::ms;
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
            let columns = ["name", "host", "path", "to", "auth"];
            let counted = ["requests", "refused", "would_refuse"];
            let header = columns.into_iter().chain(counted).chain(["p99"]);
            let header: Vec<&str> = header.collect();
            let mut table = Table::new(&header).right(&[5, 6, 7, 8]);
            for route in &routes {
                let numbers = route.get("numbers").unwrap_or(&Value::Null);
                let mut cells = columns.map(|key| text_or(route, key, "-")).to_vec();
                cells.extend(counted.map(|key| text_or(numbers, key, "-")));
                cells.push(ms(numbers, "p99_ms"));
                table.row(cells);
            }
            table.render("the estate has no route")
        });
    Ok(Exit::Ok)
}
