//! `cargo xtask soak --minutes N`: the whole program under everything at once, for so long. The
//! test that does it lives with the program's other tests; this builds it, runs it, and writes
//! what it found.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, anyhow};
use model::{Clock as _, SystemClock};
use serde_json::Value;

use crate::bench::{machine, rampart};
use crate::chores::{Exit, complain, root, say};
use crate::generate;

/// LIMIT: minutes of one run.
const MINUTES_MAX: u64 = 24 * 60;
/// What its line begins with.
const MARK: &str = "soak: ";

/// What the run's own judgement allows, and what may grow in longer ones. The limits stand in
/// the code, marked `LIMIT:`.
const GROWTH: &str = "
*Early* is the mean of the second quarter of the run, *late* that of the last one, the slope that of the second half. A
run fails when a process grows by more than 2.5 MiB from early to late or along that slope, however long it takes:
heaps breathe and caches fill, but neither goes on. To control what it remembers of events is allowed besides.

What may grow in control, and until where:

| what | until |
| --- | --- |
| ids of events, so that none is recorded twice | 131,072 of them: 6.3 MiB |
| places of events in the trail's files | never: a quarter of a byte an event, 25 MB for a hundred million |
| pages of the store in memory (SQLite) | 2 MiB for each of its five connections |
| what passwords are hashed in | 19 MiB for each core, while people sign in |
| counts of the last hour and times of the last minute, for pages | 0.5 MiB for each route in use |
| people, sessions, keys and bans in force | as many as there are |

Lists are answered in pages, so that what ended long ago (keys, versions of the estate, events) costs disk alone.
";

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    minutes: u64,
    /// The debug build: slower, and there already.
    debug: bool,
    write: bool,
}

/// Runs the chore.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<Exit> {
    let Some(plan) = parse(words) else {
        complain("usage: cargo xtask soak --minutes N [--debug] [--write]");
        return Ok(Exit::Usage);
    };
    if machine::program("node").is_none() {
        complain("error: missing: node\nhint: apt-get install -y nodejs");
        return Ok(Exit::Missing);
    }
    let program = match plan.debug {
        true => None,
        false => Some(rampart::build(&root())?),
    };
    let mut command = plan.command(program.as_deref());
    let output = command.output().context("cannot start cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(result) = result(&text) else {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(anyhow!("the run said nothing: {text}\n{errors}"));
    };
    say(&serde_json::to_string_pretty(&result)?);
    if plan.write {
        let build = if plan.debug { "debug" } else { "release" };
        generate::write(
            &root().join("docs/reference/soak.md"),
            &page(&result, build),
        )?;
    }
    Ok(if output.status.success() {
        Exit::Fine
    } else {
        Exit::No
    })
}

fn parse(words: &[&str]) -> Option<Plan> {
    let mut plan = Plan {
        minutes: 0,
        debug: false,
        write: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--minutes" => plan.minutes = words.next()?.parse().ok()?,
            "--debug" => plan.debug = true,
            "--write" => plan.write = true,
            _ => return None,
        }
    }
    (1..=MINUTES_MAX).contains(&plan.minutes).then_some(plan)
}

impl Plan {
    /// The debug build does the test; `program` is what it tests, or the same build.
    fn command(self, program: Option<&Path>) -> Command {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["test", "--locked", "--package", "rampart", "--test", "it"])
            .args(["soak::everything", "--", "--nocapture"])
            .env("RAMPART_SOAK_SECONDS", (self.minutes * 60).to_string())
            .env("RAMPART_REAL_BACKENDS", "1")
            .current_dir(root());
        if let Some(program) = program {
            command.env("RAMPART_PROGRAM", program);
        }
        command
    }
}

/// What the run found, from everything it said.
fn result(text: &str) -> Option<Value> {
    let line = text.lines().find_map(|line| {
        let (_, result) = line.split_once(MARK)?;
        result.starts_with('{').then_some(result)
    })?;
    serde_json::from_str(line).ok()
}

fn page(result: &Value, build: &str) -> String {
    let mut page = format!(
        "# Soak\n\nWritten by `cargo xtask soak --write` on {} on this machine: {}, with the {build} \
         build, after {} minutes of everything at once.\n\n| done | times |\n| --- | --- |\n",
        SystemClock::new().now(),
        machine::describe(),
        result.get("seconds").and_then(Value::as_u64).unwrap_or(0) / 60,
    );
    let done = result.get("done").and_then(Value::as_object);
    for (what, count) in done.into_iter().flatten() {
        page.push_str(&format!("| {what} | {count} |\n"));
    }
    let events = result.get("events").and_then(Value::as_u64).unwrap_or(0);
    page.push_str(&format!("| events in the trail at the end | {events} |\n"));
    page.push_str(
        "\n| process | memory early, MiB | late, MiB | slope, MiB per minute | open files, most | \
         threads, most |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let processes = result.get("processes").and_then(Value::as_object);
    for (name, figures) in processes.into_iter().flatten() {
        let number = |key: &str| figures.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
        page.push_str(&format!(
            "| {name} | {:.1} | {:.1} | {:.2} | {:.0} | {:.0} |\n",
            number("memory_mib_early"),
            number("memory_mib_late"),
            number("slope_mib_per_min"),
            number("open_files_max"),
            number("threads_max"),
        ));
    }
    let complaints = result.get("complaints").and_then(Value::as_array);
    let complaints: Vec<&str> = complaints
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    page.push_str(GROWTH);
    if complaints.is_empty() {
        page.push_str("\nNothing to complain about.\n");
    }
    for complaint in complaints {
        page.push_str(&format!("\n- FALLS SHORT: {complaint}"));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_plan() {
        let plan = parse(&["--minutes", "3", "--debug"]).unwrap();
        assert_eq!((plan.minutes, plan.debug, plan.write), (3, true, false));
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&["--minutes", "0"]), None);
        assert_eq!(parse(&["--minutes", "x"]), None);
    }

    #[test]
    fn the_result_is_found_in_what_a_test_says() {
        let text = "running 1 test\nsoak: {\"seconds\":60,\"complaints\":[\"x grew\"]}\nok\n";
        let result = result(text).unwrap();
        assert!(page(&result, "debug").contains("FALLS SHORT: x grew"));
        assert!(page(&result, "debug").contains("after 1 minutes"));
    }
}
