//! The second pass reads values that the first has found to be of the right kind; where nothing is
//! written it gives the default of the table of fields.

use std::net::SocketAddr;
use std::time::Duration;

use ::model::{ByteSize, Rate, Span, parse_duration};
use toml_edit::TableLike;

use crate::fields::{Default, Table};
use crate::node::{Node, Shape, key_span};
use crate::values;

/// Reads one table; absent tables read as their defaults.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    spec: &'static Table,
    table: Option<&'a dyn TableLike>,
    /// The whole table.
    pub(crate) span: Span,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(spec: &'static Table, table: Option<&'a dyn TableLike>, span: Span) -> Self {
        Self { spec, table, span }
    }

    /// The written value of `key`.
    pub(crate) fn node(&self, key: &str) -> Option<Node<'a>> {
        debug_assert!(
            self.spec.field(key).is_some(),
            "`{key}` is in the table of fields"
        );
        let table = self.table?;
        let item = table.get(key)?;
        Some(Node::of(item, key_span(table, key, self.span)))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// Where the value of `key` stands; the whole table when it is not written.
    pub(crate) fn span_of(&self, key: &str) -> Span {
        self.node(key).map_or(self.span, |node| node.span)
    }

    /// The keys that are written, with their places.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (&'static str, Span)> {
        self.spec
            .fields
            .iter()
            .filter_map(|field| self.node(field.key).map(|node| (field.key, node.span)))
    }

    fn default(&self, key: &str) -> Option<Default> {
        self.spec.field(key).map(|field| field.default)
    }

    /// The text of `key`: written, or the default.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        match (self.node(key), self.default(key)) {
            (Some(node), _) => node.text(),
            (None, Some(Default::Text(text))) => Some(text),
            (None, _) => None,
        }
    }

    /// A text, converted; `None` where it is absent or was refused by the first pass.
    pub(crate) fn parse<T, E>(
        &self,
        key: &str,
        convert: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        convert(self.text(key)?).ok()
    }

    /// A text, converted, with its place.
    pub(crate) fn placed<T, E>(
        &self,
        key: &str,
        convert: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Placed<T>> {
        let span = self.span_of(key);
        self.parse(key, convert).map(|value| Placed { value, span })
    }

    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        self.parse(key, parse_duration)
    }

    pub(crate) fn size(&self, key: &str) -> Option<ByteSize> {
        self.parse(key, str::parse)
    }

    pub(crate) fn rate(&self, key: &str) -> Option<Rate> {
        self.parse(key, str::parse)
    }

    pub(crate) fn bool(&self, key: &str) -> Option<bool> {
        match (self.node(key).map(|node| node.shape), self.default(key)) {
            (Some(Shape::Bool(truth)), _) => Some(truth),
            (None, Some(Default::Bool(truth))) => Some(truth),
            _ => None,
        }
    }

    /// A number that the first pass has found to be in range.
    pub(crate) fn count<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        match (self.node(key).map(|node| node.shape), self.default(key)) {
            (Some(Shape::Count(number)), _) => T::try_from(number).ok(),
            (None, Some(Default::Count(number))) => T::try_from(number).ok(),
            _ => None,
        }
    }

    /// The items of a list of texts that convert.
    pub(crate) fn list<T, E>(
        &self,
        key: &str,
        convert: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<Placed<T>> {
        let Some(node) = self.node(key) else {
            let Some(Default::List(texts)) = self.default(key) else {
                return Vec::new();
            };
            let span = self.span;
            let values = texts.iter().filter_map(|text| convert(text).ok());
            return values.map(|value| Placed { value, span }).collect();
        };
        let placed = |item: Node<'_>| {
            let value = convert(item.text()?).ok()?;
            Some(Placed {
                value,
                span: item.span,
            })
        };
        match node.items() {
            Some(items) => items.into_iter().filter_map(placed).collect(),
            None => placed(node).into_iter().collect(),
        }
    }

    pub(crate) fn values<T, E>(&self, key: &str, convert: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        self.list(key, convert)
            .into_iter()
            .map(|item| item.value)
            .collect()
    }

    pub(crate) fn sockets(&self, key: &str) -> Vec<Placed<SocketAddr>> {
        self.list(key, values::socket)
    }

    /// The table under `key`.
    pub(crate) fn sub(&self, key: &str, spec: &'static Table) -> Self {
        let node = self.node(key);
        Self {
            spec,
            table: node.and_then(Node::table),
            span: node.map_or(self.span, |node| node.span),
        }
    }

    /// Every table of the list under `key`.
    pub(crate) fn each(&self, key: &str, spec: &'static Table) -> Vec<Self> {
        let items = self.node(key).and_then(Node::items).unwrap_or_default();
        items
            .into_iter()
            .filter_map(|item| {
                Some(Self {
                    spec,
                    table: Some(item.table()?),
                    span: item.span,
                })
            })
            .collect()
    }
}

/// A conversion for texts that are taken as they are.
pub(crate) fn plain(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.to_owned())
}
