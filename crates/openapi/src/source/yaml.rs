//! YAML documents: the core schema of YAML 1.2 (§10.3), so that `no` is a word and `1e3` a number.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::Merge;
use super::{Bad, Mark, Member, Node, Value};
use crate::Limits;
use crate::number::Decimal;

pub(super) fn read(text: &str, limits: &Limits, merge: Merge) -> Result<Node, Bad> {
    let mut builder = Builder {
        stack: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        nodes: 0,
        limits,
        merge,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Bad {
            mark: mark_of(*error.marker()),
            message: format!("no YAML: {}", error.info()),
            hint: "",
        })?;
        let mark = mark_of(span.start);
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return bad(
                    mark,
                    "a second YAML document begins",
                    "one file describes one API",
                );
            }
        }
        builder.event(event, span)?;
    }
    let missing = Bad {
        mark: Mark { line: 1, column: 1 },
        message: "the document is empty".to_owned(),
        hint: "an OpenAPI document begins with `openapi: 3.1.1`",
    };
    builder.root.ok_or(missing)
}

fn bad<T>(mark: Mark, message: impl Into<String>, hint: &'static str) -> Result<T, Bad> {
    Err(Bad {
        mark,
        message: message.into(),
        hint,
    })
}

fn mark_of(marker: saphyr_parser::Marker) -> Mark {
    Mark {
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}

/// A collection that is not closed yet.
struct Open {
    mark: Mark,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    Array(Vec<Node>),
    Object(Vec<Member>, Option<(String, Mark)>),
}

struct Builder<'l> {
    stack: Vec<Open>,
    /// What anchors name, with its number of nodes and their nesting.
    anchors: HashMap<usize, (Node, usize, usize)>,
    root: Option<Node>,
    nodes: usize,
    limits: &'l Limits,
    merge: Merge,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Bad> {
        let mark = mark_of(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, mark)?;
                if self.takes_key() {
                    return self.key(text.into_owned(), style, anchor, mark);
                }
                let value = scalar(&text, style, tag.as_deref(), mark)?;
                self.put(Node { value, mark }, anchor, mark)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(OpenKind::Array(Vec::new()), anchor, tag.as_deref(), mark)
            }
            Event::MappingStart(anchor, tag) => self.open(
                OpenKind::Object(Vec::new(), None),
                anchor,
                tag.as_deref(),
                mark,
            ),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.stack.pop() else {
                    return bad(mark, "something ends that did not begin", "");
                };
                let value = match open.kind {
                    OpenKind::Array(items) => Value::Array(items),
                    OpenKind::Object(members, _) => {
                        let (members, taken) = merged(members, self.merge);
                        self.count(taken, mark)?;
                        Value::Object(members)
                    }
                };
                let node = Node {
                    value,
                    mark: open.mark,
                };
                self.put(node, open.anchor, mark)
            }
            Event::Alias(anchor) => {
                if self.takes_key() {
                    return bad(mark, "a key is an alias", "write the key out");
                }
                // An anchor that is still open is not known yet: no value holds itself.
                let Some((node, weight, depth)) = self.anchors.get(&anchor) else {
                    return bad(
                        mark,
                        "an alias stands within what it names",
                        "use `$ref` for what holds itself",
                    );
                };
                // SECURITY: aliases of aliases grow and nest without bound from a few lines.
                let (weight, depth) = (*weight, *depth);
                if self.stack.len().saturating_add(depth) > self.limits.document_depth {
                    return bad(mark, "the document is nested too deep", "");
                }
                let node = node.clone();
                self.count(weight, mark)?;
                self.put(node, 0, mark)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize, mark: Mark) -> Result<(), Bad> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.limits.document_nodes {
            let message = format!(
                "the document holds more than {} values",
                self.limits.document_nodes
            );
            return bad(mark, message, "what aliases repeat counts each time");
        }
        Ok(())
    }

    fn takes_key(&self) -> bool {
        let open = self.stack.last();
        open.is_some_and(|open| matches!(open.kind, OpenKind::Object(_, None)))
    }

    fn key(
        &mut self,
        name: String,
        style: ScalarStyle,
        anchor: usize,
        mark: Mark,
    ) -> Result<(), Bad> {
        if anchor != 0 {
            return bad(
                mark,
                "a key has an anchor",
                "write the key out where it is used",
            );
        }
        if name == "<<" && style == ScalarStyle::Plain && self.merge == Merge::Refuse {
            return bad(
                mark,
                "merge keys (`<<`) are not part of YAML 1.2",
                "use `$ref` or `allOf`",
            );
        }
        let Some(Open {
            kind: OpenKind::Object(members, key),
            ..
        }) = self.stack.last_mut()
        else {
            return bad(mark, "a key stands outside a mapping", "");
        };
        if let Some(first) = members.iter().find(|member| member.name == name) {
            let message = format!(
                "the key `{name}` stands here again; first on line {}",
                first.mark.line
            );
            return bad(
                mark,
                message,
                "readers disagree on which one counts: keep one",
            );
        }
        *key = Some((name, mark));
        Ok(())
    }

    fn open(
        &mut self,
        kind: OpenKind,
        anchor: usize,
        tag: Option<&Tag>,
        mark: Mark,
    ) -> Result<(), Bad> {
        if self.takes_key() {
            return bad(
                mark,
                "a key is a collection",
                "keys are words in an OpenAPI document",
            );
        }
        if self.stack.len() >= self.limits.document_depth {
            return bad(mark, "the document is nested too deep", "");
        }
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            return bad(mark, format!("a tag that is not known: `{tag}`"), "");
        }
        self.count(1, mark)?;
        self.stack.push(Open { mark, anchor, kind });
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize, mark: Mark) -> Result<(), Bad> {
        if anchor != 0 {
            let (weight, depth) = weigh(&node);
            self.count(weight, mark)?;
            self.anchors.insert(anchor, (node.clone(), weight, depth));
        }
        match self.stack.last_mut().map(|open| &mut open.kind) {
            Some(OpenKind::Array(items)) => items.push(node),
            Some(OpenKind::Object(members, key)) => match key.take() {
                Some((name, mark)) => members.push(Member {
                    name,
                    mark,
                    value: node,
                }),
                None => return bad(mark, "a value has no key", ""),
            },
            None => self.root = Some(node),
        }
        Ok(())
    }
}

/// The members with what `<<` names put in, where nothing of their own stands; and how many values
/// that was.
fn merged(members: Vec<Member>, merge: Merge) -> (Vec<Member>, usize) {
    if merge == Merge::Refuse || !members.iter().any(|member| member.name == "<<") {
        return (members, 0);
    }
    let (from, mut own): (Vec<Member>, Vec<Member>) =
        members.into_iter().partition(|member| member.name == "<<");
    let mut taken = 0_usize;
    for source in &from {
        let maps = match &source.value.value {
            Value::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(&source.value),
        };
        for member in maps.iter().flat_map(Node::members) {
            if !own.iter().any(|known| known.name == member.name) {
                taken = taken.saturating_add(weigh(&member.value).0);
                own.push(member.clone());
            }
        }
    }
    (own, taken)
}

/// How many nodes, how deep.
fn weigh(node: &Node) -> (usize, usize) {
    let sum = |all: (usize, usize), (nodes, depth): (usize, usize)| {
        (
            all.0.saturating_add(nodes),
            all.1.max(depth.saturating_add(1)),
        )
    };
    match &node.value {
        Value::Array(items) => items.iter().map(weigh).fold((1, 1), sum),
        Value::Object(members) => members
            .iter()
            .map(|member| weigh(&member.value))
            .fold((1 + members.len(), 1), sum),
        _ => (1, 0),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, mark: Mark) -> Result<Value, Bad> {
    let string = || Ok(Value::String(text.to_owned()));
    match tag {
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => return string(),
        Some(tag) if tag.is_yaml_core_schema() => {}
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => return string(),
        Some(tag) => return bad(mark, format!("a tag that is not known: `{tag}`"), ""),
        None => {}
    }
    if style != ScalarStyle::Plain && tag.is_none() {
        return string();
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match number(text) {
            Some(Ok(value)) => Value::Number(value),
            Some(Err(())) => {
                return bad(
                    mark,
                    format!("`{}` is a number that JSON does not have", clip(text)),
                    "quote it if it is a text",
                );
            }
            None => return string(),
        },
    })
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A number of the core schema, as JSON writes it; `Some(Err)` for one that JSON cannot.
fn number(text: &str) -> Option<Result<Decimal, ()>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Err(()));
    }
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok();
    let whole = |digits: &str, base| {
        let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
        plain.then(|| {
            radix(digits, base)
                .and_then(|n| Decimal::parse(&n.to_string()))
                .ok_or(())
        })
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return whole(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return whole(digits, 8);
    }
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if (before.is_empty() && after.is_empty())
        || !digits(before)
        || !digits(after)
        || power.is_empty()
        || !digits(power)
    {
        return None;
    }
    let before = before.trim_start_matches('0');
    let before = if before.is_empty() { "0" } else { before };
    let after = if after.is_empty() { "0" } else { after };
    let sign = if text.starts_with('-') { "-" } else { "" };
    Some(Decimal::parse(&format!("{sign}{before}.{after}e{exponent}")).ok_or(()))
}
