//! A JSON value as a flat list of nodes over the text it was read from: nothing is copied but
//! strings with escapes, and the list's memory serves one check after another.

mod read;

pub(crate) use read::{Fault, ReadError, read};

use crate::number::Decimal;

/// The seven kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
}

/// Where a node's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// In the input.
    Input,
    /// In the arena: it had escapes, or was no JSON to begin with.
    Decoded,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    held: Held,
    /// Where the text begins.
    start: u32,
    /// Bytes of text, items, or members.
    len: u32,
    /// The node after this one and all that it holds.
    next: u32,
}

/// Memory of trees.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    nodes: Vec<Node>,
    decoded: String,
}

// LIMIT: nodes and text that are kept between checks; one large body does not stay for ever.
const KEEP_NODES: usize = 4_096;
const KEEP_BYTES: usize = 65_536;

impl Arena {
    /// Empties it for another value.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.decoded.clear();
        self.nodes.shrink_to(KEEP_NODES);
        self.decoded.shrink_to(KEEP_BYTES);
    }

    fn len(&self) -> u32 {
        // INVARIANT: readers stop far below: a node is at least a byte of a text of 32 bits.
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
    }

    fn push(&mut self, kind: Kind, held: Held, start: u32, len: u32) -> u32 {
        let at = self.len();
        self.nodes.push(Node {
            kind,
            held,
            start,
            len,
            next: at.saturating_add(1),
        });
        at
    }

    /// Adds a value without text of its own.
    pub(crate) fn plain(&mut self, kind: Kind) {
        self.push(kind, Held::Decoded, 0, 0);
    }

    /// Adds a string or a number whose text is copied.
    pub(crate) fn text(&mut self, kind: Kind, text: &str) {
        let start = u32::try_from(self.decoded.len()).unwrap_or(u32::MAX);
        self.decoded.push_str(text);
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.push(kind, Held::Decoded, start, len);
    }

    /// Opens an array or object; [`Self::close`] says how many it holds.
    pub(crate) fn open(&mut self, kind: Kind) -> u32 {
        self.push(kind, Held::Decoded, 0, 0)
    }

    /// Closes what was opened.
    pub(crate) fn close(&mut self, opened: u32, count: u32) {
        let next = self.len();
        if let Some(node) = self.nodes.get_mut(opened as usize) {
            node.len = count;
            node.next = next;
        }
    }

    /// Adds a value of another tree, copied.
    pub(crate) fn graft(&mut self, tree: &Tree<'_>, at: u32) {
        // Depth is bounded by whoever read the tree.
        match tree.kind(at) {
            kind @ (Kind::Null | Kind::True | Kind::False) => self.plain(kind),
            kind @ (Kind::String | Kind::Number) => self.text(kind, tree.text(at)),
            kind @ (Kind::Array | Kind::Object) => {
                let opened = self.open(kind);
                tree.items(at).for_each(|item| self.graft(tree, item));
                for (key, value) in tree.members(at) {
                    self.text(Kind::String, tree.text(key));
                    self.graft(tree, value);
                }
                self.close(opened, tree.count(at));
            }
        }
    }

    /// The tree over `input`.
    pub(crate) fn tree<'a>(&'a self, input: &'a str) -> Tree<'a> {
        Tree {
            nodes: &self.nodes,
            decoded: &self.decoded,
            input,
        }
    }
}

/// A value to look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tree<'a> {
    nodes: &'a [Node],
    decoded: &'a str,
    input: &'a str,
}

impl<'a> Tree<'a> {
    /// The node of the whole value.
    pub(crate) const ROOT: u32 = 0;

    fn node(&self, at: u32) -> Option<&'a Node> {
        self.nodes.get(at as usize)
    }

    /// What kind of value it is.
    pub(crate) fn kind(&self, at: u32) -> Kind {
        self.node(at).map_or(Kind::Null, |node| node.kind)
    }

    /// The text of a string, decoded, or of a number, as written.
    pub(crate) fn text(&self, at: u32) -> &'a str {
        let Some(node) = self.node(at) else {
            return "";
        };
        let from = match node.held {
            Held::Input => self.input,
            Held::Decoded => self.decoded,
        };
        let start = node.start as usize;
        from.get(start..start + node.len as usize)
            .unwrap_or_default()
    }

    /// Where in the input it begins, where that is known.
    pub(crate) fn offset(&self, at: u32) -> Option<usize> {
        let node = self.node(at)?;
        (node.held == Held::Input).then_some(node.start as usize)
    }

    /// How many items or members it has.
    pub(crate) fn count(&self, at: u32) -> u32 {
        self.node(at).map_or(0, |node| node.len)
    }

    /// The nodes of a value and all that it holds.
    pub(crate) fn weight(&self, at: u32) -> u32 {
        self.node(at)
            .map_or(1, |node| node.next.saturating_sub(at).max(1))
    }

    /// The exact value of a number.
    pub(crate) fn decimal(&self, at: u32) -> Option<Decimal> {
        Decimal::parse(self.text(at))
    }

    /// The items of an array.
    pub(crate) fn items(&self, at: u32) -> Items<'a> {
        let count = if self.kind(at) == Kind::Array {
            self.count(at)
        } else {
            0
        };
        Items {
            tree: *self,
            next: at.saturating_add(1),
            left: count,
        }
    }

    /// The members of an object: key and value.
    pub(crate) fn members(&self, at: u32) -> Members<'a> {
        let count = if self.kind(at) == Kind::Object {
            self.count(at)
        } else {
            0
        };
        Members(Items {
            tree: *self,
            next: at.saturating_add(1),
            left: count.saturating_mul(2),
        })
    }

    /// The value of a member.
    pub(crate) fn member(&self, at: u32, name: &str) -> Option<u32> {
        self.members(at)
            .find(|(key, _)| self.text(*key) == name)
            .map(|(_, value)| value)
    }
}

/// Nodes that follow each other.
#[derive(Debug, Clone)]
pub(crate) struct Items<'a> {
    tree: Tree<'a>,
    next: u32,
    left: u32,
}

impl Iterator for Items<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let at = self.next;
        self.next = self.tree.node(at)?.next;
        Some(at)
    }
}

/// Members of an object.
#[derive(Debug, Clone)]
pub(crate) struct Members<'a>(Items<'a>);

impl Iterator for Members<'_> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        Some((self.0.next()?, self.0.next()?))
    }
}

#[cfg(test)]
mod tests;
