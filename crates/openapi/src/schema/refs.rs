//! Names that schemas give themselves (`$id`, `$anchor`, `$dynamicAnchor`) and what references lead
//! to. All within one document: another one is never read.

use std::collections::HashMap;

use super::uri;
use crate::source::{At, Findings, Node};

/// A schema resource: what an `$id` begins (JSON Schema core §8.2.1). The document itself is one.
#[derive(Debug)]
pub(super) struct Resource<'d> {
    pub(super) base: String,
    pub(super) root: At<'d>,
    anchors: HashMap<String, At<'d>>,
    pub(super) dynamic: HashMap<String, At<'d>>,
}

/// Every resource of a document.
#[derive(Debug)]
pub(super) struct Registry<'d> {
    pub(super) resources: Vec<Resource<'d>>,
    /// The resource of each schema that has an `$id`, by its address.
    owned: HashMap<*const Node, u32>,
}

/// Keywords that hold a schema.
pub(super) const ONE: &[&str] = &[
    "additionalProperties",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "items",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "contentSchema",
    "additionalItems",
];
/// Keywords that hold a list of schemas.
pub(super) const LIST: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords that hold schemas by name.
pub(super) const MAP: &[&str] = &[
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
];

impl<'d> Registry<'d> {
    /// Of a document: its own resource, without a name.
    pub(super) fn new(root: At<'d>) -> Self {
        let mut registry = Self {
            resources: Vec::new(),
            owned: HashMap::new(),
        };
        registry.open(String::new(), root);
        registry
    }

    fn open(&mut self, base: String, root: At<'d>) -> u32 {
        let at = u32::try_from(self.resources.len()).unwrap_or(u32::MAX);
        self.resources.push(Resource {
            base,
            root,
            anchors: HashMap::new(),
            dynamic: HashMap::new(),
        });
        at
    }

    /// Collects the names within a schema, and within what it holds.
    pub(super) fn scan(&mut self, schema: &At<'d>, around: u32, findings: &mut Findings) {
        // Depth is that of the document, which is bounded.
        let node = schema.node;
        let mut resource = around;
        if let Some(id) = node.get("$id").and_then(Node::as_str) {
            let (address, fragment) = id.split_once('#').unwrap_or((id, ""));
            let base = self.base(around);
            if !fragment.is_empty() {
                findings.error(
                    schema,
                    "`$id` has a fragment",
                    "name the place with `$anchor`",
                );
            }
            if !address.is_empty() {
                let base = uri::resolve(&base, address);
                if self.resources.iter().any(|known| known.base == base) && !base.is_empty() {
                    findings.error(
                        schema,
                        format!("`$id` is that of another schema: `{base}`"),
                        "",
                    );
                }
                if std::ptr::eq(node, self.root_of(around)) {
                    if let Some(own) = self.resources.get_mut(around as usize) {
                        own.base = base;
                    }
                } else {
                    resource = self.open(base, schema.clone());
                }
                self.owned.insert(std::ptr::from_ref(node), resource);
            }
        }
        if let Some(own) = self.resources.get_mut(resource as usize) {
            if let Some(name) = node.get("$anchor").and_then(Node::as_str) {
                own.anchors.insert(name.to_owned(), schema.clone());
            }
            if let Some(name) = node.get("$dynamicAnchor").and_then(Node::as_str) {
                own.anchors.insert(name.to_owned(), schema.clone());
                own.dynamic.insert(name.to_owned(), schema.clone());
            }
        }
        for (name, inner) in schema.members() {
            if ONE.contains(&name) {
                self.scan(&inner, resource, findings);
            } else if LIST.contains(&name) {
                inner
                    .items()
                    .for_each(|item| self.scan(&item, resource, findings));
            } else if MAP.contains(&name) {
                inner
                    .members()
                    .for_each(|(_, item)| self.scan(&item, resource, findings));
            }
        }
    }

    fn root_of(&self, resource: u32) -> *const Node {
        let found = self.resources.get(resource as usize);
        found.map_or(std::ptr::null(), |found| {
            std::ptr::from_ref(found.root.node)
        })
    }

    fn base(&self, resource: u32) -> String {
        let found = self.resources.get(resource as usize);
        found.map(|found| found.base.clone()).unwrap_or_default()
    }

    /// The resource a schema is part of, when its parent is of `around`.
    pub(super) fn resource(&self, node: &Node, around: u32) -> u32 {
        self.owned
            .get(&std::ptr::from_ref(node))
            .copied()
            .unwrap_or(around)
    }

    /// What a reference in a resource leads to, and the resource that is part of.
    ///
    /// # Errors
    /// Why it leads nowhere, and a hint.
    pub(super) fn follow(
        &self,
        reference: &str,
        from: u32,
    ) -> Result<(At<'d>, u32), (String, &'static str)> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let target = if address.is_empty() {
            from
        } else {
            let base = uri::resolve(&self.base(from), address);
            let found = self.resources.iter().position(|known| known.base == base);
            let Some(found) = found.and_then(|at| u32::try_from(at).ok()) else {
                return Err((
                    format!("`{reference}` is in another document"),
                    "bundle the document into one file first: nothing outside it is read",
                ));
            };
            found
        };
        let nowhere = || (format!("`{reference}` leads nowhere in this document"), "");
        let resource = self.resources.get(target as usize).ok_or_else(nowhere)?;
        let fragment = uri::decoded(fragment);
        if fragment.is_empty() || fragment.starts_with('/') {
            let mut at = resource.root.clone();
            let mut part_of = target;
            for step in fragment.split('/').skip(1) {
                at = at.follow(&format!("/{step}")).ok_or_else(nowhere)?;
                part_of = self.resource(at.node, part_of);
            }
            return Ok((at, part_of));
        }
        let at = resource
            .anchors
            .get(&fragment)
            .cloned()
            .ok_or_else(nowhere)?;
        Ok((at, target))
    }

    /// Where a dynamic reference may lead: the anchor's name, when what it leads to by itself is
    /// such an anchor (core §8.2.3.2), in each resource that has one.
    pub(super) fn dynamic(
        &self,
        reference: &str,
        target: &At<'d>,
        part_of: u32,
    ) -> Vec<(u32, At<'d>)> {
        let name = reference.split_once('#').map_or("", |(_, name)| name);
        let of = |resource: &Resource<'d>| resource.dynamic.get(name).cloned();
        let own = self.resources.get(part_of as usize).and_then(of);
        if own.is_none_or(|own| !std::ptr::eq(own.node, target.node)) {
            return Vec::new();
        }
        let all = (0u32..).zip(&self.resources);
        all.filter_map(|(at, resource)| Some((at, of(resource)?)))
            .collect()
    }
}
