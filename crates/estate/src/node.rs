//! One view of what toml_edit parsed: a value is a text, a number, a list or a table, wherever and
//! however it was written, and knows where it stands.

use ::model::Span;
use toml_edit::{Item, TableLike, Value};

/// A written value.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) shape: Shape<'a>,
    pub(crate) span: Span,
}

/// What a value looks like.
#[derive(Clone, Copy)]
pub(crate) enum Shape<'a> {
    Text(&'a str),
    Count(i64),
    Float,
    Bool(bool),
    Date,
    Values(&'a toml_edit::Array),
    Headers(&'a toml_edit::ArrayOfTables),
    Table(&'a dyn TableLike),
    Nothing,
}

impl<'a> Node<'a> {
    /// The value of an item; `fallback` is the span where the parser kept none.
    pub(crate) fn of(item: &'a Item, fallback: Span) -> Self {
        let span = item.span().map_or(fallback, Span::from);
        let shape = match item {
            Item::None => Shape::Nothing,
            Item::Value(value) => return Self::of_value(value, span),
            Item::Table(table) => {
                return Self {
                    shape: Shape::Table(table),
                    span: extent(table, table.span().map_or(fallback, Span::from)),
                };
            }
            Item::ArrayOfTables(tables) => Shape::Headers(tables),
        };
        Self { shape, span }
    }

    fn of_value(value: &'a Value, fallback: Span) -> Self {
        let span = value.span().map_or(fallback, Span::from);
        let shape = match value {
            Value::String(text) => Shape::Text(text.value()),
            Value::Integer(number) => Shape::Count(*number.value()),
            Value::Float(_) => Shape::Float,
            Value::Boolean(truth) => Shape::Bool(*truth.value()),
            Value::Datetime(_) => Shape::Date,
            Value::Array(values) => Shape::Values(values),
            Value::InlineTable(table) => Shape::Table(table),
        };
        Self { shape, span }
    }

    /// The items of a list, however it was written; `None` when this is no list.
    pub(crate) fn items(self) -> Option<Vec<Self>> {
        match self.shape {
            Shape::Values(values) => Some(
                values
                    .iter()
                    .map(|v| Self::of_value(v, self.span))
                    .collect(),
            ),
            Shape::Headers(tables) => Some(
                tables
                    .iter()
                    .map(|table| Self {
                        shape: Shape::Table(table),
                        span: extent(table, table.span().map_or(self.span, Span::from)),
                    })
                    .collect(),
            ),
            _ => None,
        }
    }

    pub(crate) fn text(self) -> Option<&'a str> {
        match self.shape {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn table(self) -> Option<&'a dyn TableLike> {
        match self.shape {
            Shape::Table(table) => Some(table),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn describe(self) -> &'static str {
        match self.shape {
            Shape::Text(_) => "a text",
            Shape::Count(_) => "a number",
            Shape::Float => "a fraction",
            Shape::Bool(_) => "a truth value",
            Shape::Date => "a date",
            Shape::Values(_) => "a list",
            Shape::Headers(_) => "a list of tables",
            Shape::Table(_) => "a table",
            Shape::Nothing => "nothing",
        }
    }
}

/// From the header of a table to the end of its last value.
fn extent(table: &dyn TableLike, header: Span) -> Span {
    let end = table
        .iter()
        .filter_map(|(_, item)| item.span())
        .map(|span| span.end)
        .max();
    Span {
        start: header.start,
        end: header.end.max(end.unwrap_or(0)),
    }
}

/// Where a key stands.
pub(crate) fn key_span(table: &dyn TableLike, key: &str, fallback: Span) -> Span {
    table
        .key(key)
        .and_then(toml_edit::Key::span)
        .map_or(fallback, Span::from)
}
