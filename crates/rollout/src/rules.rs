//! Folders of rules that an estate names: which files become part of a version, what is wrong with
//! them, and what a change of them does.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use estate::{Change, ChangeKind, Estate, Mode, RuleSource, Tuning, Waf, WhenSpent};
use model::{ByteSize, Diagnostic, Level, Span};

use crate::Sources;

/// Folders of a set of rules in which files are looked for.
const PLACES: [&str; 3] = ["", "rules", "plugins"];
/// LIMIT: files named in one change; the rest are counted.
const NAMED_MAX: usize = 50;
/// LIMIT: findings told about rules; a set that is not one has thousands.
const TOLD_MAX: usize = 50;
/// LIMIT: entries of one folder that are looked at.
const ENTRIES_MAX: usize = 10_000;

/// The files of a folder of rules that become part of a version, as paths relative to the estate
/// file; `below` is that file's folder.
pub(crate) fn files(below: &Path, folder: &str) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for place in PLACES {
        let within = match place {
            "" => folder.to_owned(),
            place => format!("{folder}/{place}"),
        };
        let entries = match std::fs::read_dir(below.join(&within)) {
            Ok(entries) => entries,
            Err(error) if !place.is_empty() && error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries.take(ENTRIES_MAX) {
            let name = entry?.file_name();
            let wanted = name.to_str().filter(|name| waf::is_rule_file(name));
            files.extend(wanted.map(|name| format!("{within}/{name}")));
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a path is that of a file of one of `folders`.
pub(crate) fn is_of(folders: &[(String, Span)], path: &str) -> bool {
    let within = |folder: &String| {
        let rest = path.strip_prefix(folder.as_str())?.strip_prefix('/')?;
        let (place, name) = rest.rsplit_once('/').unwrap_or(("", rest));
        Some(PLACES.contains(&place) && waf::is_rule_file(name))
    };
    folders
        .iter()
        .any(|(folder, _)| within(folder) == Some(true))
}

/// Everything that is wrong with the rules that the estate names; `estate` is what it says, where
/// that could be read.
pub(crate) fn findings(
    sources: &Sources,
    estate: Option<&Estate>,
    shelf: &waf::Shelf,
) -> Vec<Diagnostic> {
    let folders = estate::rule_folders(&sources.estate);
    let mut findings: Vec<Diagnostic> = folders
        .iter()
        .filter_map(|(folder, span)| {
            let why = sources.missing.get(folder)?;
            let message = format!("`{folder}` cannot be read: {why}");
            let hint =
                "the rules lie beside the estate file, and go to the server together with it";
            Some(Diagnostic::error("waf.absent", *span, message).hint(hint))
        })
        .collect();
    for (path, why) in &sources.missing {
        if let Some(span) = span_of(&folders, path).filter(|_| is_of(&folders, path)) {
            let message = format!("`{path}` cannot be read: {why}");
            findings.push(Diagnostic::error("waf.absent", span, message));
        }
    }
    let said = estate.map(|estate| estate.waf.clone());
    let waf = said.unwrap_or_else(|| bare(&folders));
    let Some(waf) = waf.filter(|_| findings.is_empty()) else {
        return findings;
    };
    let told = waf::check(&waf, &sources.documents, shelf);
    let more = told.len().saturating_sub(TOLD_MAX);
    // What has no effect here is no reason to stop at: rules of others are full of it.
    let (errors, notes): (Vec<_>, Vec<_>) = told.into_iter().partition(|one| one.is_error);
    let whole = folders.first().map(|(_, span)| *span).unwrap_or_default();
    let place = |one: &waf::Finding| {
        let file = one.place.as_ref().map(|(file, _)| file.as_str());
        let of_file = file.and_then(|file| span_of(&folders, file));
        one.span.or(of_file).unwrap_or(whole)
    };
    let about = |one: &waf::Finding| one.is_error || one.span.is_some();
    let shown = errors.iter().chain(&notes).filter(|one| about(one));
    findings.extend(shown.take(TOLD_MAX).map(|one| diagnostic(one, place(one))));
    if more > 0 && errors.len() > TOLD_MAX {
        let message = format!("{more} more findings about rules are not shown");
        findings.push(Diagnostic::error("waf.rule", whole, message));
    }
    findings
}

/// The folders alone, where the rest of the estate cannot be read.
fn bare(folders: &[(String, Span)]) -> Option<Waf> {
    let rules: Vec<RuleSource> = folders
        .iter()
        .map(|(folder, _)| RuleSource::Folder(folder.clone()))
        .collect();
    (!rules.is_empty()).then_some(Waf {
        rules,
        mode: Mode::Block,
        tuning: Tuning::default(),
        budget: ByteSize(0),
        when_spent: WhenSpent::Block,
        answers: true,
        exclusions: Vec::new(),
    })
}

fn span_of(folders: &[(String, Span)], path: &str) -> Option<Span> {
    let of = |(folder, _): &&(String, Span)| path.starts_with(&format!("{folder}/"));
    folders.iter().find(of).map(|(_, span)| *span)
}

fn diagnostic(one: &waf::Finding, span: Span) -> Diagnostic {
    let mut diagnostic = Diagnostic::error("waf.rule", span, one.message.clone());
    if let Some((file, line)) = &one.place {
        diagnostic = diagnostic.within(file, Some((*line, 1)));
    }
    if !one.is_error {
        diagnostic.level = Level::Warning;
    }
    if !one.hint.is_empty() {
        diagnostic = diagnostic.hint(one.hint.clone());
    }
    diagnostic
}

/// What a change of rules does, file by file.
pub(crate) fn changes(old: &Sources, new: &Sources) -> Vec<Change> {
    let (before, after) = (by_folder(old), by_folder(new));
    let folders: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let none = BTreeMap::new();
    let mut changes = Vec::new();
    for folder in folders {
        let had = before.get(folder).unwrap_or(&none);
        let has = after.get(folder).unwrap_or(&none);
        if had == has {
            continue;
        }
        let kind = match (had.is_empty(), has.is_empty()) {
            (true, _) => ChangeKind::Added,
            (_, true) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        };
        let paths: BTreeSet<&&String> = had.keys().chain(has.keys()).collect();
        let verb = |path: &&String| match (had.get(path), has.get(path)) {
            (None, _) => Some("added"),
            (_, None) => Some("removed"),
            (one, other) => (one != other).then_some("changed"),
        };
        let lines: Vec<String> = paths
            .into_iter()
            .filter_map(|path| Some(format!("file `{path}` {}", verb(path)?)))
            .collect();
        let more = lines.len().saturating_sub(NAMED_MAX);
        let mut detail: Vec<String> = lines.into_iter().take(NAMED_MAX).collect();
        if more > 0 {
            detail.push(format!("{more} more files"));
        }
        let effect = match kind {
            ChangeKind::Removed => "requests are no longer held to them",
            _ => "requests are held to them from the next one on",
        };
        changes.push(Change {
            kind,
            what: format!("rules `{folder}`"),
            detail,
            effect: effect.to_owned(),
        });
    }
    changes
}

fn by_folder(sources: &Sources) -> BTreeMap<String, BTreeMap<&String, &String>> {
    let folders = estate::rule_folders(&sources.estate);
    let files_of = |one: &(String, Span)| {
        let own = std::slice::from_ref(one);
        let files = sources.documents.iter();
        files.filter(|(path, _)| is_of(own, path)).collect()
    };
    folders
        .iter()
        .map(|one| (one.0.clone(), files_of(one)))
        .collect()
}
