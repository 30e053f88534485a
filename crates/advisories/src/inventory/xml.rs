//! XML as elements with texts. A document type declares nothing: an entity besides the five of XML
//! 1.0 §4.6 and numbers is an error, so nothing grows.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::ReadError;
use crate::document::Limits;
use crate::text::{Places, said, syntax};

/// LIMIT: elements of a document, each of which takes some hundred bytes.
const ELEMENTS: usize = 500_000;

/// An element, without its attributes and its namespace.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) children: Vec<Self>,
}

impl Element {
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The trimmed text of a child, where it has one.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.trim();
        (!text.is_empty()).then_some(text)
    }

    /// All children of a child.
    pub(crate) fn children_of(&self, name: &str) -> &[Self] {
        self.child(name).map_or(&[], |child| &child.children)
    }
}

/// Reads a document.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Element, ReadError> {
    let places = Places::of(text);
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    let most = limits.values.min(ELEMENTS);
    loop {
        let offset = usize::try_from(reader.buffer_position()).unwrap_or(0);
        let fail = |what: String| syntax(places.mark(offset), what, None);
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                return fail(format!("no XML: {}", said(&error.to_string())));
            }
        };
        let begins = |name: &str| Element {
            name: name.to_owned(),
            line: places.line(offset),
            ..Element::default()
        };
        match event {
            Event::Eof if open.is_empty() => break,
            Event::Eof => return fail("no XML: an element is not closed".to_owned()),
            Event::Start(start) => {
                elements += 1;
                if open.len() >= limits.depth {
                    return fail(format!("it is nested more than {} deep", limits.depth));
                }
                if open.is_empty() && root.is_some() {
                    return fail("no XML: a second root".to_owned());
                }
                open.push(begins(start.local_name().as_ref()));
            }
            Event::Empty(start) => {
                elements += 1;
                close(begins(start.local_name().as_ref()), &mut open, &mut root);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(element, &mut open, &mut root);
                }
            }
            Event::Text(text) => put(&mut open, &text),
            Event::CData(text) => put(&mut open, &text),
            Event::GeneralRef(name) => match resolve(&name) {
                Some(letter) => put(&mut open, letter.encode_utf8(&mut [0; 4])),
                None => {
                    let name = said(&name);
                    return fail(format!("no XML that is read: the entity `&{name};`"));
                }
            },
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
        if elements > most {
            return Err(ReadError::TooMany {
                line: places.line(offset),
                most,
                of: "elements",
            });
        }
    }
    match root {
        Some(root) => Ok(root),
        None => syntax((1, 1), "no XML: there is no element", None),
    }
}

fn put(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn resolve(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}
