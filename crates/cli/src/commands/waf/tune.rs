//! `rampart waf tune`: which exclusions would have let false positives pass, as lines for the estate.
//! Applies nothing.

use std::time::Duration;

use clap::Args;
use model::{format_duration, parse_duration};
use serde_json::Value;

use crate::client::query;
use crate::commands::status::text;
use crate::commands::{Session, items};
use crate::output::clean;
use crate::{Exit, Failure};

/// Arguments of `rampart waf tune`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart waf tune\n  rampart waf tune --since 48h --until 24h --route posts\n  \
    rampart waf tune --expires 2027-03-31 --format json\n\n\
    It reads what rules refused, or would have where they only observe, and counts which exclusions\n\
    would have let requests pass that look honest. Nothing is applied: put the lines that you agree\n\
    with into the estate, then `rampart plan` and `rampart apply`."
)]
pub struct TuneArgs {
    /// How far back; at most 31 days.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
    pub since: Duration,
    /// Without what is newer than so long ago.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub until: Option<Duration>,
    /// Of this route alone.
    #[arg(long, value_name = "ROUTE")]
    pub route: Option<String>,
    /// The last day of what is proposed; 90 days from now without it.
    #[arg(long, value_name = "DAY")]
    pub expires: Option<String>,
}

pub(super) fn run(args: &TuneArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let asked = query(&[
        ("since", Some(format_duration(args.since))),
        ("until", args.until.map(format_duration)),
        ("route", args.route.clone()),
        ("expires", args.expires.clone()),
    ]);
    let server = session.server()?;
    let answer: Value = server.get(&format!("/gateway/rules/tune{asked}"))?;
    let human = human(&answer);
    let printer = &mut session.printer;
    printer.document("rampart.waf-tune.v1", &answer, || human);
    Ok(Exit::Ok)
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// SECURITY: what stands on one line stays there, whatever a stranger called a parameter.
fn line(value: &Value, key: &str) -> String {
    clean(text(value, key)).replace('\n', " ")
}

/// Everything but the lines themselves is a comment of the estate's language, so that all of it may be
/// put there.
fn human(answer: &Value) -> String {
    let mut out = format!(
        "# {} refused by rules, or would have been, from {} until {}\n",
        counted(number(answer, "requests"), "request was", "requests were"),
        line(answer, "since"),
        line(answer, "until"),
    );
    for note in items(answer, "notes") {
        let note = clean(note.as_str().unwrap_or_default()).replace('\n', " ");
        out.push_str(&format!("# incomplete: {note}\n"));
    }
    let excepted = number(answer, "excepted");
    if excepted > 0 {
        let count = counted(excepted, "of them passes", "of them pass");
        out.push_str(&format!("# {count} by what is excepted already\n"));
    }
    let proposals = items(answer, "proposals");
    if proposals.is_empty() {
        out.push_str("# no exclusion is proposed\n");
    } else {
        let count = number(answer, "would_pass");
        out.push_str(&format!(
            "# with all that follows, {} have been let on; nothing is applied\n",
            counted(count, "would", "would"),
        ));
    }
    for one in &proposals {
        out.push('\n');
        out.push_str(&proposal(one));
    }
    let left = items(answer, "left_alone");
    if !left.is_empty() {
        out.push_str("\n# left alone, and why\n");
    }
    for one in &left {
        out.push_str(&alone(one));
    }
    let more = number(answer, "left_alone_more");
    if more > 0 {
        out.push_str(&format!("#   and {more} more\n"));
    }
    out
}

fn proposal(one: &Value) -> String {
    let mut out = format!(
        "# rule {}, {}: {}\n",
        number(one, "rule"),
        line(one, "place"),
        line(one, "message"),
    );
    let alike = match number(one, "alike") {
        0 => String::new(),
        more => format!(" (and {more} counted together with them)"),
    };
    out.push_str(&format!(
        "#   {}{alike} of {} from {}, {} to {}\n",
        counted(number(one, "requests"), "request", "requests"),
        counted(number(one, "principals"), "principal", "principals"),
        counted(number(one, "addresses"), "address", "addresses"),
        line(one, "first"),
        line(one, "last"),
    ));
    out.push_str(&format!("#   evidence: {}\n", line(one, "evidence_text")));
    let answered: Vec<String> = items(one, "answered")
        .iter()
        .map(|of| format!("{}xx {}", number(of, "class"), number(of, "count")))
        .collect();
    if !answered.is_empty() {
        out.push_str(&format!("#   answered: {}\n", answered.join(", ")));
    }
    out.push_str(&format!(
        "#   would pass: {} with this alone, {} with all that is proposed\n",
        number(one, "alone"),
        number(one, "together"),
    ));
    let unasked = number(one, "unasked");
    if unasked > 0 {
        out.push_str(&format!(
            "#   not known: what {} say that had not been asked yet\n",
            counted(unasked, "more rule would", "more rules would"),
        ));
    }
    out.push_str(&format!("#   blinds: {}\n", line(one, "blinds")));
    let attacks = number(one, "attacks");
    if attacks > 0 {
        let met = counted(attacks, "request that looks", "requests that look");
        out.push_str(&format!(
            "#   {met} like an attack met it there, too; refused all the same\n"
        ));
    }
    if let Some(example) = one.get("example") {
        out.push_str(&format!("#   such as {}\n", such(example)));
    }
    // INVARIANT: the server writes only what an estate can hold; it is cleaned all the same.
    out.push_str(&clean(text(one, "lines")));
    out
}

fn alone(one: &Value) -> String {
    let example = match one.get("example") {
        Some(example) if example.is_object() => format!("; such as {}", such(example)),
        _ => String::new(),
    };
    format!(
        "#   {}, {}: {}{example}\n",
        line(one, "what"),
        counted(number(one, "requests"), "request", "requests"),
        line(one, "why"),
    )
}

fn such(example: &Value) -> String {
    let [id, time, request] = ["request_id", "time", "request"].map(|key| line(example, key));
    format!("{id} at {time}, {request}")
}
