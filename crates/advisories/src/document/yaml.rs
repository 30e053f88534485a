//! YAML, by the events of `saphyr-parser`: one document, keys that are words, nothing by alias.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{Limits, Member, Node, Value, twice};
use crate::inventory::ReadError;
use crate::text::{count, said, syntax};

type Place = (u32, u32);

fn place(marker: saphyr_parser::Marker) -> Place {
    (count(marker.line().max(1)), count(marker.col() + 1))
}

pub(super) fn read<'a>(text: &'a str, limits: &Limits) -> Result<Node<'a>, ReadError> {
    bounded(text, limits)?;
    let mut builder = Builder {
        open: Vec::new(),
        root: None,
        values: 0,
        limits,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let what = format!("no YAML: {}", error.info());
                return syntax(place(*error.marker()), what, None);
            }
        };
        let at = place(span.start);
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return syntax(at, "a second YAML document begins", None);
            }
        }
        builder.event(event, at)?;
    }
    match builder.root {
        Some(root) => Ok(root),
        None => syntax((1, 1), "the document is empty", None),
    }
}

const PLAINLY: &str = "no tool writes such into this kind of file: write the value out";

/// LIMIT: bytes of a file.
const FILE_BYTES: usize = 32 << 20;
/// LIMIT: what begins or parts values between brackets, whose words the reader of the text holds
/// until it knows whether they are a key.
const PARTS: usize = 400_000;
/// LIMIT: keys and values.
const SCALARS: usize = 1_000_000;

fn bounded(text: &str, limits: &Limits) -> Result<(), ReadError> {
    Limits {
        bytes: FILE_BYTES,
        ..*limits
    }
    .take(text.len())?;
    let parts = |byte: &u8| matches!(byte, b',' | b'[' | b'{');
    if text.bytes().filter(parts).count() > PARTS {
        return Err(ReadError::TooMany {
            line: 1,
            most: PARTS,
            of: "values between brackets",
        });
    }
    Ok(())
}

/// A collection that is not closed yet.
struct Open<'a> {
    line: u32,
    kind: Kind<'a>,
}

enum Kind<'a> {
    List(Vec<Node<'a>>),
    Map(Vec<Member<'a>>, Option<(Cow<'a, str>, u32)>),
}

struct Builder<'a, 'l> {
    open: Vec<Open<'a>>,
    root: Option<Node<'a>>,
    values: usize,
    limits: &'l Limits,
}

impl<'a> Builder<'a, '_> {
    fn event(&mut self, event: Event<'a>, at: Place) -> Result<(), ReadError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                bare(at, anchor, tag.is_some())?;
                self.count(at)?;
                if let Some(Open {
                    kind: Kind::Map(_, key @ None),
                    ..
                }) = self.open.last_mut()
                {
                    *key = Some((text, at.0));
                    return Ok(());
                }
                self.put(scalar(text, style == ScalarStyle::Plain), at)
            }
            Event::SequenceStart(anchor, tag) => {
                bare(at, anchor, tag.is_some())?;
                self.begin(Kind::List(Vec::new()), at)
            }
            Event::MappingStart(anchor, tag) => {
                bare(at, anchor, tag.is_some())?;
                self.begin(Kind::Map(Vec::new(), None), at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            // SECURITY: aliases of aliases grow without bound from a few lines.
            Event::Alias(_) => syntax(at, "an alias stands here", Some(PLAINLY)),
            _ => Ok(()),
        }
    }

    fn count(&mut self, at: Place) -> Result<(), ReadError> {
        self.values += 1;
        let most = self.limits.values.min(SCALARS);
        if self.values > most {
            return Err(ReadError::TooMany {
                line: at.0,
                most,
                of: "values",
            });
        }
        Ok(())
    }

    fn begin(&mut self, kind: Kind<'a>, at: Place) -> Result<(), ReadError> {
        self.count(at)?;
        if self.open.len() >= self.limits.depth {
            let what = format!("it is nested more than {} deep", self.limits.depth);
            return syntax(at, what, None);
        }
        if matches!(
            self.open.last().map(|open| &open.kind),
            Some(Kind::Map(_, None))
        ) {
            return syntax(at, "a key is a collection", None);
        }
        self.open.push(Open { line: at.0, kind });
        Ok(())
    }

    fn end(&mut self, at: Place) -> Result<(), ReadError> {
        let Some(open) = self.open.pop() else {
            return syntax(at, "something ends that did not begin", None);
        };
        let value = match open.kind {
            Kind::List(items) => Value::List(items),
            Kind::Map(members, _) => {
                if let Some((key, line)) = twice(&members) {
                    let what = format!("the key `{}` stands here again", said(key));
                    return syntax((line, 1), what, None);
                }
                Value::Map(members)
            }
        };
        self.put(value, (open.line, at.1))
    }

    fn put(&mut self, value: Value<'a>, at: Place) -> Result<(), ReadError> {
        let node = Node { value, line: at.0 };
        match self.open.last_mut().map(|open| &mut open.kind) {
            Some(Kind::List(items)) => items.push(node),
            Some(Kind::Map(members, key)) => match key.take() {
                Some((key, line)) => members.push(Member {
                    key,
                    line,
                    value: node,
                }),
                None => return syntax(at, "a value has no key", None),
            },
            None => self.root = Some(node),
        }
        Ok(())
    }
}

/// A value without an anchor and a tag: readers differ in what tags make of it.
fn bare(at: Place, anchor: usize, tagged: bool) -> Result<(), ReadError> {
    if anchor == 0 && !tagged {
        return Ok(());
    }
    syntax(at, "an anchor or a tag stands here", Some(PLAINLY))
}

/// The core schema (YAML 1.2.2 §10.3), but that numbers stay as they were written.
fn scalar(text: Cow<'_, str>, plain: bool) -> Value<'_> {
    if !plain {
        return Value::Text(text);
    }
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => Value::Plain(text),
    }
}
