//! Where every value of an estate comes from: `rampart config show --origin`.

use ::model::{Diagnostic, Span};
use serde::Serialize;
use toml_edit::TableLike;

use crate::fields::{Default, ROOT, Table};
use crate::kind::Kind;
use crate::node::{Node, Shape, key_span};
use crate::parse;

/// One value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// `listen.https`, `route.orders.path`.
    pub key: String,
    /// As TOML; for a default that is made from other values, what it is made from.
    pub value: String,
    /// Where it was written, or that nobody wrote it.
    pub place: Place,
}

/// See [`Origin::place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the file.
    File {
        /// One-based.
        line: usize,
        /// One-based, in characters.
        column: usize,
    },
    /// The default.
    Default,
}

/// Every value of the estate in `source`, in the order of the reference.
///
/// # Errors
/// What [`crate::Estate::parse`] says about the text.
pub fn origins(source: &str) -> Result<Vec<Origin>, Vec<Diagnostic>> {
    crate::Estate::parse(source)?;
    let document = parse::document(source).map_err(|error| vec![error])?;
    let lines = Lines::new(source);
    let mut origins = Vec::new();
    table(&mut origins, &lines, "", Some(document.as_table()), &ROOT);
    Ok(origins)
}

/// Beginnings of lines, so that ten thousand positions cost one pass over the text.
struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(source: &'a str) -> Self {
        let breaks = source
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        Self { source, starts }
    }

    fn place(&self, span: Span) -> Place {
        let line = self.starts.partition_point(|start| *start <= span.start);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let before = self.source.get(start..span.start).unwrap_or_default();
        Place::File {
            line,
            column: before.chars().count() + 1,
        }
    }
}

fn table(
    origins: &mut Vec<Origin>,
    lines: &Lines<'_>,
    prefix: &str,
    of: Option<&dyn TableLike>,
    spec: &'static Table,
) {
    for field in spec.fields {
        let key = if prefix.is_empty() {
            field.key.to_owned()
        } else {
            format!("{prefix}.{}", field.key)
        };
        let written = of.and_then(|table| {
            let item = table.get(field.key)?;
            Some((
                Node::of(item, Span::default()),
                key_span(table, field.key, Span::default()),
            ))
        });
        match (&field.kind, written) {
            (Kind::Table(spec), written) => {
                // A table that changes nothing when left out has nothing to show.
                let inner = written.and_then(|(node, _)| node.table());
                if inner.is_some() || prefix.is_empty() {
                    table(origins, lines, &key, inner, spec);
                }
            }
            (Kind::Tables { of, .. }, Some((node, _))) => {
                for (index, entry) in node.items().unwrap_or_default().into_iter().enumerate() {
                    let name = entry.table().and_then(|table| table.get("name")?.as_str());
                    let position = (index + 1).to_string();
                    let key = format!("{key}.{}", name.unwrap_or(&position));
                    table(origins, lines, &key, entry.table(), of);
                }
            }
            (Kind::Tables { .. }, None) => {}
            (_, Some((node, at))) => origins.push(Origin {
                key,
                value: render(node),
                place: lines.place(at),
            }),
            (_, None) => {
                if let Some(value) = default(field.default) {
                    let place = Place::Default;
                    origins.push(Origin { key, value, place });
                }
            }
        }
    }
}

fn default(default: Default) -> Option<String> {
    match default {
        Default::Required | Default::Absent => None,
        Default::Text(text) => Some(quote(text)),
        Default::Bool(truth) => Some(truth.to_string()),
        Default::Count(count) => Some(count.to_string()),
        Default::List(list) => {
            let items: Vec<String> = list.iter().map(|text| quote(text)).collect();
            Some(format!("[{}]", items.join(", ")))
        }
        Default::Derived(text) => Some(format!("({text})")),
    }
}

fn quote(text: &str) -> String {
    toml_edit::Value::from(text).to_string().trim().to_owned()
}

/// A value in one line, as TOML. Values that passed the check are one line each.
fn render(node: Node<'_>) -> String {
    match node.shape {
        Shape::Text(text) => quote(text),
        Shape::Count(count) => count.to_string(),
        Shape::Bool(truth) => truth.to_string(),
        Shape::Table(table) => {
            let part = |(key, item): (&str, &toml_edit::Item)| {
                format!("{key} = {}", render(Node::of(item, Span::default())))
            };
            let parts: Vec<String> = table.iter().map(part).collect();
            format!("{{ {} }}", parts.join(", "))
        }
        Shape::Values(_) | Shape::Headers(_) => {
            let items = node.items().unwrap_or_default().into_iter().map(render);
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Shape::Float | Shape::Date | Shape::Nothing => String::new(),
    }
}

#[cfg(test)]
mod tests;
