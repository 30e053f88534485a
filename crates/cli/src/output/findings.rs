//! Findings about a text: with the line they are about, all at once.

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource};
use model::{Diagnostic, Span};
use serde_json::{Value, json};

use super::clean;
use crate::failure::{Failure, Fault};

/// LIMIT: a finding in or beside longer lines is shown by its position alone.
const SHOWN_BYTES_MAX: usize = 600;

/// Every finding, each with its place in `source`.
pub(super) fn render(
    name: &str,
    source: &str,
    list: &[Diagnostic],
    color: bool,
    width: usize,
) -> String {
    let theme = if color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width.clamp(40, 200))
        .with_links(false)
        .with_context_lines(1);
    // SECURITY: the file's own text is shown, so its control characters are made harmless; each
    // replacement has the same number of bytes, and every span stays where it is.
    let shown = harmless(source);
    let mut text = String::new();
    for finding in list {
        let mut out = String::new();
        let report = report(name, &shown, finding);
        if handler.render_report(&mut out, report.as_ref()).is_err() {
            out = format!("{}\n", clean(&finding.message));
        }
        text.push_str(&out);
        text.push('\n');
    }
    text
}

/// Same length in bytes, without control characters other than line ends and tabs.
fn harmless(source: &str) -> String {
    source
        .chars()
        .flat_map(|c| {
            let keep = !c.is_control() || matches!(c, '\n' | '\t' | '\r');
            let width = if keep { 0 } else { c.len_utf8() };
            keep.then_some(c)
                .into_iter()
                .chain(std::iter::repeat_n('?', width))
        })
        .collect()
}

fn report(name: &str, source: &str, finding: &Diagnostic) -> miette::Report {
    let message = match &finding.within {
        // The place in the other file leads; the line that names it is shown below.
        Some(within) => format!("{within}: {}", finding.message),
        None => finding.message.clone(),
    };
    let mut shown = MietteDiagnostic::new(clean(&message))
        .with_code(finding.code.replace('.', "::"))
        .with_severity(if finding.is_error() {
            miette::Severity::Error
        } else {
            miette::Severity::Warning
        });
    if let Some(hint) = &finding.hint {
        shown = shown.with_help(clean(hint));
    }
    let Some(span) = finding.span else {
        return miette::Report::from(shown);
    };
    let span = one_line(span, source);
    if shown_length(span, source) > SHOWN_BYTES_MAX {
        let (line, column) = span.position(source);
        shown.message = format!("{} (line {line}, column {column})", shown.message);
        return miette::Report::from(shown);
    }
    let label = LabeledSpan::underline(span.start..span.end);
    miette::Report::from(shown.with_label(label))
        .with_source_code(NamedSource::new(clean(name), source.to_owned()))
}

/// The part of the span on its first line, inside the text and never empty where a byte is left.
fn one_line(span: Span, source: &str) -> Span {
    let start = floor(span.start, source);
    let end = floor(span.end.max(start), source);
    let first = source.get(start..end).unwrap_or_default();
    let len = first.find('\n').unwrap_or(first.len());
    Span {
        start,
        end: start + len,
    }
}

fn floor(at: usize, source: &str) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Bytes of the span's line and of its neighbours.
fn shown_length(span: Span, source: &str) -> usize {
    let before = source.get(..span.start).unwrap_or_default();
    let after = source.get(span.start..).unwrap_or_default();
    let lines = before.rsplit('\n').take(2).chain(after.split('\n').take(2));
    lines.map(str::len).sum()
}

/// A finding as data, with its place as line and column.
pub(crate) fn to_json(finding: &Diagnostic, source: &str) -> Value {
    let position = match &finding.within {
        Some(within) => within.position,
        None => finding.span.map(|span| span.position(source)),
    };
    let mut shown = json!({
        "level": finding.level,
        "code": finding.code,
        "message": finding.message,
        "line": position.map(|(line, _)| line),
        "column": position.map(|(_, column)| column),
        "hint": finding.hint,
    });
    if let (Some(within), Some(fields)) = (&finding.within, shown.as_object_mut()) {
        fields.insert("file".to_owned(), Value::from(within.file.as_str()));
    }
    shown
}

pub(super) fn as_json(failure: &Failure) -> Value {
    let mut errors: Vec<Value> = failure.faults.iter().map(|fault| json!(fault)).collect();
    let mut file = Value::Null;
    if let Some(findings) = &failure.findings {
        file = Value::from(findings.name.as_str());
        errors.extend(
            findings
                .list
                .iter()
                .map(|finding| to_json(finding, &findings.source)),
        );
    }
    json!({
        "message": failure.message,
        "hint": failure.hint,
        "file": file,
        "errors": errors,
        "exit": failure.exit.code(),
    })
}

pub(super) fn fault_line(fault: &Fault) -> String {
    let file = fault.file.as_deref().map(clean);
    let place = match (file, fault.line, fault.column) {
        (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
        (Some(file), Some(line), None) if line > 0 => format!("{file}:{line}: "),
        (Some(file), ..) => format!("{file}: "),
        (None, Some(line), Some(column)) => format!("{line}:{column}: "),
        _ => String::new(),
    };
    let hint = fault
        .hint
        .as_ref()
        .map_or_else(String::new, |hint| format!(" ({})", clean(hint)));
    format!("  {place}{}{hint}\n", clean(&fault.message))
}
