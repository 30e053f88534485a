//! Forms made into objects: urlencoded ones, and those of several parts (RFC 7578).
//!
//! Bytes of files are not copied and not looked into: a part that the schema has as bytes stands
//! for itself.

use std::borrow::Cow;

use memchr::memmem::Finder;

use super::body::{Encoding, MediaRule, said};
use super::media::{Media, Reading, fit};
use super::shape::{Prefer, Shape, add, add_shaped};
use super::text::{BadPairs, Plus, decode, pairs};
use crate::schema::{Origin, Types};
use crate::tree::{self, Arena, Kind, Tree};
use crate::{Keyword, Limits, Place};

/// Why a form is none that is taken.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) place: Place,
    pub(super) keyword: Keyword,
    pub(super) text: String,
}

fn refused<T>(keyword: Keyword, text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused {
        place: Place::Body(String::new()),
        keyword,
        text: text.into(),
    })
}

fn refused_field<T>(name: &str, keyword: Keyword, text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused {
        place: Origin::Field(name).place(""),
        keyword,
        text: text.into(),
    })
}

/// Makes an urlencoded form an object.
pub(super) fn urlencoded(
    arena: &mut Arena,
    rule: &MediaRule,
    body: &[u8],
    prefer: Prefer,
    limits: &Limits,
) -> Result<(), Refused> {
    let Ok(text) = std::str::from_utf8(body) else {
        return refused(Keyword::Syntax, "it is not UTF-8");
    };
    let pairs = match pairs(text) {
        Ok(pairs) => pairs,
        Err(BadPairs::Encoding) => {
            return refused(Keyword::Syntax, "it is not percent-encoded UTF-8");
        }
        Err(BadPairs::Many) => return refused(Keyword::TooComplex, "it has too many fields"),
    };
    let mut fields: Vec<Field<'_>> = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let Some(text) = decode(pair.raw, Plus::Space) else {
            return refused(Keyword::Syntax, "it is not percent-encoded UTF-8");
        };
        fields.push(Field {
            name: pair.name,
            came: Came::Text(text),
            media: None,
        });
    }
    object(arena, rule, &fields, prefer, limits)
}

/// One field, or one part.
struct Field<'a> {
    name: Cow<'a, str>,
    came: Came<'a>,
    media: Option<Media>,
}

enum Came<'a> {
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
}

fn object(
    arena: &mut Arena,
    rule: &MediaRule,
    fields: &[Field<'_>],
    prefer: Prefer,
    limits: &Limits,
) -> Result<(), Refused> {
    let opened = arena.open(Kind::Object);
    let free = Shape::default();
    let mut count = 0;
    let mut order: Vec<usize> = (0..fields.len()).collect();
    // Fields of one name side by side, in the order they came.
    order.sort_by(|a, b| {
        fields
            .get(*a)
            .map(|f| &f.name)
            .cmp(&fields.get(*b).map(|f| &f.name))
    });
    let mut rest = order.as_slice();
    while let Some(first) = rest.first().and_then(|at| fields.get(*at)) {
        let same = rest
            .iter()
            .take_while(|at| fields.get(**at).is_some_and(|f| f.name == first.name))
            .count();
        let (own, after) = rest.split_at_checked(same).unwrap_or((rest, &[]));
        rest = after;
        let own: Vec<&Field<'_>> = own.iter().filter_map(|at| fields.get(*at)).collect();
        let shape = rule.shape.property(&first.name).unwrap_or(&free);
        arena.text(Kind::String, &first.name);
        count += 1;
        property(arena, rule, &own, shape, prefer, limits)?;
    }
    arena.close(opened, count);
    Ok(())
}

fn property(
    arena: &mut Arena,
    rule: &MediaRule,
    own: &[&Field<'_>],
    shape: &Shape,
    prefer: Prefer,
    limits: &Limits,
) -> Result<(), Refused> {
    let [field, more @ ..] = own else {
        return Ok(());
    };
    let name = &*field.name;
    if !more.is_empty() && !shape.types.meets(Types::ARRAY) {
        // SECURITY: of a field that comes twice some take the first, some the last.
        return refused_field(name, Keyword::Repeated, "it must not come more than once");
    }
    let encoding = rule
        .encodings
        .iter()
        .find(|encoding| *encoding.property == *name);
    let element = match &shape.items {
        Some(items) if shape.is_list() => items,
        _ => shape,
    };
    let mut texts: Vec<&str> = Vec::with_capacity(own.len());
    let listed = shape.is_list() || !more.is_empty();
    for field in own {
        texts.push(text_of(field, encoding, element)?);
    }
    // JSON within a part: where it says so, or where the document does (OpenAPI 3.1.1 §4.8.15.1.1).
    let says = field.media.as_ref().map(Media::reading) == Some(Reading::Json);
    let declared = encoding.is_some_and(|e| {
        e.types
            .iter()
            .any(|t| super::media::reading(t) == Reading::Json)
    });
    let nested = element.types.meets(Types::OBJECT) && !element.types.meets(super::shape::SCALAR);
    if !(says || declared || nested) {
        add_shaped(arena, &texts, shape, prefer);
        return Ok(());
    }
    // One part may hold the whole list.
    let whole = listed && texts.len() == 1 && texts.iter().all(|t| t.trim_start().starts_with('['));
    let opened = (listed && !whole).then(|| arena.open(Kind::Array));
    for text in &texts {
        let mut inner = Arena::default();
        let depth = limits.body_depth.saturating_sub(2);
        match tree::read(&mut inner, text.as_bytes(), depth, limits.body_nodes) {
            Ok(text) => arena.graft(&inner.tree(text), Tree::ROOT),
            Err(_) if element.types.meets(Types::STRING) && !says => {
                add(arena, text, element.types, prefer);
            }
            Err(error) => {
                let (keyword, text) = said(&error);
                return refused_field(name, keyword, text);
            }
        }
    }
    if let Some(opened) = opened {
        arena.close(opened, u32::try_from(texts.len()).unwrap_or(u32::MAX));
    }
    Ok(())
}

/// The text of a field or a part; none of what is bytes.
fn text_of<'a>(
    field: &'a Field<'_>,
    encoding: Option<&Encoding>,
    element: &Shape,
) -> Result<&'a str, Refused> {
    if let (Some(encoding), Some(media)) = (encoding, &field.media)
        && !encoding.types.is_empty()
        && !encoding
            .types
            .iter()
            .any(|range| fit(range, &media.essence).is_some())
    {
        let text = format!("its media type must be {}", encoding.types.join(" or "));
        return refused_field(&field.name, Keyword::MediaType, text);
    }
    match &field.came {
        Came::Text(text) => Ok(text),
        Came::Bytes(_) if element.bytes => Ok(""),
        Came::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            // Nothing says that it is text.
            Err(_) if element.types == Types::ALL => Ok(""),
            Err(_) => {
                let text = "it must be text, and is not UTF-8";
                refused_field(&field.name, Keyword::Syntax, text)
            }
        },
    }
}

// LIMIT: parts of one form, and bytes of one part's head.
const PARTS: usize = 1_000;
const HEAD: usize = 8_192;

/// Makes a form of several parts an object (RFC 7578, RFC 2046 §5.1).
pub(super) fn multipart(
    arena: &mut Arena,
    rule: &MediaRule,
    body: &[u8],
    boundary: &str,
    prefer: Prefer,
    limits: &Limits,
) -> Result<(), Refused> {
    // RFC 2046 §5.1.1.
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    if boundary.is_empty()
        || boundary.len() > 70
        || boundary.ends_with(' ')
        || !boundary.bytes().all(letter)
    {
        return refused(
            Keyword::Syntax,
            "its media type names no boundary between its parts",
        );
    }
    // SECURITY: what stands before the first part or after the last is read by some and not by
    // others: nothing may.
    let delimiter = format!("\r\n--{boundary}");
    let opening = delimiter.as_bytes().get(2..).unwrap_or_default();
    let Some(mut rest) = body.strip_prefix(opening) else {
        return refused(Keyword::Syntax, "it does not begin with its boundary");
    };
    let finder = Finder::new(delimiter.as_bytes());
    let mut fields = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(b"--") {
            if after.is_empty() || after == b"\r\n" {
                break;
            }
            return refused(Keyword::Syntax, "something follows its last part");
        }
        if fields.len() >= PARTS {
            return refused(Keyword::TooComplex, "it has too many parts");
        }
        let Some(part) = rest.strip_prefix(b"\r\n") else {
            return refused(Keyword::Syntax, "a boundary is not followed by a line end");
        };
        let Some(end) = finder.find(part) else {
            return refused(Keyword::Syntax, "it does not end with its boundary");
        };
        let (part, after) = part.split_at_checked(end).unwrap_or((part, &[]));
        rest = after.get(delimiter.len()..).unwrap_or_default();
        fields.push(field(part)?);
    }
    object(arena, rule, &fields, prefer, limits)
}

fn field(part: &[u8]) -> Result<Field<'_>, Refused> {
    let Some(end) = memchr::memmem::find(part, b"\r\n\r\n") else {
        return refused(Keyword::Syntax, "a part has no head");
    };
    let (head, content) = part.split_at_checked(end).unwrap_or((part, &[]));
    let content = content.get(4..).unwrap_or_default();
    let head = std::str::from_utf8(head)
        .ok()
        .filter(|head| head.len() <= HEAD);
    let Some(head) = head.filter(|head| !head.contains('\0')) else {
        return refused(Keyword::Syntax, "a part's head is not UTF-8, or too long");
    };
    let (mut name, mut media, mut seen) = (None, None, Vec::new());
    for line in head.split("\r\n") {
        let parts = line
            .split_once(':')
            .filter(|(name, _)| !name.is_empty() && !name.contains([' ', '\t']));
        let Some((field, value)) = parts.filter(|_| !line.contains(['\r', '\n'])) else {
            return refused(Keyword::Syntax, "a part's head has a line that is no field");
        };
        let field = field.to_ascii_lowercase();
        let value = value.trim_matches([' ', '\t']);
        if seen.contains(&field) {
            return refused(Keyword::Repeated, "a part's head has a field twice");
        }
        match field.as_str() {
            "content-disposition" => name = Some(disposition(value)?),
            "content-type" => match Media::parse(value.as_bytes()) {
                Some(found) => media = Some(found),
                None => return refused(Keyword::Syntax, "a part's media type is none"),
            },
            // RFC 7578 §4.7: deprecated; what is not plain would be read differently.
            "content-transfer-encoding"
                if !matches!(&*value.to_ascii_lowercase(), "7bit" | "8bit" | "binary") =>
            {
                return refused(Keyword::Syntax, "a part has a transfer encoding");
            }
            _ => {}
        }
        seen.push(field);
    }
    let Some(name) = name else {
        return refused(Keyword::Syntax, "a part has no name");
    };
    Ok(Field {
        name: Cow::Owned(name),
        came: Came::Bytes(content),
        media,
    })
}

/// The name in `form-data; name="…"; filename="…"` (RFC 7578 §4.2).
fn disposition(value: &str) -> Result<String, Refused> {
    let wrong = || refused(Keyword::Syntax, "a part's disposition is not one of a form");
    let Some(mut rest) = value.strip_prefix("form-data") else {
        return wrong();
    };
    let (mut name, mut file) = (None, None);
    while !rest.is_empty() {
        let Some((key, after)) = rest
            .strip_prefix(';')
            .and_then(|rest| rest.trim_start().split_once('='))
        else {
            return wrong();
        };
        // SECURITY: `name*` and escapes within quotes are read in several ways; a file's name with
        // a path in it or a second name is how a filter is passed.
        let Some((value, after)) = after
            .strip_prefix('"')
            .and_then(|rest| rest.split_once('"'))
        else {
            return wrong();
        };
        let slot = match key {
            "name" => &mut name,
            "filename" => &mut file,
            _ => return wrong(),
        };
        if value.contains('\\') || slot.replace(value).is_some() {
            return wrong();
        }
        rest = after;
    }
    name.map(str::to_owned).map_or_else(wrong, Ok)
}
