//! The first pass over a file: every key is known, every value has the right kind, nothing that
//! must be there is missing. It reads the table of fields and knows nothing of what they mean.

use ::model::{Diagnostic, Span};
use toml_edit::TableLike;

use crate::fields::{Default, Table};
use crate::findings::Findings;
use crate::kind::{COST_MAX, Kind, METHODS_MAX, NAME, ROLE_MAP_MAX};
use crate::node::{Node, Shape, key_span};
use crate::suggest;
use crate::values::{self, quoted};

/// Checks one table against its fields.
pub(crate) fn check(
    findings: &mut Findings,
    table: &dyn TableLike,
    spec: &'static Table,
    place: Place<'_>,
) {
    for (key, item) in table.iter() {
        let at = key_span(table, key, place.span);
        match spec.field(key) {
            Some(field) => value(findings, key, Node::of(item, at), &field.kind),
            None => unknown_key(findings, key, at, spec, place),
        }
    }
    for field in spec.fields {
        if matches!(field.default, Default::Required) && !table.contains_key(field.key) {
            let message = format!("{} needs `{}`", place.label(), field.key);
            findings.push(
                Diagnostic::error("estate.missing_key", place.header(), message)
                    .hint(field.doc.to_owned()),
            );
        }
    }
}

/// Where a table stands, and how it is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) key: &'a str,
    pub(crate) span: Span,
}

impl Place<'_> {
    fn label(self) -> String {
        if self.key.is_empty() {
            "the file".to_owned()
        } else {
            format!("`{}`", self.key)
        }
    }

    /// Something missing is shown where its table begins, not over the whole of it.
    fn header(self) -> Span {
        let shown = match self.key.len() {
            0 => 0,
            len => len.saturating_add(4),
        };
        Span {
            start: self.span.start,
            end: self.span.end.min(self.span.start.saturating_add(shown)),
        }
    }
}

fn unknown_key(
    findings: &mut Findings,
    key: &str,
    at: Span,
    spec: &'static Table,
    place: Place<'_>,
) {
    let message = format!("{} has no key {}", place.label(), quoted(key));
    let finding = Diagnostic::error("estate.unknown_key", at, message);
    if !findings.may_suggest(spec.fields.len()) {
        return findings.push(finding);
    }
    let keys = spec.fields.iter().map(|field| field.key);
    let near = suggest::nearest(key, keys);
    let elsewhere = crate::fields::ROOT
        .fields
        .iter()
        .find(|field| match field.kind {
            Kind::Table(table) => table.field(key).is_some(),
            _ => false,
        });
    findings.push(match (near, elsewhere) {
        (Some(near), _) => finding.hint(format!("did you mean `{near}`?")),
        (None, Some(table)) => finding.hint(format!("`{key}` is a key of `[{}]`", table.key)),
        (None, None) => {
            let all: Vec<&str> = spec.fields.iter().map(|field| field.key).collect();
            finding.hint(format!("keys here are `{}`", all.join("`, `")))
        }
    });
}

/// Checks one value against its kind.
fn value(findings: &mut Findings, key: &str, node: Node<'_>, kind: &'static Kind) {
    match (kind, node.shape) {
        (Kind::Either { nested, .. }, shape) if !matches!(shape, Shape::Text(_)) => {
            match (nested, shape) {
                (Kind::List { .. }, Shape::Values(_)) | (_, Shape::Table(_)) => {
                    value(findings, key, node, nested);
                }
                _ => wrong_type(findings, key, node, kind),
            }
        }
        (kind, Shape::Text(text)) if kind.is_text() => {
            if let Err(wrong) = kind.check_text(text) {
                findings.wrong(node.span, key, wrong);
            }
        }
        (Kind::Bool, Shape::Bool(_)) => {}
        (Kind::Count { min, max }, Shape::Count(number)) => {
            if number < *min || number > *max {
                let message = format!("`{key}`: {number} is not a number from {min} to {max}");
                findings.error("estate.bad_value", node.span, message);
            }
        }
        (Kind::ByMethod, Shape::Table(table)) => by_method(findings, key, table, node.span),
        (Kind::Cost, Shape::Count(number)) => cost(findings, key, number, node.span),
        (Kind::Cost, Shape::Table(table)) => costs(findings, key, table, node.span),
        (Kind::RoleMap, Shape::Table(table)) => role_map(findings, key, table, node.span),
        (Kind::List { of, max }, Shape::Values(_)) => {
            let items = node.items().unwrap_or_default();
            if too_many(findings, key, items.len(), *max, node.span) {
                return;
            }
            for item in items {
                value(findings, key, item, of);
            }
        }
        (Kind::Table(spec), Shape::Table(table)) => {
            let span = node.span;
            check(findings, table, spec, Place { key, span });
        }
        (Kind::Tables { of, max }, Shape::Values(_) | Shape::Headers(_)) => {
            entries(findings, key, node, of, *max);
        }
        _ => wrong_type(findings, key, node, kind),
    }
}

fn entries(findings: &mut Findings, key: &str, node: Node<'_>, spec: &'static Table, max: usize) {
    let items = node.items().unwrap_or_default();
    if too_many(findings, key, items.len(), max, node.span) {
        return;
    }
    for item in items {
        match item.table() {
            Some(table) => {
                let span = item.span;
                check(findings, table, spec, Place { key, span });
            }
            None => {
                let message = format!(
                    "`{key}` is a list of tables, and this is {}",
                    item.describe()
                );
                findings.error("estate.wrong_type", item.span, message);
            }
        }
    }
}

fn by_method(findings: &mut Findings, key: &str, table: &dyn TableLike, at: Span) {
    if too_many(findings, key, table.len(), METHODS_MAX, at) {
        return;
    }
    if table.is_empty() {
        let message = format!("`{key}` lists no method, so every request would be refused");
        findings.error("estate.bad_value", at, message);
    }
    for (method, item) in table.iter() {
        let at = key_span(table, method, at);
        if let Err(wrong) = values::method(method) {
            findings.wrong(at, key, wrong);
        }
        value(findings, method, Node::of(item, at), &Kind::Needed);
    }
}

fn cost(findings: &mut Findings, key: &str, number: i64, at: Span) {
    if !(1..=COST_MAX).contains(&number) {
        let message = format!("`{key}`: {number} is not a number from 1 to {COST_MAX}");
        findings.error("estate.bad_value", at, message);
    }
}

fn costs(findings: &mut Findings, key: &str, table: &dyn TableLike, at: Span) {
    if too_many(findings, key, table.len(), METHODS_MAX, at) {
        return;
    }
    for (method, item) in table.iter() {
        let at = key_span(table, method, at);
        if let Err(wrong) = values::method(method) {
            findings.wrong(at, key, wrong);
        }
        match Node::of(item, at) {
            Node {
                shape: Shape::Count(number),
                span,
            } => cost(findings, method, number, span),
            node => wrong_type(findings, method, node, &COST),
        }
    }
}

static COST: Kind = Kind::Count {
    min: 1,
    max: COST_MAX,
};

fn role_map(findings: &mut Findings, key: &str, table: &dyn TableLike, at: Span) {
    if too_many(findings, key, table.len(), ROLE_MAP_MAX, at) {
        return;
    }
    for (claimed, item) in table.iter() {
        let at = key_span(table, claimed, at);
        if claimed.is_empty() || claimed.len() > 256 || claimed.chars().any(char::is_control) {
            let message = format!("`{key}`: {} is no value of a claim", quoted(claimed));
            findings.error("estate.bad_value", at, message);
        }
        value(findings, key, Node::of(item, at), &NAME);
    }
}

fn too_many(findings: &mut Findings, key: &str, len: usize, max: usize, at: Span) -> bool {
    if len > max {
        let message = format!("`{key}` has {len} entries; at most {max} are accepted");
        findings.error("estate.too_many", at, message);
    }
    len > max
}

fn wrong_type(findings: &mut Findings, key: &str, node: Node<'_>, kind: &Kind) {
    let message = format!(
        "`{key}` is {}, and should be: {}",
        node.describe(),
        kind.describe()
    );
    let finding = Diagnostic::error("estate.wrong_type", node.span, message);
    let hint = match (kind, node.shape) {
        (Kind::Duration { .. }, Shape::Count(n)) => Some(format!("with its unit: `\"{n}s\"`")),
        (Kind::Size { .. }, Shape::Count(n)) => Some(format!("with its unit: `\"{n}B\"`")),
        (Kind::List { .. }, Shape::Text(text)) => Some(format!(
            "in brackets: `[\"{}\"]`",
            quoted(text).trim_matches('`')
        )),
        (Kind::Tables { .. }, Shape::Table(_)) => Some(format!("with two brackets: `[[{key}]]`")),
        (Kind::Table(_), Shape::Headers(_)) => Some(format!("with one bracket: `[{key}]`")),
        (Kind::Count { .. } | Kind::Cost | Kind::Bool, Shape::Text(_)) => {
            Some("without quotes".to_owned())
        }
        (kind, Shape::Count(_) | Shape::Float | Shape::Bool(_) | Shape::Date) if kind.is_text() => {
            Some("in quotes".to_owned())
        }
        _ => None,
    };
    findings.push(match hint {
        Some(hint) => finding.hint(hint),
        None => finding,
    });
}
