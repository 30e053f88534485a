//! `rampart trail search`: records that match, newest first.

use std::net::IpAddr;

use clap::{Args, ValueEnum};
use model::Timestamp;
use serde_json::Value;

use super::{Session, line};
use crate::client::query;
use crate::{Exit, Failure};

/// Arguments of `rampart trail search`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart trail search refund\n  \
    rampart trail search --kind identity.session --outcome refused --since 2026-03-01T00:00:00Z")]
pub struct SearchArgs {
    /// Text that occurs in the record.
    pub text: Option<String>,
    /// What the kind begins with, such as `identity.session`.
    #[arg(long)]
    pub kind: Option<String>,
    /// Id or name of who did it.
    #[arg(long)]
    pub actor: Option<String>,
    /// How it ended.
    #[arg(long, value_enum)]
    pub outcome: Option<OutcomeArg>,
    /// At least so severe.
    #[arg(long, value_enum)]
    pub severity: Option<SeverityArg>,
    /// From this address.
    #[arg(long, value_name = "ADDRESS")]
    pub source: Option<IpAddr>,
    /// Not before this moment.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Before this moment.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// Go on beneath this index: the end of the last page.
    #[arg(long, value_name = "INDEX")]
    pub before: Option<u64>,
    /// So many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub limit: u16,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutcomeArg {
    /// Done.
    Success,
    /// Tried, and did not work.
    Failure,
    /// Not allowed.
    Refused,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SeverityArg {
    /// For the record.
    Info,
    /// Some day.
    Low,
    /// This week.
    Medium,
    /// Today.
    High,
    /// Now.
    Critical,
}

fn word<T: ValueEnum>(value: Option<T>) -> Option<String> {
    Some(value?.to_possible_value()?.get_name().to_owned())
}

pub(super) fn run(args: &SearchArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let query = query(&[
        ("text", args.text.clone()),
        ("kind", args.kind.clone()),
        ("actor", args.actor.clone()),
        ("outcome", word(args.outcome)),
        ("severity", word(args.severity)),
        ("source", args.source.map(|source| source.to_string())),
        ("since", args.since.map(|since| since.to_string())),
        ("until", args.until.map(|until| until.to_string())),
        ("before", args.before.map(|before| before.to_string())),
        ("limit", Some(args.limit.to_string())),
    ]);
    let page: Value = session.server()?.get(&format!("/trail{query}"))?;
    let records = page
        .get("records")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    session
        .printer
        .list("rampart.trail-records.v1", "records", &records, || {
            if records.is_empty() {
                return "nothing matches\n".to_owned();
            }
            records
                .iter()
                .map(|record| format!("{}\n", line(record)))
                .collect()
        });
    if let Some(damaged) = page.get("unreadable").and_then(Value::as_u64) {
        session.printer.note(&format!(
            "entries passed over because they are damaged: {damaged}; `rampart trail verify` says what is wrong"
        ));
    }
    if let Some(next) = page.get("next").and_then(Value::as_u64) {
        session
            .printer
            .note(&format!("there may be more: --before {next}"));
    }
    Ok(Exit::Ok)
}
