//! `rampart gateway observed`: what blocking would have refused, and the line that would make it.

use clap::Args;
use model::{format_duration, parse_duration};
use serde_json::Value;

use super::Session;
use super::figures::percent;
use crate::client::query;
use crate::commands::status::text;
use crate::commands::{items, text_or};
use crate::output::{Table, clean};
use crate::{Exit, Failure};

/// Arguments of `rampart gateway observed`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart gateway observed\n  rampart gateway observed --since 7d --route orders\n  \
    rampart gateway observed --step inspect --format json\n\n\
    Ends with 1 when something would have been refused."
)]
pub struct ObservedArgs {
    /// How far back; at most 31 days.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
    pub since: std::time::Duration,
    /// Of this route alone.
    #[arg(long, value_name = "ROUTE")]
    pub route: Option<String>,
    /// Of this step alone: authenticate, authorise, limits, body, inspect, waf, validate, sanitize.
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
}

pub(super) fn run(args: &ObservedArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let asked = query(&[
        ("since", Some(format_duration(args.since))),
        ("route", args.route.clone()),
        ("step", args.step.clone()),
    ]);
    let answer: Value = session
        .server()?
        .get(&format!("/gateway/observed{asked}"))?;
    let would = number(&answer, "would_refuse");
    let human = human(&answer);
    session
        .printer
        .document("rampart.observed.v1", &answer, || human);
    Ok(if would == 0 { Exit::Ok } else { Exit::No })
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn human(answer: &Value) -> String {
    let would = number(answer, "would_refuse");
    let mut out = format!(
        "{would} {} would have been refused, of {} whose records are sealed\nfrom {} until {}\n",
        if would == 1 { "request" } else { "requests" },
        number(answer, "requests"),
        text(answer, "from"),
        text(answer, "until"),
    );
    out.push_str(&match text(answer, "sealed_until") {
        "" => "no record is sealed yet, which takes a minute: shares are not known\n".to_owned(),
        sealed => format!("records are sealed until {sealed}: later requests are in no share\n"),
    });
    for note in items(answer, "notes") {
        let note = note.as_str().unwrap_or_default();
        out.push_str(&format!("incomplete: {}\n", clean(note)));
    }
    let found = items(answer, "found");
    out.push('\n');
    out.push_str(&table(&found));
    for one in &found {
        out.push('\n');
        out.push_str(&detail(one));
    }
    out.push('\n');
    out.push_str(&observing(&items(answer, "observing")));
    out
}

fn table(found: &[Value]) -> String {
    let mut table = Table::new(&[
        "route",
        "code",
        "effect",
        "count",
        "decides",
        "share",
        "addresses",
        "principals",
        "first",
        "last",
    ])
    .right(&[3, 4, 5, 6, 7]);
    for one in found {
        let more = match one.get("at_least") {
            Some(Value::Bool(true)) => "+",
            _ => "",
        };
        let who = |key: &str| format!("{}{more}", number(one, key));
        table.row([
            text(one, "route").to_owned(),
            text(one, "code").to_owned(),
            text(one, "effect").to_owned(),
            number(one, "count").to_string(),
            number(one, "decides").to_string(),
            percent(one, "share_percent"),
            who("addresses"),
            who("principals"),
            text(one, "first").to_owned(),
            text(one, "last").to_owned(),
        ]);
    }
    table.render("nothing that only observes would have refused anything")
}

/// What to write so that it blocks, and some of the requests.
fn detail(one: &Value) -> String {
    let [route, code, step] = ["route", "code", "mode_of"].map(|key| clean(text(one, key)));
    let mut out = format!("{code} on {route}\n");
    let line = one.get("line").and_then(Value::as_u64);
    match (text(one, "effect"), line) {
        ("note", _) => {
            out.push_str("  blocking refuses nothing: answers are compared, never held up\n");
        }
        (effect, Some(line)) => {
            let verb = if effect == "clean" { "clean" } else { "block" };
            let write = clean(text(one, "write"));
            out.push_str(&format!(
                "  to {verb}: line {line} of the estate, {write}\n"
            ));
        }
        (_, None) => out.push_str(&format!("  {step} does not only observe there any more\n")),
    }
    for example in items(one, "examples") {
        let [time, id, request, reason] =
            ["time", "request_id", "request", "reason"].map(|key| clean(text(&example, key)));
        out.push_str(&format!("  {time}  {id}  {request}: {reason}\n"));
    }
    out
}

/// Which steps only observe, since when, and how much they looked at.
fn observing(steps: &[Value]) -> String {
    let mut table = Table::new(&[
        "observing",
        "step",
        "since",
        "version",
        "line",
        "requests",
        "observed",
    ])
    .right(&[3, 4, 5, 6]);
    for one in steps {
        let before = match one.get("at_least") {
            Some(Value::Bool(true)) => " or before",
            _ => "",
        };
        table.row([
            text(one, "route").to_owned(),
            text(one, "step").to_owned(),
            format!("{}{before}", text(one, "since")),
            number(one, "version").to_string(),
            text_or(one, "line", "-"),
            number(one, "requests").to_string(),
            number(one, "found").to_string(),
        ]);
    }
    table.render("no step of any route only observes")
}
