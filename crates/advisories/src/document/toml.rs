//! TOML 1.0, by `toml_edit`, which keeps places and bounds nesting itself (80 levels).

use std::borrow::Cow;

use toml_edit::{Document, Item, TableLike, Value as TomlValue};

use super::{Limits, Member, Node, Value};
use crate::inventory::ReadError;
use crate::text::{Places, syntax};

pub(super) fn read<'a>(text: &'a str, limits: &Limits) -> Result<Node<'a>, ReadError> {
    bounded(text, limits)?;
    let places = Places::of(text);
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            let what = format!("no TOML: {}", error.message().replace('\n', " "));
            let conflict = text.contains("\n<<<<<<< ") || text.starts_with("<<<<<<< ");
            let hint = conflict.then_some("resolve the conflict of the merge first");
            return syntax(places.mark(offset), what, hint);
        }
    };
    let mut reader = Reader {
        places: &places,
        values: 0,
        limits,
    };
    let value = reader.table(document.as_table(), 1)?;
    Ok(Node { value, line: 1 })
}

/// LIMIT: bytes of a file.
const FILE_BYTES: usize = 32 << 20;
/// LIMIT: what begins or parts values. The tree that the reader of the text makes has some hundred
/// bytes for each value and some thousand for each table, before any is counted here.
const PARTS: usize = 800_000;
/// What a table counts for.
const TABLE: usize = 4;

fn bounded(text: &str, limits: &Limits) -> Result<(), ReadError> {
    Limits {
        bytes: FILE_BYTES,
        ..*limits
    }
    .take(text.len())?;
    let (mut parts, mut lines) = (0, 1);
    for byte in text.bytes() {
        match byte {
            b'=' | b',' => parts += 1,
            b'[' | b'{' => parts += TABLE,
            b'\n' => lines += 1,
            _ => continue,
        }
        let most = PARTS.min(limits.values.saturating_mul(TABLE));
        let (most, of) = match lines > limits.values {
            true => (limits.values, "lines"),
            false if parts > most => (most, "values"),
            false => continue,
        };
        return Err(ReadError::TooMany {
            line: crate::text::count(lines),
            most,
            of,
        });
    }
    Ok(())
}

struct Reader<'p, 'l> {
    places: &'p Places<'p>,
    values: usize,
    limits: &'l Limits,
}

impl Reader<'_, '_> {
    fn count(&mut self, line: u32) -> Result<(), ReadError> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(ReadError::TooMany {
                line,
                most: self.limits.values,
                of: "values",
            });
        }
        Ok(())
    }

    fn line(&self, span: Option<std::ops::Range<usize>>, around: u32) -> u32 {
        span.map_or(around, |span| self.places.line(span.start))
    }

    /// Nesting is bounded by the reader of the text.
    fn table<'a>(&mut self, table: &dyn TableLike, around: u32) -> Result<Value<'a>, ReadError> {
        let mut members = Vec::new();
        for (name, item) in table.iter() {
            let span = table.key(name).and_then(toml_edit::Key::span);
            let line = self.line(span, around);
            let value = self.item(item, line)?;
            members.push(Member {
                key: Cow::Owned(name.to_owned()),
                line,
                value,
            });
        }
        Ok(Value::Map(members))
    }

    fn item<'a>(&mut self, item: &Item, around: u32) -> Result<Node<'a>, ReadError> {
        let line = self.line(item.span(), around);
        self.count(line)?;
        let value = match item {
            Item::None => Value::Null,
            Item::Value(value) => return self.value(value, line),
            Item::Table(table) => self.table(table, line)?,
            Item::ArrayOfTables(tables) => {
                let mut items = Vec::new();
                for table in tables {
                    let line = self.line(table.span(), line);
                    self.count(line)?;
                    let value = self.table(table, line)?;
                    items.push(Node { value, line });
                }
                Value::List(items)
            }
        };
        Ok(Node { value, line })
    }

    fn value<'a>(&mut self, value: &TomlValue, around: u32) -> Result<Node<'a>, ReadError> {
        let line = self.line(value.span(), around);
        self.count(line)?;
        let value = match value {
            TomlValue::String(text) => Value::Text(Cow::Owned(text.value().clone())),
            TomlValue::Boolean(value) => Value::Bool(*value.value()),
            TomlValue::Integer(number) => Value::Number(Cow::Owned(number.value().to_string())),
            TomlValue::Float(number) => Value::Number(Cow::Owned(number.value().to_string())),
            TomlValue::Datetime(time) => Value::Plain(Cow::Owned(time.value().to_string())),
            TomlValue::Array(array) => {
                let mut items = Vec::new();
                for item in array {
                    items.push(self.value(item, line)?);
                }
                Value::List(items)
            }
            TomlValue::InlineTable(table) => self.table(table, line)?,
        };
        Ok(Node { value, line })
    }
}
