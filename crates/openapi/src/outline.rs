//! What each operation of a document says, with everything it refers to, as one number: whether it
//! changed between two texts. Comments, order and layout do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::Limits;
use crate::source::{self, Findings, Node, Value};

// LIMIT: values looked at for one document; past it every operation counts as changed.
const STEPS_MAX: usize = 4_000_000;

/// Methods that a path may have.
const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Operations by method and path template (`GET /orders/{id}`), each with a number that differs
/// where what it says differs. Empty for a text that cannot be read. Numbers are for comparing
/// within one run of the program.
#[must_use]
pub fn outline(text: &str, limits: &Limits) -> BTreeMap<String, u64> {
    let mut findings = Findings::new(limits.findings);
    let Some(root) = source::read(text, limits, &mut findings) else {
        return BTreeMap::new();
    };
    let shared = ["servers", "security"].map(|name| root.get(name));
    let mut steps = 0;
    let mut outline = BTreeMap::new();
    for path in root.get("paths").map(Node::members).unwrap_or_default() {
        let item = follow(&root, &path.value);
        for member in item.members() {
            if !METHODS.contains(&member.name.as_str()) {
                continue;
            }
            let mut walk = Walk {
                root: &root,
                hasher: DefaultHasher::new(),
                seen: BTreeSet::new(),
                steps: &mut steps,
            };
            let beside = ["parameters", "servers"].map(|name| item.get(name));
            for node in shared.iter().chain(&beside).flatten() {
                walk.value(node);
            }
            walk.value(&member.value);
            let number = walk.hasher.finish();
            let name = format!("{} {}", member.name.to_uppercase(), path.name);
            outline.insert(name, number);
        }
    }
    if steps > STEPS_MAX {
        // Nobody knows: the texts decide.
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let whole = hasher.finish();
        outline.values_mut().for_each(|number| *number = whole);
    }
    outline
}

/// A path item that stands elsewhere in the document.
fn follow<'n>(root: &'n Node, item: &'n Node) -> &'n Node {
    let target = item.get("$ref").and_then(Node::as_str);
    target
        .and_then(|target| resolve(root, target))
        .unwrap_or(item)
}

fn resolve<'n>(root: &'n Node, reference: &str) -> Option<&'n Node> {
    let pointer = reference.strip_prefix('#')?;
    let mut node = root;
    for step in pointer.split('/').skip(1) {
        let name = source::unstep(step);
        node = match name.parse::<usize>() {
            Ok(index) if !node.items().is_empty() => node.items().get(index)?,
            _ => node.get(&name)?,
        };
    }
    Some(node)
}

struct Walk<'n> {
    root: &'n Node,
    hasher: DefaultHasher,
    seen: BTreeSet<&'n str>,
    steps: &'n mut usize,
}

impl<'n> Walk<'n> {
    /// Depth is bounded by the reader of the text, and by each reference being followed once.
    fn value(&mut self, node: &'n Node) {
        *self.steps += 1;
        if *self.steps > STEPS_MAX {
            return;
        }
        match &node.value {
            Value::Null => 0_u8.hash(&mut self.hasher),
            Value::Bool(truth) => (1_u8, truth).hash(&mut self.hasher),
            Value::Number(number) => {
                (2_u8, format!("{number:?}")).hash(&mut self.hasher);
            }
            Value::String(text) => (3_u8, text).hash(&mut self.hasher),
            Value::Array(items) => {
                (4_u8, items.len()).hash(&mut self.hasher);
                items.iter().for_each(|item| self.value(item));
            }
            Value::Object(_) => self.object(node),
        }
    }

    fn object(&mut self, node: &'n Node) {
        let mut members: Vec<_> = node.members().iter().collect();
        members.sort_by(|one, other| one.name.cmp(&other.name));
        (5_u8, members.len()).hash(&mut self.hasher);
        for member in members {
            member.name.hash(&mut self.hasher);
            self.value(&member.value);
            if member.name == "$ref"
                && let Some(target) = member.value.as_str()
                && self.seen.insert(target)
                && let Some(there) = resolve(self.root, target)
            {
                self.value(there);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r##"{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{
        "/a":{"parameters":[{"name":"p","in":"query","schema":{"type":"string"}}],
              "get":{"responses":{}},"post":{"requestBody":{"$ref":"#/components/requestBodies/b"}}},
        "/b":{"get":{"responses":{"200":{"description":"x"}}}}},
        "components":{"requestBodies":{"b":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/s"}}}}},
        "schemas":{"s":{"type":"object","properties":{"next":{"$ref":"#/components/schemas/s"},"n":{"maximum":3}}}}}}"##;

    fn changed(from: &str, to: &str) -> Vec<String> {
        let limits = Limits::default();
        let before = outline(DOCUMENT, &limits);
        assert_eq!(before.len(), 3);
        let after = outline(&DOCUMENT.replace(from, to), &limits);
        let differs = |(name, number): (&String, &u64)| {
            (after.get(name) != Some(number)).then(|| name.clone())
        };
        before.iter().filter_map(differs).collect()
    }

    #[test]
    fn operation_changes_with_what_it_refers_to_and_with_nothing_else() {
        assert_eq!(changed("\"maximum\":3", "\"maximum\":4"), ["POST /a"]);
        assert_eq!(
            changed("\"type\":\"string\"", "\"type\":\"integer\""),
            ["GET /a", "POST /a"]
        );
        assert_eq!(
            changed("\"description\":\"x\"", "\"description\":\"y\""),
            ["GET /b"]
        );
        assert_eq!(changed("\"title\":\"t\"", "\"title\" : \"u\""), [""; 0]);
        assert_eq!(
            changed("{\"type\":\"object\",", "{ \"type\":  \"object\",\n"),
            [""; 0]
        );
    }
}
