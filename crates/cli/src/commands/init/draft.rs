//! `rampart init --from`: an estate drafted from another program's configuration.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use adopt::{Adopted, Error, Group, Input, Kind, Note};
use serde_json::json;

use super::files::OnDisk;
use super::{FromKind, InitArgs, write};
use crate::commands::Session;
use crate::failure::Fault;
use crate::output::clean;
use crate::paths::read_text;
use crate::{Exit, Failure};

/// Directives that are shown of one group; all of them stand in the JSON.
const SHOWN_MAX: usize = 8;

pub(super) fn run(
    args: &InitArgs,
    from: &Path,
    to: &Path,
    name: &str,
    session: &mut Session<'_>,
) -> Result<Exit, Failure> {
    let source = session.places.resolve(from);
    let text = read_text(&source)?;
    let because = |error: &std::io::Error| {
        let message = format!("cannot read `{}`", source.display());
        Failure::because(Exit::Usage, message, error)
    };
    let real = fs::canonicalize(&source).map_err(|error| because(&error))?;
    // Links are followed for files that are included, and not for what the first file is called.
    let folder = fs::canonicalize(source.parent().unwrap_or(Path::new(".")))
        .map_err(|error| because(&error))?;
    let base = source
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let beside = beside(&real, to);
    let root = folder.display().to_string();
    let input = Input {
        name: &base,
        bytes: text.as_bytes(),
        folder: &root,
        estate: name,
        beside: beside.as_deref(),
    };
    let kind = args.kind.map(|kind| match kind {
        FromKind::Nginx => Kind::Nginx,
        FromKind::Caddy => Kind::Caddy,
        FromKind::Compose => Kind::Compose,
        FromKind::Openapi => Kind::Openapi,
    });
    let files = OnDisk::new(folder);
    let adopted = adopt::adopt(&input, kind, &files).map_err(|error| failure(&error))?;
    if !args.dry_run {
        write(to, &adopted.estate)?;
    }
    tell(args.dry_run, &base, to, &adopted, session);
    Ok(Exit::Ok)
}

/// The path of a document as the estate would name it, when it lies beside the estate or below.
fn beside(document: &Path, estate: &Path) -> Option<String> {
    let folder = fs::canonicalize(estate.parent()?).ok()?;
    let path = document.strip_prefix(&folder).ok()?;
    path.to_str().map(str::to_owned)
}

fn failure(error: &Error) -> Failure {
    let exit = match error {
        Error::Nothing { .. } => Exit::No,
        Error::Draft { .. } => Exit::Failed,
        _ => Exit::Usage,
    };
    let mut failure = Failure::new(exit, clean(&error.to_string()));
    failure.hint = error.hint().map(|hint| clean(&hint));
    match error {
        Error::Nothing { left, .. } => {
            failure.faults = left.iter().map(fault).collect();
        }
        Error::Draft { findings, .. } => {
            failure.faults = findings
                .iter()
                .map(|finding| Fault {
                    level: None,
                    code: Some(finding.code.to_string()),
                    message: finding.message.clone(),
                    file: None,
                    line: None,
                    column: None,
                    hint: finding.hint.clone(),
                })
                .collect();
        }
        _ => {}
    }
    failure
}

fn fault(note: &Note) -> Fault {
    Fault {
        level: None,
        code: None,
        message: format!("`{}`: {}", note.what, note.why),
        file: Some(note.place.file.to_string()),
        line: Some(note.place.line),
        column: None,
        hint: note.instead.clone(),
    }
}

fn tell(dry_run: bool, from: &str, to: &Path, adopted: &Adopted, session: &mut Session<'_>) {
    let shown = to.display().to_string();
    let mut document = json!({
        "file": if dry_run { None } else { Some(&shown) },
        "from": from,
        "kind": adopted.kind,
        "services": adopted.services,
        "routes": adopted.routes,
        "carried": adopted.carried,
        "left": adopted.left,
        "differs": adopted.differs,
        "unneeded": adopted.unneeded,
    });
    if dry_run && let Some(fields) = document.as_object_mut() {
        fields.insert("estate".to_owned(), json!(adopted.estate));
    }
    let report = report(adopted);
    if dry_run && session.printer.is_human() {
        session.printer.raw(&adopted.estate);
        session.printer.note(report.trim_end());
        return;
    }
    session.printer.document("rampart.init.v1", &document, || {
        let from = clean(from);
        format!(
            "wrote {shown} from {from} ({})\n\n{report}\nnext:\n  read it, and what is listed here\n  \
             rampart check\n  rampart serve\n",
            adopted.kind
        )
    });
}

/// What was carried over, what was not, and what is not the same, for people.
fn report(adopted: &Adopted) -> String {
    let mut out = format!(
        "{} in {} and {}\n",
        count(adopted.carried, "directive"),
        count(adopted.services, "service"),
        count(adopted.routes, "route"),
    );
    let (guards, rest): (Vec<&Note>, Vec<&Note>) =
        adopted.left.iter().partition(|note| note.guards);
    notes(
        "not carried over, though it kept something out:",
        &guards,
        &mut out,
    );
    notes("not carried over:", &rest, &mut out);
    groups(
        "carried over, and not quite the same:",
        &adopted.differs,
        &mut out,
    );
    groups("not needed:", &adopted.unneeded, &mut out);
    out
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

fn notes(title: &str, notes: &[&Note], out: &mut String) {
    if notes.is_empty() {
        return;
    }
    // Writing to a string cannot fail.
    writeln!(out, "\n{title}").unwrap_or_default();
    for note in notes {
        let what = clean(&note.what);
        writeln!(out, "  {}  {what}\n      {}", note.place, clean(&note.why)).unwrap_or_default();
        if let Some(instead) = &note.instead {
            writeln!(out, "      instead: {}", clean(instead)).unwrap_or_default();
        }
    }
}

fn groups(title: &str, groups: &[Group], out: &mut String) {
    if groups.is_empty() {
        return;
    }
    writeln!(out, "\n{title}").unwrap_or_default();
    for group in groups {
        writeln!(out, "  {}", clean(&group.why)).unwrap_or_default();
        for said in group.of.iter().take(SHOWN_MAX) {
            writeln!(out, "      {}  {}", said.place, clean(&said.what)).unwrap_or_default();
        }
        let more = group.of.len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            writeln!(out, "      and {more} more, which `--format json` lists").unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests;
