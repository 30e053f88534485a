//! `rampart waf test`: regression tests of rules, as their authors write them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use seclang::Leniency;
use seclang::regression::{CRS_SETUP, Case, Report, parse, run as run_cases};
use serde_json::{Value, json};

use super::check::refused;
use super::rules::{self, Purpose, Source};
use crate::commands::Session;
use crate::output::{Paint, clean};
use crate::paths::read_text;
use crate::{Exit, Failure};

/// Arguments of `rampart waf test`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart waf test builtin\n  \
    rampart waf test /etc/rampart/coreruleset --known known-failures.txt\n  \
    rampart waf test own-rules/ --format json")]
pub struct TestArgs {
    /// A folder with rules and, under tests/regression, their tests; or `builtin`.
    #[arg(value_name = "DIR|builtin")]
    pub rules: PathBuf,
    /// Tests that are known to fail: a line for each, its name and then the reason.
    #[arg(long, value_name = "FILE")]
    pub known: Option<PathBuf>,
}

/// LIMIT: folders within folders of tests.
const DEPTH_MAX: usize = 8;

pub(super) fn run(args: &TestArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let path = session.places.resolve(&args.rules);
    let source = Source::named(&args.rules, path)?;
    let known = match &args.known {
        Some(file) => known(&read_text(&session.places.resolve(file))?),
        None => BTreeMap::new(),
    };
    let cases = cases(&source)?;
    // Every rule is to have its say, so nothing ends a request; files of the Core Rule Set's tests
    // want limits of their own.
    let between = match source.is_core_rule_set() {
        true => CRS_SETUP,
        false => "",
    };
    let before = wafrules::Setting {
        paranoia: wafrules::LEVEL_MAX,
        ..Default::default()
    };
    let purpose = Purpose::Run {
        before: &before.text(),
        between,
        after: "SecRuleEngine DetectionOnly\n",
    };
    let loaded = rules::load(&source, purpose, Leniency::Strict)?;
    let loaded = loaded.map_err(|error| refused(&source, error))?;
    let report = run_cases(&loaded.rules, &cases);
    Ok(tell(session, &source, &report, &known))
}

/// Names, each with its reason.
fn known(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, reason) = line.split_once(' ').unwrap_or((line, ""));
            (name.to_owned(), reason.trim().to_owned())
        })
        .collect()
}

fn cases(source: &Source) -> Result<Vec<Case>, Failure> {
    let wrong =
        |error: seclang::Error| Failure::because(Exit::Usage, "cannot read the tests", &error);
    let folder = match source {
        Source::Builtin => return wafrules::cases().map_err(wrong),
        Source::Folder(folder) => folder.join("tests").join("regression"),
        Source::Files(_) => {
            return Err(Failure::usage("tests stand in a folder beside their rules")
                .hint("name the folder that has tests/regression in it"));
        }
    };
    let mut files = Vec::new();
    if folder.is_dir() {
        yaml(&folder, 0, &mut files).map_err(|error| {
            let message = format!("cannot read `{}`", folder.display());
            Failure::because(Exit::Usage, message, &error)
        })?;
    }
    let mut cases = Vec::new();
    for file in files {
        cases.extend(parse(&file.to_string_lossy(), &read_text(&file)?).map_err(wrong)?);
    }
    if cases.is_empty() {
        let message = format!("there are no tests under `{}`", folder.display());
        return Err(
            Failure::usage(message).hint("they are files of YAML, as the Core Rule Set has them")
        );
    }
    Ok(cases)
}

fn yaml(folder: &Path, depth: usize, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for path in rules::files_of(folder)? {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() && depth < DEPTH_MAX {
            yaml(&path, depth + 1, out)?;
        } else if matches!(extension, Some("yaml" | "yml")) {
            out.push(path);
        }
    }
    Ok(())
}

fn tell(
    session: &mut Session<'_>,
    source: &Source,
    report: &Report,
    known: &BTreeMap<String, String>,
) -> Exit {
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    let mut document = report.to_json(&names);
    let passing: Vec<&str> = report
        .cases
        .iter()
        .filter(|case| case.passed() && known.contains_key(&case.name))
        .map(|case| case.name.as_str())
        .collect();
    let all: Vec<&str> = report.cases.iter().map(|case| case.name.as_str()).collect();
    let missing: Vec<&str> = names
        .iter()
        .filter(|name| !all.contains(name))
        .copied()
        .collect();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("rules".to_owned(), json!(source.name()));
        fields.insert("tests".to_owned(), json!(report.cases.len()));
        fields.insert("passing_known_failures".to_owned(), json!(passing));
        fields.insert("missing_known_failures".to_owned(), json!(missing));
    }
    let (passed, stages) = report.stages();
    let failed = list(&document, "failed");
    let holds = failed.is_empty() && passing.is_empty();
    let word = match holds {
        true => session.printer.paint(Paint::Good, "as expected"),
        false => session.printer.paint(Paint::Bad, "not as expected"),
    };
    let mut text = format!(
        "{word}: {passed} of {stages} stages hold, in {} tests of {}\n",
        report.cases.len(),
        clean(&source.name())
    );
    for (title, cases) in [
        ("fails", &failed),
        ("fails, as is known", &list(&document, "known_failures")),
    ] {
        for case in cases {
            let name = case.get("name").and_then(Value::as_str).unwrap_or_default();
            let reason = known.get(name).cloned().unwrap_or_else(|| reasons(case));
            text.push_str(&clean(&format!("  {name} {title}: {reason}\n")));
        }
    }
    for name in &passing {
        text.push_str(&clean(&format!(
            "  {name} passes, and is listed as failing\n"
        )));
    }
    for name in &missing {
        text.push_str(&clean(&format!(
            "  {name} is listed as failing, and there is no such test\n"
        )));
    }
    let printer = &mut session.printer;
    printer.document("rampart.waf-test.v1", &document, || text);
    if holds { Exit::Ok } else { Exit::No }
}

fn list(document: &Value, key: &str) -> Vec<Value> {
    let items = document.get(key).and_then(Value::as_array);
    items.cloned().unwrap_or_default()
}

fn reasons(case: &Value) -> String {
    let reasons = list(case, "reasons");
    let texts: Vec<&str> = reasons.iter().filter_map(Value::as_str).collect();
    texts.join("; ").replace('\n', " ")
}
