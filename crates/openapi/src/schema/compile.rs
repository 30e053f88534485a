//! Schemas of a document, made into rules. References become numbers, so that a schema that holds
//! itself is one schema; a list of what is still to do stands in for recursion.

mod keywords;
mod loops;

use std::collections::{HashMap, VecDeque};

use super::object::ObjectRules;
use super::refs::Registry;
use super::{Discriminator, Dynamic, Id, Logic, Rules, Schemas, Types};
use crate::source::{At, Findings, Node, Value, step};
use crate::{Formats, Options};

/// Which words schemas of a document have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAPI 3.0 (§4.7.24): an older draft, with words of its own.
    V30,
    /// OpenAPI 3.1 (§4.8.24): draft 2020-12.
    V31,
}

/// Compiles the schemas of one document.
#[derive(Debug)]
pub(crate) struct Compiler<'d> {
    registry: Registry<'d>,
    dialect: Dialect,
    pattern_bytes: usize,
    known: HashMap<(*const Node, u32), Id>,
    queue: VecDeque<(Id, At<'d>, u32)>,
    schemas: Schemas,
}

impl<'d> Compiler<'d> {
    pub(crate) fn new(root: At<'d>, dialect: Dialect, options: &Options) -> Self {
        Self {
            registry: Registry::new(root),
            dialect,
            pattern_bytes: options.limits.pattern_bytes,
            known: HashMap::new(),
            queue: VecDeque::new(),
            schemas: Schemas {
                asserts: options.formats == Formats::Assert,
                steps: options.limits.steps,
                ..Schemas::default()
            },
        }
    }

    /// Learns the names that a schema and its parts give themselves; before any is compiled.
    pub(crate) fn scan(&mut self, schema: &At<'d>, findings: &mut Findings) {
        self.registry.scan(schema, 0, findings);
    }

    /// A schema that stands in the document itself.
    pub(crate) fn schema(&mut self, at: &At<'d>) -> Id {
        let resource = self.registry.resource(at.node, 0);
        self.within(at.clone(), resource)
    }

    fn within(&mut self, at: At<'d>, resource: u32) -> Id {
        let key = (std::ptr::from_ref(at.node), resource);
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = Id(u32::try_from(self.schemas.list.len()).unwrap_or(u32::MAX));
        self.schemas.list.push(Rules::default());
        self.known.insert(key, id);
        self.queue.push_back((id, at, resource));
        id
    }

    /// Compiles everything that was asked for and everything that is reached from there.
    pub(crate) fn finish(mut self, findings: &mut Findings) -> Schemas {
        while let Some((id, at, resource)) = self.queue.pop_front() {
            let rules = self.rules(&at, resource, findings);
            if let Some(slot) = self.schemas.list.get_mut(id.0 as usize) {
                *slot = rules;
            }
        }
        loops::check(&self.schemas, findings);
        self.directions();
        self.schemas
    }

    fn part(&mut self, at: At<'d>, around: u32) -> Id {
        let resource = self.registry.resource(at.node, around);
        self.within(at, resource)
    }

    fn rules(&mut self, at: &At<'d>, resource: u32, findings: &mut Findings) -> Rules {
        let mut rules = Rules {
            place: at.pointer.as_str().into(),
            resource,
            ..Rules::default()
        };
        match &at.node.value {
            Value::Bool(value) => rules.never = !value,
            Value::Object(_) => self.keywords(at, &mut rules, findings),
            _ => findings.error(
                at,
                format!("a schema is an object or a boolean, not {}", at.node.what()),
                "",
            ),
        }
        rules
    }

    fn reference(&mut self, at: &At<'d>, resource: u32, findings: &mut Findings) -> Option<Id> {
        let Some(text) = at.node.as_str() else {
            findings.error(
                at,
                format!("a reference is a text, not {}", at.node.what()),
                "",
            );
            return None;
        };
        match self.registry.follow(text, resource) {
            Ok((target, part_of)) => Some(self.within(target, part_of)),
            Err((message, hint)) => {
                findings.error(at, message, hint);
                None
            }
        }
    }

    fn dynamic(&mut self, at: &At<'d>, resource: u32, findings: &mut Findings) -> Option<Dynamic> {
        let text = at.node.as_str().unwrap_or_default();
        match self.registry.follow(text, resource) {
            Ok((target, part_of)) => {
                let places = self.registry.dynamic(text, &target, part_of);
                let initial = self.within(target, part_of);
                let by_resource = places.into_iter();
                let by_resource: Box<[(u32, Id)]> = by_resource
                    .map(|(of, at)| (of, self.within(at, of)))
                    .collect();
                self.schemas.dynamic |= !by_resource.is_empty();
                Some(Dynamic {
                    initial,
                    by_resource,
                })
            }
            Err((message, hint)) => {
                findings.error(at, message, hint);
                None
            }
        }
    }

    /// Alternatives by the names that a property may have (OpenAPI 3.1.1 §4.8.25).
    fn discriminator(
        &mut self,
        schema: &At<'d>,
        at: &At<'d>,
        resource: u32,
        findings: &mut Findings,
    ) -> Option<Discriminator> {
        let Some(property) = at.node.get("propertyName").and_then(Node::as_str) else {
            findings.error(at, "a discriminator wants `propertyName`", "");
            return None;
        };
        let alternatives: Vec<At<'d>> = ["oneOf", "anyOf"]
            .iter()
            .filter_map(|name| schema.get(name))
            .flat_map(|list| list.items().collect::<Vec<_>>())
            .collect();
        if alternatives.is_empty() {
            findings.warn(
                at,
                "a discriminator without `oneOf` or `anyOf` is not enforced",
                "list the alternatives in `oneOf` where the value is used",
            );
            return None;
        }
        let mut targets: Vec<(&Node, Id)> = Vec::new();
        let mut mapping: Vec<(Box<str>, Id)> = Vec::new();
        for alternative in &alternatives {
            let Some(reference) = alternative.node.get("$ref").and_then(Node::as_str) else {
                findings.error(
                    alternative,
                    "with a discriminator every alternative is a `$ref`",
                    "move it to `components/schemas`",
                );
                continue;
            };
            let Ok((target, _)) = self.registry.follow(reference, resource) else {
                continue;
            };
            let id = self.part(alternative.clone(), resource);
            let name = target.pointer.rsplit('/').next().unwrap_or_default();
            mapping.push((crate::source::unstep(name).into(), id));
            targets.push((target.node, id));
        }
        if let Some(map) = at.get("mapping") {
            for (name, value) in map.members() {
                let found = self.mapped(&value, resource, &targets);
                match found {
                    Some(id) => mapping.insert(0, (name.into(), id)),
                    None => {
                        findings.error(&value, format!("`{name}` is mapped to no alternative"), "");
                    }
                }
            }
        }
        Some(Discriminator {
            property: property.into(),
            mapping: mapping.into(),
        })
    }

    fn mapped(&self, value: &At<'d>, resource: u32, targets: &[(&Node, Id)]) -> Option<Id> {
        let text = value.node.as_str()?;
        let component = format!("#/components/schemas/{}", step(text));
        let found = [component.as_str(), text]
            .iter()
            .find_map(|reference| self.registry.follow(reference, resource).ok())?;
        let target = targets
            .iter()
            .find(|(node, _)| std::ptr::eq(*node, found.0.node));
        target.map(|(_, id)| *id)
    }

    /// Marks the properties that one direction does not carry, through references.
    fn directions(&mut self) {
        let barred = |schemas: &Schemas, id: Option<Id>| {
            let mut found = (false, false);
            let mut ahead: Vec<Id> = id.into_iter().collect();
            // LIMIT: references followed for two flags.
            for _ in 0..16 {
                let Some(rules) = ahead.pop().and_then(|id| schemas.rules(id)) else {
                    break;
                };
                found = (found.0 | rules.read_only, found.1 | rules.write_only);
                if let Some(logic) = &rules.logic {
                    ahead.extend(logic.reference.iter().chain(&logic.all_of));
                }
            }
            found
        };
        for at in 0..self.schemas.list.len() {
            let Some(mut object) = self
                .schemas
                .list
                .get_mut(at)
                .and_then(|rules| rules.object.take())
            else {
                continue;
            };
            for property in &mut object.properties {
                (property.read_only, property.write_only) = barred(&self.schemas, property.schema);
            }
            if let Some(rules) = self.schemas.list.get_mut(at) {
                rules.object = Some(object);
            }
        }
    }
}

impl Rules {
    fn logic(&mut self) -> &mut Logic {
        self.logic.get_or_insert_default()
    }

    fn scalar(&mut self) -> &mut super::scalar::ScalarRules {
        self.scalar.get_or_insert_default()
    }

    fn number(&mut self) -> &mut super::NumberRules {
        self.scalar().number.get_or_insert_default()
    }

    fn array(&mut self) -> &mut super::array::ArrayRules {
        self.array.get_or_insert_default()
    }

    fn object(&mut self) -> &mut ObjectRules {
        self.object.get_or_insert_default()
    }

    fn nullable(&mut self) {
        if self.types != Types::ALL {
            self.types = self.types.or(Types::NULL);
        }
    }
}
