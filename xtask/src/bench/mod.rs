//! `cargo xtask bench NAME`: the program beside others of its kind, in one run, interleaved. A
//! missing peer is said, never passed over.

mod contender;
mod enrol;
mod gateway;
mod load;
pub(crate) mod machine;
mod process;
pub(crate) mod rampart;
mod report;
mod side;
mod waf;

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::chores::{Exit, complain, say};
use crate::generate;

/// How figures are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Human,
    Json,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
struct Plan {
    format: Format,
    /// Rounds of each side, interleaved.
    rounds: u32,
    /// Seconds of one side's round.
    seconds: u32,
    /// Whether the page of the reference is written.
    write: bool,
    /// Of `waf`: the one part that is measured.
    part: Option<waf::Part>,
}

/// LIMIT: what one run may take.
const ROUNDS_MAX: u32 = 100;
const SECONDS_MAX: u32 = 600;
/// Fewer rounds say too little.
const ROUNDS_MIN: u32 = 5;

/// How often the bench `restart` restarts the gateway.
const RESTARTS: &str = "20";

/// Restarts the gateway under the load of strict clients, which count every request that is not
/// answered; the integration test with more rounds.
fn restart(root: &Path) -> anyhow::Result<Exit> {
    let test = "restart::restarts_under_load_lose_no_request";
    let cargo = [
        "test",
        "-p",
        "rampart",
        "--test",
        "it",
        "--",
        test,
        "--exact",
        "--nocapture",
    ];
    let ended = std::process::Command::new("cargo")
        .args(cargo)
        .env("RAMPART_RESTARTS", RESTARTS)
        .current_dir(root)
        .status()
        .context("cannot run cargo")?;
    Ok(if ended.success() {
        Exit::Fine
    } else {
        Exit::No
    })
}

/// Runs the bench `name`.
pub(crate) fn run(root: &Path, name: &str, words: &[&str]) -> anyhow::Result<Exit> {
    if name == "restart" {
        return restart(root);
    }
    let plan = match parse(words) {
        Ok(plan) if name == "waf" => return waf(root, plan),
        Ok(plan) if plan.part.is_some() => {
            complain("error: `--part` is for the bench `waf`");
            return Ok(Exit::Usage);
        }
        Ok(plan) if name == "gateway" => plan,
        Ok(_) => {
            complain(&format!(
                "error: there is no bench `{name}`; there are `gateway`, `waf` and `restart`"
            ));
            return Ok(Exit::Usage);
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            return Ok(Exit::Usage);
        }
    };
    let missing = machine::missing(&["nginx", "haproxy", "wrk", "h2load", "taskset"]);
    if !missing.is_empty() {
        complain(&format!(
            "error: missing: {}\nhint: apt-get install -y nginx-light haproxy wrk nghttp2-client util-linux",
            missing.join(", ")
        ));
        return Ok(Exit::Missing);
    }
    if machine::cores() < 2 {
        complain("error: this needs two cores: one for the proxy, one for the load");
        return Ok(Exit::Missing);
    }
    let report = gateway::measure(root, plan.rounds, plan.seconds)?;
    show(&report.text(), &report.json(), plan.format)?;
    if plan.write {
        let path = root.join("docs/reference/performance.md");
        generate::write(&path, &report.markdown())?;
        complain(&format!("wrote {}", path.display()));
    }
    Ok(if report.holds() { Exit::Fine } else { Exit::No })
}

/// The WAF's engine beside libmodsecurity, and the gateway with rules beside nginx with them.
fn waf(root: &Path, plan: Plan) -> anyhow::Result<Exit> {
    if let Some(missing) = waf::missing(root, plan.part) {
        complain(&missing);
        return Ok(Exit::Missing);
    }
    let measured = waf::measure(root, plan.part, (plan.rounds, plan.seconds))?;
    let Some(report) = measured else {
        complain(
            "error: missing: libmodsecurity, or it does not load the rules\n\
             hint: apt-get install -y libmodsecurity-dev",
        );
        return Ok(Exit::Missing);
    };
    show(&report.text(), &report.json(), plan.format)?;
    if plan.write {
        let path = root.join("docs/reference/waf-performance.md");
        generate::write(&path, &report.markdown())?;
        complain(&format!("wrote {}", path.display()));
    }
    Ok(if report.holds() { Exit::Fine } else { Exit::No })
}

fn show(text: &str, json: &serde_json::Value, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Human => say(text.trim_end()),
        Format::Json => say(&serde_json::to_string_pretty(json)?),
    }
    Ok(())
}

fn parse(words: &[&str]) -> anyhow::Result<Plan> {
    let mut plan = Plan {
        format: Format::Human,
        rounds: ROUNDS_MIN,
        seconds: 5,
        write: false,
        part: None,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .with_context(|| format!("`{word}` needs a value"))
        };
        match *word {
            "--format" => {
                plan.format = match *value()? {
                    "json" => Format::Json,
                    "human" => Format::Human,
                    other => bail!("`{other}` is no format: `human` or `json`"),
                }
            }
            "--rounds" => plan.rounds = count(value()?, ROUNDS_MIN, ROUNDS_MAX)?,
            "--seconds" => plan.seconds = count(value()?, 1, SECONDS_MAX)?,
            "--write" => plan.write = true,
            "--part" => plan.part = Some(part(value()?)?),
            other => bail!("`{other}` is not known here"),
        }
    }
    if plan.write && plan.part.is_some() {
        bail!("`--write` writes a page with both parts: leave `--part` out");
    }
    Ok(plan)
}

fn part(name: &str) -> anyhow::Result<waf::Part> {
    let found = waf::Part::NAMED.iter().find(|(known, _)| *known == name);
    let (_, part) = found.with_context(|| format!("`{name}` is no part: `engine` or `gateway`"))?;
    Ok(*part)
}

fn count(text: &str, min: u32, max: u32) -> anyhow::Result<u32> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number));
    number.with_context(|| format!("`{text}` is no number from {min} to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_plan() {
        let plan = parse(&["--rounds", "7", "--seconds", "2", "--format", "json"]).unwrap();
        assert_eq!(
            (plan.rounds, plan.seconds, plan.format),
            (7, 2, Format::Json)
        );
        assert!(!plan.write);
    }

    #[test]
    fn too_few_rounds_are_refused() {
        assert!(parse(&["--rounds", "4"]).is_err());
        assert!(parse(&["--rounds"]).is_err());
        assert!(parse(&["--round", "5"]).is_err());
    }

    #[test]
    fn page_holds_both_parts_of_a_bench() {
        let part = |words: &[&str]| parse(words).map(|plan| plan.part);
        let gateway = part(&["--part", "gateway"]).unwrap();
        assert_eq!(gateway, Some(waf::Part::Gateway));
        assert_eq!(part(&["--write"]).unwrap(), None);
        assert!(part(&["--part", "gateway", "--write"]).is_err());
        assert!(part(&["--part", "front"]).is_err());
    }
}
