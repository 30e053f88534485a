//! JSON documents, by the reader of bodies.

use super::{Bad, Mark, Member, Node, Value};
use crate::Limits;
use crate::tree::{self, Arena, Kind, Tree};

pub(super) fn read(text: &str, limits: &Limits) -> Result<Node, Bad> {
    let places = Places::of(text);
    let mut arena = Arena::default();
    let depth = limits.document_depth;
    match tree::read(&mut arena, text.as_bytes(), depth, limits.document_nodes) {
        Ok(text) => Ok(node(
            &arena.tree(text),
            Tree::ROOT,
            Mark::default(),
            &places,
        )),
        Err(error) => Err(Bad {
            mark: places.mark(error.offset),
            message: format!("no JSON that is taken: {}", error.what),
            hint: "",
        }),
    }
}

/// Depth is bounded by the reader.
fn node(tree: &Tree<'_>, at: u32, around: Mark, places: &Places<'_>) -> Node {
    let mark = tree.offset(at).map_or(around, |offset| places.mark(offset));
    let value = match tree.kind(at) {
        Kind::Null => Value::Null,
        Kind::False => Value::Bool(false),
        Kind::True => Value::Bool(true),
        Kind::Number => tree.decimal(at).map_or(Value::Null, Value::Number),
        Kind::String => Value::String(tree.text(at).to_owned()),
        Kind::Array => {
            let items = tree.items(at);
            Value::Array(items.map(|item| node(tree, item, mark, places)).collect())
        }
        Kind::Object => Value::Object(
            tree.members(at)
                .map(|(key, value)| Member {
                    name: tree.text(key).to_owned(),
                    mark: tree.offset(key).map_or(mark, |offset| places.mark(offset)),
                    value: node(tree, value, mark, places),
                })
                .collect(),
        ),
    };
    Node { value, mark }
}

/// Lines of a text.
struct Places<'a> {
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    fn of(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self {
            text,
            lines: std::iter::once(0).chain(ends).collect(),
        }
    }

    fn mark(&self, offset: usize) -> Mark {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        // LIMIT: a document of one line has columns that nobody counts in characters.
        let before = self.text.as_bytes().get(start..offset).unwrap_or_default();
        let column = if before.len() > 2_000 {
            before.len()
        } else {
            before.iter().filter(|b| (**b & 0xC0) != 0x80).count()
        };
        Mark {
            line: line.max(1),
            column: column + 1,
        }
    }
}
