//! OpenAPI documents of an estate: what is wrong with them, and what a change of one does.

use std::collections::{BTreeMap, BTreeSet};

use estate::{Change, ChangeKind};
use model::{Diagnostic, Level, Span};
use openapi::{Compiled, Document, Finding, Options, Weight};

use crate::Sources;

/// LIMIT: operations named in one change; the rest are counted.
const NAMED_MAX: usize = 50;

/// Everything that is wrong with the documents that the estate names, and those that are right.
pub(crate) fn findings(sources: &Sources) -> (Vec<Diagnostic>, BTreeMap<String, Document>) {
    let mut findings = Vec::new();
    let mut documents = BTreeMap::new();
    for (path, span) in estate::documents(&sources.estate) {
        let Some(text) = sources.documents.get(&path) else {
            findings.push(absent(sources, &path, span));
            continue;
        };
        match Document::compile(text, &Options::default()) {
            Ok(Compiled { document, warnings }) => {
                findings.extend(warnings.iter().map(|one| diagnostic(one, &path, span)));
                documents.insert(path, document);
            }
            Err(errors) => findings.extend(errors.iter().map(|one| diagnostic(one, &path, span))),
        }
    }
    (findings, documents)
}

fn absent(sources: &Sources, path: &str, span: Span) -> Diagnostic {
    let message = match sources.missing.get(path) {
        Some(why) => format!("`{path}` cannot be read: {why}"),
        None => format!("`{path}` did not come with the estate"),
    };
    let hint = "it lies beside the estate file, and goes to the server together with it";
    Diagnostic::error("openapi.absent", span, message).hint(hint)
}

fn diagnostic(finding: &Finding, path: &str, span: Span) -> Diagnostic {
    let message = if finding.pointer.is_empty() {
        finding.message.clone()
    } else {
        format!("{}, at `{}`", finding.message, finding.pointer)
    };
    let mut diagnostic = Diagnostic::error("openapi.document", span, message)
        .within(path, Some((finding.line, finding.column)));
    if finding.weight == Weight::Warning {
        diagnostic.level = Level::Warning;
    }
    diagnostic.hint.clone_from(&finding.hint);
    diagnostic
}

/// What a change of documents does, operation by operation.
pub(crate) fn changes(old: &Sources, new: &Sources) -> Vec<Change> {
    if old.documents == new.documents {
        return Vec::new();
    }
    let (_, before) = findings(old);
    let (_, after) = findings(new);
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = |path: &&String| old.documents.get(*path) != new.documents.get(*path);
    paths
        .into_iter()
        .filter(changed)
        .map(|path| change(path, (before.get(path), after.get(path)), (old, new)))
        .collect()
}

fn change(
    path: &str,
    (before, after): (Option<&Document>, Option<&Document>),
    (old, new): (&Sources, &Sources),
) -> Change {
    let kind = match (before, after) {
        (None, _) => ChangeKind::Added,
        (Some(_), None) => ChangeKind::Removed,
        (Some(_), Some(_)) => ChangeKind::Changed,
    };
    let (had, has) = (operations(before), operations(after));
    let added: Vec<&String> = has.difference(&had).collect();
    let removed: Vec<&String> = had.difference(&has).collect();
    let mut detail = Vec::new();
    list(&mut detail, "added", &added);
    list(&mut detail, "removed", &removed);
    let changed = match kind {
        ChangeKind::Changed => said_otherwise(old.documents.get(path), new.documents.get(path)),
        ChangeKind::Added | ChangeKind::Removed => Vec::new(),
    };
    list(&mut detail, "changed", &changed.iter().collect::<Vec<_>>());
    if kind == ChangeKind::Changed {
        let (more, fewer) = lines(old.documents.get(path), new.documents.get(path));
        detail.push(format!("text: {more} lines added, {fewer} removed"));
    }
    let effect = match kind {
        ChangeKind::Added => format!("requests must be one of its {} operations", has.len()),
        ChangeKind::Removed => "it no longer says what requests may be".to_owned(),
        ChangeKind::Changed => match (added.len(), removed.len(), changed.len()) {
            (0, 0, 0) => "the same may be asked for as before".to_owned(),
            (0, 0, changed) => format!("{changed} operations may be asked for in another way"),
            (added, removed, _) => {
                format!("{added} more operations may be asked for, {removed} no longer")
            }
        },
    };
    Change {
        kind,
        what: format!("document `{path}`"),
        detail,
        effect,
    }
}

/// Operations of both texts that do not say the same, with all they refer to.
fn said_otherwise(old: Option<&String>, new: Option<&String>) -> Vec<String> {
    let limits = Options::default().limits;
    let outline = |text: Option<&String>| {
        text.map(|text| openapi::outline(text, &limits))
            .unwrap_or_default()
    };
    let (before, after) = (outline(old), outline(new));
    let both = after.into_iter().filter(|(name, number)| {
        let known = before.get(name);
        known.is_some_and(|known| known != number)
    });
    both.map(|(name, _)| name).collect()
}

fn operations(document: Option<&Document>) -> BTreeSet<String> {
    let named = |one: &openapi::Operation| format!("{} {}", one.method(), one.template());
    let all = document.into_iter().flat_map(Document::operations);
    all.map(named).collect()
}

fn list(detail: &mut Vec<String>, verb: &str, operations: &[&String]) {
    for operation in operations.iter().take(NAMED_MAX) {
        detail.push(format!("operation `{operation}` {verb}"));
    }
    let more = operations.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        detail.push(format!("{more} more operations {verb}"));
    }
}

/// Lines that only the new text has, and lines that only the old one has.
fn lines(old: Option<&String>, new: Option<&String>) -> (usize, usize) {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for line in new.into_iter().flat_map(|text| text.lines()) {
        *counts.entry(line).or_default() += 1;
    }
    for line in old.into_iter().flat_map(|text| text.lines()) {
        *counts.entry(line).or_default() -= 1;
    }
    let sum = |wanted: i64| -> usize {
        let those = counts.values().map(|count| count.saturating_mul(wanted));
        those.filter_map(|count| usize::try_from(count).ok()).sum()
    };
    (sum(1), sum(-1))
}
