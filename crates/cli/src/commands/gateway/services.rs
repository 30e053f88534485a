//! `rampart gateway services`: how services and their addresses stand, since when and why.

use clap::Args;
use serde_json::Value;

use super::Session;
use super::figures::{count, ms};
use super::top::{is_in_trouble, word};
use crate::commands::status::text;
use crate::commands::{items, text_or};
use crate::output::{Paint, Table};
use crate::{Exit, Failure};

/// Arguments of `rampart gateway services`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart gateway services\n  rampart gateway services shop\n  \
    rampart gateway services --format json\n\n\
    Ends with 1 while an address gets no requests or fails those it gets, a service has no address, or a \
    breaker is not closed."
)]
pub struct ServicesArgs {
    /// One service alone.
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
}

pub(super) fn run(args: &ServicesArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let answer: Value = session.server()?.get("/gateway/services?window=1m")?;
    let mut all = items(&answer, "services");
    if let Some(wanted) = &args.service {
        all.retain(|one| text(one, "name") == wanted);
        if all.is_empty() {
            let message = format!("no gateway tells of a service `{wanted}`");
            return Err(Failure::failed(message).hint("`rampart gateway services` lists them"));
        }
    }
    let troubled = |one: &&Value| one.get("is_in_trouble") == Some(&Value::Bool(true));
    let trouble = all.iter().filter(troubled).count();
    let word = match trouble {
        0 => session
            .printer
            .paint(Paint::Good, "every address gets requests and answers them"),
        1 => session.printer.paint(Paint::Bad, "1 service is in trouble"),
        n => {
            let text = format!("{n} services are in trouble");
            session.printer.paint(Paint::Bad, &text)
        }
    };
    let printer = &mut session.printer;
    printer.list("rampart.services.v1", "services", &all, || {
        if all.is_empty() {
            return "no gateway told of a service yet\n".to_owned();
        }
        format!("{word}\n\n{}\n{}", summary(&all), addresses(&all))
    });
    Ok(if trouble == 0 { Exit::Ok } else { Exit::No })
}

/// One line for each service; times and rates are of the last minute.
fn summary(all: &[Value]) -> String {
    let counted = [
        "under_way",
        "waiting",
        "crowded_out",
        "retries",
        "retries_withheld",
        "retries_left",
        "held_off",
    ];
    let mut header = vec!["service", "breaker", "req/s", "p50", "p99"];
    header.extend(counted.map(|key| key));
    let mut table = Table::new(&header).right(&[2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    for one in all {
        let lately = one.get("lately").unwrap_or(&Value::Null);
        let mut cells = vec![
            text(one, "name").to_owned(),
            text_or(one, "breaker", "-").replace('_', " "),
            count(lately, "rate"),
            ms(lately, "service_p50_ms"),
            ms(lately, "service_p99_ms"),
        ];
        cells.extend(counted.map(|key| text_or(one, key, "0")));
        table.row(cells);
    }
    table.render("")
}

/// One line for each address, as each gateway sees it.
fn addresses(all: &[Value]) -> String {
    let mut table = Table::new(&[
        "service",
        "address",
        "gateway",
        "state",
        "since",
        "under_way",
        "connections",
        "failures",
        "ejections",
        "probes",
        "why",
    ])
    .right(&[5, 6, 7, 8, 9]);
    for service in all {
        for one in items(service, "addresses") {
            let failures = one.get("failures").and_then(Value::as_object);
            let failures: u64 = failures
                .into_iter()
                .flat_map(|kinds| kinds.values())
                .filter_map(Value::as_u64)
                .sum();
            let number = |key: &str| one.get(key).and_then(Value::as_u64).unwrap_or(0);
            let probes = match number("probes") {
                0 => "-".to_owned(),
                asked => format!(
                    "{} of {asked}",
                    asked.saturating_sub(number("probes_failed"))
                ),
            };
            let state = match word(&one) {
                "rising" => format!("rising {} %", number("share_percent")),
                state => state.to_owned(),
            };
            let why = match is_in_trouble(&one) {
                true => text(&one, "why"),
                false => "",
            };
            table.row([
                text(service, "name").to_owned(),
                text(&one, "address").to_owned(),
                text(&one, "gateway").to_owned(),
                state,
                text_or(&one, "since", "-"),
                text_or(&one, "under_way", "0"),
                text_or(&one, "connections", "0"),
                failures.to_string(),
                text_or(&one, "ejections", "0"),
                probes,
                why.to_owned(),
            ]);
        }
    }
    table.render("no service has an address: their names lead nowhere")
}
