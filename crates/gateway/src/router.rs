//! From a host and a canonical path to a route: one tree of segments per host.
//!
//! The most specific pattern wins: a literal before `*`, `*` before `**`, with a way back when a
//! more specific branch leads nowhere. A host's own routes come before those of every host.

use ahash::AHashMap;
use estate::{PathPattern, Segment};

/// Which route of the estate, by its place in the file.
pub(crate) type RouteIndex = usize;

/// Every route of an estate.
#[derive(Debug, Default)]
pub(crate) struct Router {
    hosts: AHashMap<Box<str>, Tree>,
    any: Tree,
}

#[derive(Debug)]
struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    literal: AHashMap<Box<str>, usize>,
    one: Option<usize>,
    rest: Option<RouteIndex>,
    here: Option<RouteIndex>,
}

impl Router {
    /// Adds a route; of two with the same pattern the first stays.
    pub(crate) fn add(&mut self, host: Option<&str>, pattern: &PathPattern, route: RouteIndex) {
        let tree = match host {
            Some(host) => self.hosts.entry(host.into()).or_default(),
            None => &mut self.any,
        };
        tree.add(pattern, route);
    }

    /// Whether some route names `host`, or serves every host.
    pub(crate) fn serves(&self, host: &str) -> bool {
        self.hosts.contains_key(host) || !self.any.is_empty()
    }

    /// The route of a canonical path on a host (lower case, without port).
    ///
    /// SECURITY: a slash at the end changes nothing. Many services treat both alike, so that a
    /// rule for `/admin` which did not hold for `/admin/` would be none.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<RouteIndex> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let own = self.hosts.get(host).and_then(|tree| tree.find(path));
        own.or_else(|| self.any.find(path))
    }

    /// Whether a path without the parameters of its segments (RFC 3986 §3.3) leads to `route` too.
    ///
    /// SECURITY: some services cut a segment off at its first `;`, and take `/admin;x` for `/admin`.
    /// A rule for `/admin` that did not hold there would be none.
    pub(crate) fn is_alone(&self, host: &str, path: &str, route: Option<RouteIndex>) -> bool {
        if !path.contains(';') {
            return true;
        }
        let names = path.split('/').map(|segment| segment.split(';').next());
        let names: Vec<&str> = names.map(Option::unwrap_or_default).collect();
        self.find(host, &names.join("/")) == route
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }
}

impl Tree {
    fn is_empty(&self) -> bool {
        let [root] = self.nodes.as_slice() else {
            return false;
        };
        root.rest.is_none() && root.here.is_none()
    }

    fn add(&mut self, pattern: &PathPattern, route: RouteIndex) {
        let mut at = 0;
        for segment in &pattern.segments {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            at = match segment {
                Segment::Rest => {
                    node.rest.get_or_insert(route);
                    return;
                }
                Segment::One => *node.one.get_or_insert(fresh),
                Segment::Literal(text) => {
                    *node.literal.entry(text.as_str().into()).or_insert(fresh)
                }
            };
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.here.get_or_insert(route);
        }
    }

    fn find(&self, path: &str) -> Option<RouteIndex> {
        let path = (!path.is_empty()).then_some(path);
        self.walk(0, path)
    }

    /// LIMIT: goes no deeper than the deepest pattern, which has at most 64 segments.
    fn walk(&self, at: usize, path: Option<&str>) -> Option<RouteIndex> {
        let node = self.nodes.get(at)?;
        let Some(path) = path else {
            return node.here.or(node.rest);
        };
        let end = path.bytes().position(|byte| byte == b'/');
        let (segment, rest) = match end.and_then(|end| path.split_at_checked(end)) {
            Some((segment, rest)) => (segment, rest.get(1..)),
            None => (path, None),
        };
        let literal = node.literal.get(segment);
        literal
            .and_then(|next| self.walk(*next, rest))
            .or_else(|| node.one.and_then(|next| self.walk(next, rest)))
            .or(node.rest)
    }
}

#[cfg(test)]
mod tests;
