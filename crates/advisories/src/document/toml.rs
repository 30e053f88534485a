//! TOML 1.0, by `toml_edit`, which bounds nesting itself. Dates are texts.

use toml_edit::{Document, Item, TableLike, Value as Toml};

use super::{Bad, Node, Read, Value};

/// LIMIT: bytes of a TOML document: the head of an advisory. The largest has about ten thousand.
const BYTES_MAX: usize = 256 << 10;

/// Reads a document that begins on `first_line` of its file.
pub(crate) fn read(text: &str, first_line: u32) -> Read<Node> {
    if text.len() > BYTES_MAX {
        return Err(Bad::at(
            first_line,
            format!("longer than {BYTES_MAX} bytes"),
        ));
    }
    let lines = Lines::new(text, first_line);
    let document: Document<&str> = Document::parse(text).map_err(|error| {
        let line = lines.of(error.span().map(|span| span.start));
        Bad::at(line, error.message().to_owned())
    })?;
    Ok(table(document.as_table(), first_line, &lines))
}

/// Where lines begin.
struct Lines {
    ends: Vec<usize>,
    first: u32,
}

impl Lines {
    fn new(text: &str, first: u32) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { ends, first }
    }

    fn of(&self, byte: Option<usize>) -> u32 {
        let Some(byte) = byte else { return 0 };
        let before = self.ends.partition_point(|end| *end < byte);
        u32::try_from(before).map_or(0, |before| self.first.saturating_add(before))
    }
}

fn table(table: &dyn TableLike, line: u32, lines: &Lines) -> Node {
    let members = table.iter();
    Node {
        line,
        value: Value::Map(
            members
                .map(|(name, item)| (name.to_owned(), node(item, lines)))
                .collect(),
        ),
    }
}

fn node(item: &Item, lines: &Lines) -> Node {
    let line = lines.of(item.span().map(|span| span.start));
    match item {
        Item::None => Node {
            line,
            value: Value::Null,
        },
        Item::Value(found) => value(found, lines),
        Item::Table(found) => table(found, line, lines),
        Item::ArrayOfTables(found) => Node {
            line,
            value: Value::List(
                found
                    .iter()
                    .map(|one| table(one, lines.of(one.span().map(|span| span.start)), lines))
                    .collect(),
            ),
        },
    }
}

fn value(found: &Toml, lines: &Lines) -> Node {
    let line = lines.of(found.span().map(|span| span.start));
    let value = match found {
        Toml::String(text) => Value::Text(text.value().clone()),
        Toml::Datetime(date) => Value::Text(date.value().to_string()),
        Toml::Integer(number) => Value::Other(number.value().to_string()),
        Toml::Float(number) => Value::Other(number.value().to_string()),
        Toml::Boolean(truth) => Value::Other(truth.value().to_string()),
        Toml::Array(items) => Value::List(items.iter().map(|item| value(item, lines)).collect()),
        Toml::InlineTable(members) => return table(members, line, lines),
    };
    Node { line, value }
}
