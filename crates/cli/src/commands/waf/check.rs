//! `rampart waf check`: whether rules can be loaded, and everything that is to be said about them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use seclang::{Finding, Leniency, Ruleset, Weight};
use serde_json::{Value, json};

use super::rules::{self, Purpose, Source};
use crate::commands::Session;
use crate::failure::Fault;
use crate::output::{Paint, clean};
use crate::{Exit, Failure};

/// Arguments of `rampart waf check`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart waf check /etc/rampart/coreruleset\n  \
    rampart waf check own.conf more.conf\n  rampart waf check old-rules/ --lenient\n  \
    rampart waf check builtin --format json"
)]
pub struct CheckArgs {
    /// A folder of rules, files in their order, or `builtin` for the rules of Rampart.
    #[arg(value_name = "DIR|FILE", required = true)]
    pub rules: Vec<PathBuf>,
    /// Leave out what cannot be kept, a rule with its whole chain, and list it.
    #[arg(long)]
    pub lenient: bool,
}

pub(super) fn run(args: &CheckArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let source = source(args, session)?;
    let leniency = match args.lenient {
        true => Leniency::Lenient,
        false => Leniency::Strict,
    };
    match rules::load(&source, Purpose::Check, leniency)? {
        Ok(loaded) => Ok(valid(session, &source, &loaded.rules, &loaded.findings)),
        Err(seclang::Error::Rules { findings }) => Ok(invalid(session, &source, findings)),
        Err(error) => Err(Failure::because(
            Exit::Usage,
            "cannot load the rules",
            &error,
        )),
    }
}

fn source(args: &CheckArgs, session: &Session<'_>) -> Result<Source, Failure> {
    let mut files = Vec::new();
    for word in &args.rules {
        let path = session.places.resolve(word);
        match Source::named(word, path)? {
            Source::Files(paths) => files.extend(paths),
            one if args.rules.len() == 1 => return Ok(one),
            _ => {
                let message = format!("`{}` is no file", clean(&word.to_string_lossy()));
                return Err(Failure::usage(message)
                    .hint("name one folder, or files in the order they are to be read"));
            }
        }
    }
    Ok(Source::Files(files))
}

/// A finding as data.
fn finding(finding: &Finding) -> Value {
    json!({
        "level": level(finding),
        "file": &*finding.place.file,
        "line": finding.place.line,
        "message": finding.message,
        "hint": (!finding.hint.is_empty()).then_some(&finding.hint),
    })
}

fn level(finding: &Finding) -> &'static str {
    match finding.weight {
        Weight::Error => "error",
        Weight::Note => "note",
    }
}

fn count(n: usize, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{s}")
}

/// Loaded rules: their counts, notes, and what a lenient load has left out.
fn valid(
    session: &mut Session<'_>,
    source: &Source,
    rules: &Ruleset,
    findings: &[Finding],
) -> Exit {
    let all: Vec<_> = rules.rules().collect();
    let files: BTreeSet<&str> = all.iter().map(|rule| &*rule.place.file).collect();
    let links: usize = all.iter().map(|rule| rule.links).sum();
    let phase = |phase: u8| all.iter().filter(|rule| rule.phase == phase).count();
    let phases: Vec<usize> = (1..=5).map(phase).collect();
    let (left_out, notes): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .partition(|finding| finding.weight == Weight::Error);
    let result = match left_out.len() {
        0 => "valid",
        _ => "partly",
    };
    let document = json!({
        "rules": source.name(),
        "result": result,
        "counts": {
            "rules": all.len(), "links": links, "files": files.len(), "phases": phases,
        },
        "left_out": left_out.iter().map(|one| finding(one)).collect::<Vec<_>>(),
        "notes": notes.iter().map(|one| finding(one)).collect::<Vec<_>>(),
    });
    let mut text = format!(
        "{} can be loaded: {} ({} with the links of chains) in {}\n",
        clean(&source.name()),
        count(all.len(), "rule"),
        links,
        count(files.len(), "file"),
    );
    for (number, rules) in (1..).zip(&phases).filter(|(_, rules)| **rules > 0) {
        text.push_str(&format!("  phase {number}  {rules:>5}\n"));
    }
    for (title, list) in [("left out", &left_out), ("notes", &notes)] {
        if list.is_empty() {
            continue;
        }
        let title = format!("{title}: {}", list.len());
        text.push_str(&format!("{}\n", session.printer.paint(Paint::Care, &title)));
        for finding in list {
            text.push_str(&clean(&line(finding)));
        }
    }
    let printer = &mut session.printer;
    printer.document("rampart.waf-check.v1", &document, || text);
    match left_out.len() {
        0 => Exit::Ok,
        _ => Exit::Partly,
    }
}

fn line(finding: &Finding) -> String {
    let hint = match finding.hint.as_str() {
        "" => String::new(),
        hint => format!(" ({hint})"),
    };
    format!("  {}: {}{hint}\n", finding.place, finding.message)
}

/// The answer is data: in JSON it goes to standard output, whatever it says.
fn invalid(session: &mut Session<'_>, source: &Source, findings: Vec<Finding>) -> Exit {
    let errors = findings
        .iter()
        .filter(|finding| finding.weight == Weight::Error)
        .count();
    if session.printer.is_human() {
        let message = format!("{} has {}", source.name(), count(errors, "error"));
        let mut failure = Failure::usage(message)
            .hint("`--lenient` lists what would be left out, and loads the rest");
        let errors = findings
            .into_iter()
            .filter(|finding| finding.weight == Weight::Error);
        failure.faults = errors.map(fault).collect();
        session.printer.complain(&failure);
    } else {
        let document = json!({
            "rules": source.name(),
            "result": "invalid",
            "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        });
        let printer = &mut session.printer;
        printer.document("rampart.waf-check.v1", &document, String::new);
    }
    Exit::Usage
}

pub(super) fn fault(finding: Finding) -> Fault {
    Fault {
        level: Some(level(&finding).to_owned()),
        code: None,
        file: Some(finding.place.file.to_string()),
        line: usize::try_from(finding.place.line).ok(),
        column: None,
        hint: (!finding.hint.is_empty()).then_some(finding.hint),
        message: finding.message,
    }
}

/// Rules that a command cannot go on without.
pub(super) fn refused(source: &Source, error: seclang::Error) -> Failure {
    match error {
        seclang::Error::Rules { findings } => {
            let mut failure =
                Failure::usage(format!("the rules of {} were not loaded", source.name()))
                    .hint("`rampart waf check` says what is the matter with each");
            failure.faults = findings
                .into_iter()
                .filter(|finding| finding.weight == Weight::Error)
                .map(fault)
                .collect();
            failure
        }
        error => Failure::because(Exit::Usage, "cannot load the rules", &error),
    }
}
