//! XML as texts and attributes. Documents of others are never read: entities besides the five of
//! XML 1.0 §4.6 and numbers stay empty, which is a problem, and a document type declares nothing.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use super::{Pairs, Problem};

/// What was read, also when it ended in a problem.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Xml {
    /// `XML:/*`: all text of the document, one after the other.
    pub(crate) text: Vec<u8>,
    /// `XML://@*`: the attributes' values.
    pub(crate) attributes: Vec<Vec<u8>>,
    /// Elements without elements in them, as `xml.root.child` and their text.
    pub(crate) pairs: Pairs,
    pub(crate) problem: Option<Problem>,
}

/// Reads a document of at most `depth` levels and `most` elements and attributes.
///
/// Bytes that are no UTF-8 are read as letters of Latin-1, and stand in values as they came.
pub(crate) fn read(text: &[u8], depth: usize, most: usize) -> Xml {
    let (letters, encoding) = match std::str::from_utf8(text) {
        Ok(letters) => (Cow::Borrowed(letters), Encoding::Utf8),
        Err(_) => (
            text.iter().map(|byte| char::from(*byte)).collect(),
            Encoding::Bytes,
        ),
    };
    let mut document = Document {
        encoding,
        xml: Xml::default(),
        open: Vec::new(),
        path: b"xml".to_vec(),
        count: 0,
        roots: 0,
        names_bytes: 0,
        left_out: false,
    };
    let mut reader = Reader::from_str(&letters);
    reader.config_mut().check_end_names = true;
    let problem = loop {
        let event = match reader.read_event() {
            Ok(Event::Eof) => break document.end(),
            Ok(event) => event,
            Err(error) => break Err(format!("XML: {error}")),
        };
        if let Err(problem) = document.event(event, depth, most) {
            break Err(problem);
        }
    };
    let mut xml = document.xml;
    xml.problem = problem.err();
    xml
}

struct Open {
    /// How long the path is without this element.
    path: usize,
    /// Where its text begins.
    text: usize,
    has_elements: bool,
}

/// How the letters that are read stand for the document's bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// A letter for each byte.
    Bytes,
}

struct Document {
    encoding: Encoding,
    xml: Xml,
    open: Vec<Open>,
    path: Vec<u8>,
    count: usize,
    roots: usize,
    /// Bytes of all names so far.
    names_bytes: usize,
    /// Whether an entity stayed empty.
    left_out: bool,
}

impl Document {
    fn event(&mut self, event: Event<'_>, depth: usize, most: usize) -> Result<(), Problem> {
        match event {
            Event::Start(start) => {
                self.begin(&start, depth, most)?;
            }
            Event::Empty(start) => {
                self.begin(&start, depth, most)?;
                self.close();
            }
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text)?,
            Event::CData(text) => self.text(&text)?,
            Event::GeneralRef(reference) => self.reference(&reference)?,
            Event::Decl(declaration) => declared(&declaration)?,
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, start: &BytesStart<'_>, depth: usize, most: usize) -> Result<(), Problem> {
        if self.open.len() >= depth {
            return Err("XML: the nesting is too deep".to_owned());
        }
        if self.open.is_empty() {
            self.roots += 1;
            if self.roots > 1 {
                return Err("XML: a second root".to_owned());
            }
        }
        if let Some(parent) = self.open.last_mut() {
            parent.has_elements = true;
        }
        self.count += 1;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| format!("XML: {error}"))?;
            self.count += 1;
            let value = self.unescaped(&attribute.value);
            self.xml.attributes.push(value);
        }
        if self.count > most {
            return Err("XML: there are too many elements and attributes".to_owned());
        }
        let open = Open {
            path: self.path.len(),
            text: self.xml.text.len(),
            has_elements: false,
        };
        self.open.push(open);
        self.path.push(b'.');
        let name = start.local_name();
        self.encoding.write(name.as_ref(), &mut self.path);
        Ok(())
    }

    fn close(&mut self) {
        let Some(open) = self.open.pop() else {
            return;
        };
        if !open.has_elements && self.names_bytes <= super::NAMES_BYTES_MAX {
            self.names_bytes += self.path.len();
            let text = self.xml.text.get(open.text..).unwrap_or_default();
            self.xml.pairs.push(&self.path, text);
        }
        self.path.truncate(open.path);
    }

    fn text(&mut self, text: &str) -> Result<(), Problem> {
        if !self.open.is_empty() {
            self.encoding.write(&lines(text), &mut self.xml.text);
        } else if !text.trim().is_empty() {
            return Err("XML: text outside the root".to_owned());
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Problem> {
        if self.open.is_empty() {
            return Err("XML: a reference outside the root".to_owned());
        }
        if !resolve(reference, &mut self.xml.text) {
            self.left_out = true;
        }
        Ok(())
    }

    /// An attribute's value with its references resolved.
    ///
    /// XML 1.0 §3.3.3: white space that is written as itself is a space each.
    fn unescaped(&mut self, value: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(value.len());
        let value = lines(value).replace(['\n', '\t'], " ");
        let mut rest = value.as_str();
        while let Some((before, after)) = rest.split_once('&') {
            self.encoding.write(before, &mut out);
            rest = after;
            match after.split_once(';') {
                Some((name, after)) => {
                    self.left_out |= !resolve(name, &mut out);
                    rest = after;
                }
                None => out.push(b'&'),
            }
        }
        self.encoding.write(rest, &mut out);
        out
    }

    fn end(&self) -> Result<(), Problem> {
        match (self.open.len(), self.roots) {
            // SECURITY: what it stands for is text that no rule sees.
            (0, 1) if self.left_out => Err("XML: an entity that is not read".to_owned()),
            (0, 1) => Ok(()),
            (0, _) => Err("XML: there is no element".to_owned()),
            _ => Err("XML: an element is not closed".to_owned()),
        }
    }
}

/// Encodings in which every ASCII byte is the letter it is in ASCII; the second list by their
/// beginning.
const ENCODINGS: [&str; 4] = ["utf-8", "utf8", "us-ascii", "ascii"];
const ENCODINGS_OF_A_BYTE: [&str; 2] = ["iso-8859-", "windows-125"];

/// SECURITY: a document that says it is in another encoding is another text to whoever knows that one
/// (XML 1.0 §4.3.3): in UTF-7 and ISO-2022, letters stand for others.
fn declared(declaration: &BytesDecl<'_>) -> Result<(), Problem> {
    let Some(name) = declaration.encoding() else {
        return Ok(());
    };
    let name = name.map_err(|error| format!("XML: {error}"))?;
    let name = name.trim().to_ascii_lowercase();
    let mut of_a_byte = ENCODINGS_OF_A_BYTE.iter();
    if ENCODINGS.contains(&name.as_str()) || of_a_byte.any(|known| name.starts_with(known)) {
        return Ok(());
    }
    Err("XML: an encoding that is not read".to_owned())
}

/// XML 1.0 §2.11: every end of a line is one line feed.
fn lines(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}

impl Encoding {
    fn write(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Bytes => out.extend(text.chars().filter_map(|letter| u8::try_from(letter).ok())),
        }
    }
}

/// What `&name;` stands for; whether that is known.
fn resolve(name: &str, out: &mut Vec<u8>) -> bool {
    let letter = match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => name.strip_prefix('#').and_then(|number| {
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }),
    };
    if let Some(letter) = letter {
        let mut buffer = [0; 4];
        out.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
    }
    letter.is_some()
}
