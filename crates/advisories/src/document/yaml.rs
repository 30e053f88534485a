//! YAML 1.2, by `saphyr-parser`'s events. Every scalar but an empty one and `null` is a text: a
//! version `1.10` is no number. Anchors, aliases and tags are refused, for with them a few lines
//! become many values, and nobody writes advisories so.

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{Bad, DEPTH_MAX, Node, Read, VALUES_MAX, Value, too_long};

pub(crate) fn read(text: &str) -> Read<Node> {
    if let Some(bad) = too_long(text.len()) {
        return Err(bad);
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            Bad::at(
                line(error.marker().line()),
                format!("no YAML: {}", error.info()),
            )
        })?;
        builder.event(event, line(span.start.line()))?;
    }
    builder
        .root
        .ok_or_else(|| Bad::at(0, "the document is empty"))
}

fn line(line: usize) -> u32 {
    u32::try_from(line.max(1)).unwrap_or(u32::MAX)
}

/// A collection that is not closed yet.
struct Open {
    line: u32,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map(Vec<(String, Node)>, Option<String>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    values: usize,
    documents: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, line: u32) -> Read<()> {
        let unused = |anchor: usize, tagged: bool| match (anchor, tagged) {
            (0, false) => Ok(()),
            _ => Err(Bad::at(
                line,
                "anchors and tags are not taken here: write the value out",
            )),
        };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                unused(anchor, tag.is_some())?;
                self.scalar(&text, style, line)
            }
            Event::SequenceStart(anchor, tag) => {
                unused(anchor, tag.is_some())?;
                self.begin(Kind::List(Vec::new()), line)
            }
            Event::MappingStart(anchor, tag) => {
                unused(anchor, tag.is_some())?;
                self.begin(Kind::Map(Vec::new(), None), line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(line),
            Event::Alias(_) => Err(Bad::at(
                line,
                "aliases are not taken here: write the value out",
            )),
            Event::DocumentStart(_) => {
                self.documents = self.documents.saturating_add(1);
                if self.documents > 1 {
                    return Err(Bad::at(line, "a second document begins"));
                }
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn count(&mut self, line: u32) -> Read<()> {
        self.values = self.values.saturating_add(1);
        if self.values > VALUES_MAX {
            return Err(Bad::at(line, format!("more than {VALUES_MAX} values")));
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, line: u32) -> Read<()> {
        self.count(line)?;
        if let Some(Open {
            kind: Kind::Map(_, name @ None),
            ..
        }) = self.open.last_mut()
        {
            *name = Some(text.to_owned());
            return Ok(());
        }
        let nothing = style == ScalarStyle::Plain && matches!(text, "" | "~" | "null");
        let value = if nothing {
            Value::Null
        } else {
            Value::Text(text.to_owned())
        };
        self.put(Node { line, value })
    }

    fn begin(&mut self, kind: Kind, line: u32) -> Read<()> {
        self.count(line)?;
        if self.open.len() >= DEPTH_MAX {
            return Err(Bad::at(line, format!("nested deeper than {DEPTH_MAX}")));
        }
        if let Some(Open {
            kind: Kind::Map(_, None),
            ..
        }) = self.open.last()
        {
            return Err(Bad::at(line, "a key is a collection"));
        }
        self.open.push(Open { line, kind });
        Ok(())
    }

    fn end(&mut self, line: u32) -> Read<()> {
        let Some(open) = self.open.pop() else {
            return Err(Bad::at(line, "something ends that did not begin"));
        };
        let value = match open.kind {
            Kind::List(items) => Value::List(items),
            Kind::Map(members, _) => {
                super::map(members).map_err(|problem| Bad::at(open.line, problem))?
            }
        };
        self.put(Node {
            line: open.line,
            value,
        })
    }

    fn put(&mut self, node: Node) -> Read<()> {
        match self.open.last_mut().map(|open| &mut open.kind) {
            Some(Kind::List(items)) => items.push(node),
            Some(Kind::Map(members, name)) => match name.take() {
                Some(name) => members.push((name, node)),
                None => return Err(Bad::at(node.line, "a value has no key")),
            },
            None => self.root = Some(node),
        }
        Ok(())
    }
}
