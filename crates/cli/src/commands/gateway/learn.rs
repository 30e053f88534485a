//! `rampart gateway learn` and `drift`: what traffic showed of routes that say `learn = true`.

use clap::Args;
use serde_json::Value;

use super::Session;
use crate::client::query;
use crate::commands::{items, text_or};
use crate::output::{Table, clean};
use crate::{Exit, Failure};

/// Arguments of `rampart gateway learn`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart gateway learn --route orders > orders.openapi.yaml\n  \
    rampart gateway learn --format json"
)]
pub struct LearnArgs {
    /// The route's name; every route that learns when there is none.
    #[arg(long, value_name = "ROUTE")]
    pub route: Option<String>,
}

/// Arguments of `rampart gateway drift`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart gateway drift\n  rampart gateway drift --route orders")]
pub struct DriftArgs {
    /// The route's name; every route that learns when there is none.
    #[arg(long, value_name = "ROUTE")]
    pub route: Option<String>,
}

/// Prints the proposed documents, as they can stand in a file.
pub(super) fn learn(args: &LearnArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let all = asked(session, args.route.as_ref())?;
    let text = if all.is_empty() {
        nothing().to_owned()
    } else {
        let documents: Vec<String> = all.iter().map(document).collect();
        documents.join("---\n")
    };
    let printer = &mut session.printer;
    printer.list("rampart.learn.v1", "learnt", &all, || text);
    Ok(if all.is_empty() { Exit::No } else { Exit::Ok })
}

/// Prints how documents and traffic differ; ends with 1 when they do.
pub(super) fn drift(args: &DriftArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let all = asked(session, args.route.as_ref())?;
    let mut lines = Vec::new();
    for one in &all {
        let route = text_or(one, "route", "-");
        for mut line in items(one, "drift") {
            if let Some(fields) = line.as_object_mut() {
                fields.insert("route".to_owned(), Value::from(route.as_str()));
            }
            lines.push(line);
        }
    }
    let differs = !lines.is_empty();
    let empty = if all.is_empty() {
        nothing()
    } else {
        "traffic and documents say the same\n"
    };
    let printer = &mut session.printer;
    printer.list("rampart.drift.v1", "drift", &lines, || {
        let columns = [
            "route", "kind", "method", "template", "place", "text", "seen",
        ];
        let mut table = Table::new(&columns).right(&[6]);
        for line in &lines {
            table.row(columns.map(|key| text_or(line, key, "-")).to_vec());
        }
        table.render(empty.trim_end())
    });
    Ok(if differs { Exit::No } else { Exit::Ok })
}

/// One entry for each route: of several gateways the one that saw most.
fn asked(session: &Session<'_>, route: Option<&String>) -> Result<Vec<Value>, Failure> {
    let path = format!("/gateway/learnt{}", query(&[("route", route.cloned())]));
    let answer: Value = session.server()?.get(&path)?;
    let exchanges = |one: &Value| one.get("exchanges").and_then(Value::as_u64);
    let mut best: Vec<Value> = Vec::new();
    for one in items(&answer, "learnt") {
        let name = text_or(&one, "route", "");
        match best
            .iter_mut()
            .find(|known| text_or(known, "route", "") == name)
        {
            Some(known) if exchanges(known) >= exchanges(&one) => {}
            Some(known) => *known = one,
            None => best.push(one),
        }
    }
    Ok(best)
}

fn document(one: &Value) -> String {
    let said = |key| clean(&text_or(one, key, "0"));
    // Lines of the document keep their ends; nothing else may move a terminal's cursor.
    let proposal = text_or(one, "proposal", "");
    let proposal: Vec<String> = proposal.lines().map(clean).collect();
    format!(
        "# route {}: {} exchanges seen by {}; {} skipped, {} not kept\n{}\n",
        said("route"),
        said("exchanges"),
        said("gateway"),
        said("skipped"),
        said("dropped"),
        proposal.join("\n"),
    )
}

fn nothing() -> &'static str {
    "nothing was learnt yet: give a route `learn = true`, and let it have traffic\n"
}
