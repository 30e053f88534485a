//! `rampart trail tail`: records as they come.

use clap::Args;
use serde_json::Value;

use super::{Session, line};
use crate::client::{Next, query};
use crate::{Exit, Failure};

/// Arguments of `rampart trail tail`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart trail tail\n  rampart trail tail -n 0 --format jsonl")]
pub struct TailArgs {
    /// Begin with so many that are there already.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=500))]
    pub lines: u16,
    /// Print those and end.
    #[arg(long)]
    pub no_follow: bool,
}

pub(super) fn run(args: &TailArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    if args.lines > 0 {
        let page: Value = server.get(&format!(
            "/trail{}",
            query(&[("limit", Some(args.lines.to_string()))])
        ))?;
        let records = page.get("records").and_then(Value::as_array);
        for record in records.into_iter().flatten().rev() {
            session
                .printer
                .item("rampart.trail-record.v1", record, || line(record));
        }
    }
    if args.no_follow || session.printer.is_closed() {
        return Ok(Exit::Ok);
    }
    let mut broken = None;
    server.stream("/trail/stream", |text| {
        // An empty line is a heartbeat.
        if text.is_empty() {
            return Next::More;
        }
        match serde_json::from_str::<Value>(text) {
            Ok(value) => show(session, &value),
            Err(error) => {
                broken = Some(error.to_string());
                return Next::Stop;
            }
        }
        if session.printer.is_closed() {
            Next::Stop
        } else {
            Next::More
        }
    })?;
    match broken {
        Some(error) => Err(Failure::failed(format!(
            "the server sent something else: {error}"
        ))),
        None if session.printer.is_closed() => Ok(Exit::Ok),
        None => Err(Failure::failed("the server ended the stream")),
    }
}

fn show(session: &mut Session<'_>, value: &Value) {
    if let Some(missed) = value.get("missed").and_then(Value::as_u64) {
        session.printer.note(&format!(
            "{missed} records came faster than they could be shown"
        ));
    } else {
        session
            .printer
            .item("rampart.trail-record.v1", value, || line(value));
    }
}
