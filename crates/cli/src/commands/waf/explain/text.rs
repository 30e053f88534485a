//! An explanation as people read it, from the document that programs get.

use serde_json::Value;

use crate::Printer;
use crate::output::{Paint, clean};

/// LIMIT: letters of a value that people are shown; documents have up to 4,096 bytes of it.
const SHOWN_MAX: usize = 300;
/// Letters before what was found, so that one sees what it stands in.
const BEFORE_MAX: usize = 40;

pub(super) fn human(document: &Value, printer: &Printer) -> String {
    let mut out = decision(document, printer);
    let scores = document.get("scores").and_then(Value::as_object);
    for (name, value) in scores.into_iter().flatten() {
        out.push_str(&clean(&format!("  {name} {}\n", plain(value))));
    }
    for found in list(document, "matches") {
        out.push_str(&matched(found));
    }
    let problem = said(document, "problem");
    if !problem.is_empty() {
        let problem = one_line(&problem);
        out.push_str(&format!(
            "\nnot all of the request could be read: {problem}\n"
        ));
    }
    for note in list(document, "notes") {
        out.push_str(&format!("\nnote: {}\n", one_line(&plain(note))));
    }
    out
}

fn decision(document: &Value, printer: &Printer) -> String {
    let Some(decision) = document
        .get("decision")
        .filter(|decision| !said(decision, "status").is_empty())
    else {
        return format!("{}\n", printer.paint(Paint::Good, "let through"));
    };
    let [status, rule, file, line] =
        ["status", "rule", "file", "line"].map(|key| said(decision, key));
    let place = match file.as_str() {
        "" => "a limit of the engine".to_owned(),
        file => format!("rule {rule} at {file}:{line}"),
    };
    let head = printer.paint(Paint::Bad, &format!("refused with {status}"));
    format!("{head} by {}\n", clean(&place))
}

/// A rule that matched: what it says, where it stands, what it met, and what that adds.
fn matched(found: &Value) -> String {
    let [rule, severity, message, file, line, phase] =
        ["rule", "severity", "message", "file", "line", "phase"].map(|key| said(found, key));
    let links = list(found, "links");
    let link = match links {
        [_, .., last] => format!(
            ", met in link {0} of {0} at line {1}",
            links.len(),
            said(last, "line")
        ),
        _ => String::new(),
    };
    let mut out = format!(
        "\n{rule} {severity}: {}\n  at {}:{line}{link}, phase {phase}\n",
        one_line(&message),
        one_line(&file),
    );
    for one in list(found, "found") {
        let value = piece(one);
        let (target, value) = (one_line(&said(one, "target")), one_line(&value));
        out.push_str(&format!("  {target} = {value}\n"));
    }
    for one in list(found, "scores") {
        let (name, by) = (one_line(&said(one, "name")), said(one, "by"));
        out.push_str(&format!("  {name} +{by}\n"));
    }
    out
}

/// What is shown of a value: its beginning, or what was found in it with a little before.
fn piece(found: &Value) -> String {
    let (value, matched) = (said(found, "value"), said(found, "matched"));
    let before = value.split_once(&matched).map_or("", |(before, _)| before);
    let until = before.chars().count() + matched.chars().count();
    let skipped = match until <= SHOWN_MAX {
        true => 0,
        false => before.chars().count().saturating_sub(BEFORE_MAX),
    };
    let shown: String = value.chars().skip(skipped).take(SHOWN_MAX).collect();
    if skipped == 0 && found.get("before").is_none() {
        shown
    } else {
        format!("…{shown}")
    }
}

/// SECURITY: what a request says must not look like a line of this command's own.
fn one_line(text: &str) -> String {
    clean(&text.replace('\n', "\\n").replace('\r', "\\r"))
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    let items = value.get(key).and_then(Value::as_array);
    items.map_or(&[], Vec::as_slice)
}

fn said(value: &Value, key: &str) -> String {
    value.get(key).map(plain).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
