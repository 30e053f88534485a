//! Parameters: what a style wrote is read back into a value, and the value is held against its
//! schema (OpenAPI 3.1.1 §4.8.12).

use std::borrow::Cow;

use smallvec::SmallVec;

use super::shape::{Prefer, SCALAR, Shape, add, add_shaped};
use super::text::{Pairs, Plus, decode};
use crate::schema::{Check, Direction, Id, Origin, Schemas, Types};
use crate::tree::{self, Arena, Kind};
use crate::{Keyword, Violation, Violations};

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

/// How a parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    Space,
    Pipe,
    Deep,
}

/// A parameter, or a header of a response.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: Box<str>,
    pub(super) place: Place,
    pub(super) required: bool,
    pub(super) style: Style,
    pub(super) explode: bool,
    pub(super) may_be_empty: bool,
    /// It is JSON in its place (`content`).
    pub(super) json: bool,
    pub(super) schema: Option<Id>,
    pub(super) shape: Shape,
    /// Where the document declares it.
    pub(super) rule: Box<str>,
}

/// Decoded texts.
type Texts<'a> = SmallVec<[Cow<'a, str>; 4]>;
type Named<'a> = SmallVec<[(Cow<'a, str>, Cow<'a, str>); 4]>;

/// What came for a parameter.
#[derive(Debug)]
enum Came<'a> {
    One(Cow<'a, str>),
    Many(Texts<'a>),
    Members(Named<'a>),
}

impl Parameter {
    fn origin(&self) -> Origin<'_> {
        match self.place {
            Place::Path => Origin::Path(&self.name),
            Place::Query => Origin::Query(&self.name),
            Place::Header => Origin::Header(&self.name),
            Place::Cookie => Origin::Cookie(&self.name),
        }
    }

    fn fail(&self, keyword: Keyword, text: &str, out: &mut Violations) {
        out.push(Violation {
            place: self.origin().place(""),
            keyword,
            text: text.to_owned(),
            rule: self.rule.to_string(),
        });
    }

    pub(super) fn missing(&self, out: &mut Violations) {
        if self.required {
            self.fail(Keyword::Required, "it must be there", out);
        }
    }

    /// Checks the parameter in a path, a header field or a cookie: one text.
    pub(super) fn check_text(
        &self,
        raw: &str,
        schemas: &Schemas,
        direction: Direction,
        out: &mut Violations,
    ) {
        if self.json {
            return self.check_json(raw, schemas, direction, out);
        }
        let came = match self.style {
            Style::Label => raw.strip_prefix('.').and_then(|rest| {
                let separator = if self.explode { '.' } else { ',' };
                self.listed(rest, separator)
            }),
            Style::Matrix => self.matrix(raw),
            Style::Form if self.place == Place::Cookie => {
                self.listed(raw, if self.explode { '\0' } else { ',' })
            }
            _ => self.listed(raw, ','),
        };
        match came {
            Some(came) => self.hold(&came, schemas, direction, out),
            None => self.fail(
                Keyword::Style,
                "it is not written in the style that is declared",
                out,
            ),
        }
    }

    fn text<'a>(&self, raw: &'a str) -> Option<Cow<'a, str>> {
        match self.place {
            Place::Header => Some(Cow::Borrowed(raw)),
            Place::Query => decode(raw, Plus::Space),
            Place::Path | Place::Cookie => decode(raw, Plus::Plus),
        }
    }

    fn wants(&self) -> Types {
        self.shape.types
    }

    /// A value, or what a separator divides.
    fn listed<'a>(&self, raw: &'a str, separator: char) -> Option<Came<'a>> {
        if self.wants().meets(SCALAR)
            && (!self.wants().meets(Types::ARRAY) || !raw.contains(separator))
        {
            return self.text(raw).map(Came::One);
        }
        if separator == '\0' {
            return self
                .text(raw)
                .map(|text| Came::Many(SmallVec::from_iter([text])));
        }
        let parts = raw.split(separator).map(|part| {
            if self.place == Place::Header {
                part.trim_matches([' ', '\t'])
            } else {
                part
            }
        });
        if self.wants().meets(Types::ARRAY) {
            return parts
                .map(|part| self.text(part))
                .collect::<Option<_>>()
                .map(Came::Many);
        }
        let mut members = Named::new();
        if self.explode {
            for part in parts {
                let (name, value) = part.split_once('=')?;
                members.push((self.text(name)?, self.text(value)?));
            }
        } else {
            self.alternate(parts, &mut members)?;
        }
        Some(Came::Members(members))
    }

    /// Names and values one after another.
    fn alternate<'a>(
        &self,
        mut parts: impl Iterator<Item = &'a str>,
        members: &mut Named<'a>,
    ) -> Option<()> {
        while let Some(name) = parts.next() {
            members.push((self.text(name)?, self.text(parts.next()?)?));
        }
        Some(())
    }

    /// RFC 6570 §3.2.7: `;name=value`.
    fn matrix<'a>(&self, raw: &'a str) -> Option<Came<'a>> {
        let rest = raw.strip_prefix(';')?;
        let own = |part: &'a str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name == &*self.name).then_some(value)
        };
        if self.explode && !self.wants().meets(SCALAR) {
            let mut parts = rest.split(';');
            if self.wants().meets(Types::ARRAY) {
                let texts = parts.map(|part| self.text(own(part)?));
                return texts.collect::<Option<_>>().map(Came::Many);
            }
            let members = parts.try_fold(Named::new(), |mut members, part| {
                let (name, value) = part.split_once('=')?;
                members.push((self.text(name)?, self.text(value)?));
                Some(members)
            });
            return members.map(Came::Members);
        }
        self.listed(own(rest)?, ',')
    }

    /// Checks a query parameter, and marks the pairs that are its own.
    pub(super) fn check_query(
        &self,
        pairs: &mut Pairs<'_>,
        schemas: &Schemas,
        out: &mut Violations,
    ) {
        if self.style == Style::Deep {
            return self.check_deep(pairs, schemas, out);
        }
        let object =
            self.wants().meets(Types::OBJECT) && !self.wants().meets(SCALAR.or(Types::ARRAY));
        if self.style == Style::Form && self.explode && object && !self.json {
            return self.check_spread(pairs, schemas, out);
        }
        let mut raws: SmallVec<[&str; 4]> = SmallVec::new();
        for pair in pairs.iter_mut().filter(|pair| *pair.name == *self.name) {
            pair.used = true;
            raws.push(pair.raw);
        }
        let raw = match raws.as_slice() {
            [] => return self.missing(out),
            [raw] => *raw,
            _ if self.explode && self.wants().meets(Types::ARRAY) && !self.json => {
                let texts = raws
                    .iter()
                    .map(|raw| self.text(raw))
                    .collect::<Option<Texts<'_>>>();
                return self.held_or_not(texts.map(Came::Many), schemas, out);
            }
            _ => {
                // SECURITY: of a parameter that comes twice some take the first, some the last.
                return self.fail(Keyword::Repeated, "it must not come more than once", out);
            }
        };
        if raw.is_empty() && self.may_be_empty {
            return;
        }
        if self.json {
            return self.check_json(raw, schemas, Direction::Request, out);
        }
        let came = match self.style {
            _ if self.explode && self.shape.is_list() => self
                .text(raw)
                .map(|text| Came::Many(SmallVec::from_iter([text]))),
            _ if self.explode => self.text(raw).map(Came::One),
            Style::Space => self
                .listed(&raw.replace("%20", "+").replace(' ', "+"), '+')
                .map(owned),
            Style::Pipe => self
                .listed(&raw.replace("%7C", "|").replace("%7c", "|"), '|')
                .map(owned),
            _ => self.listed(raw, ','),
        };
        self.held_or_not(came, schemas, out);
    }

    fn held_or_not(&self, came: Option<Came<'_>>, schemas: &Schemas, out: &mut Violations) {
        match came {
            Some(came) => self.hold(&came, schemas, Direction::Request, out),
            None => self.fail(
                Keyword::Syntax,
                "it is not percent-encoded UTF-8, or not in its style",
                out,
            ),
        }
    }

    /// `name[property]=value`.
    fn check_deep(&self, pairs: &mut Pairs<'_>, schemas: &Schemas, out: &mut Violations) {
        let mut members = Named::new();
        for pair in pairs.iter_mut() {
            let inner = pair
                .name
                .strip_prefix(&*self.name)
                .and_then(|rest| rest.strip_prefix('['));
            let Some(inner) = inner.and_then(|rest| rest.strip_suffix(']')) else {
                continue;
            };
            pair.used = true;
            // Some write `name[list][]` for lists.
            let name = inner.strip_suffix("][").unwrap_or(inner);
            let Some(text) = self.text(pair.raw).filter(|_| !name.contains(['[', ']'])) else {
                return self.fail(
                    Keyword::Style,
                    "it is not written in the style that is declared",
                    out,
                );
            };
            members.push((Cow::Owned(name.to_owned()), Cow::Owned(text.into_owned())));
        }
        if members.is_empty() {
            return self.missing(out);
        }
        self.hold(&Came::Members(members), schemas, Direction::Request, out);
    }

    /// An object whose properties are parameters of their own.
    fn check_spread(&self, pairs: &mut Pairs<'_>, schemas: &Schemas, out: &mut Violations) {
        let mut members = Named::new();
        for pair in pairs
            .iter_mut()
            .filter(|pair| self.shape.property(&pair.name).is_some())
        {
            pair.used = true;
            let Some(text) = self.text(pair.raw) else {
                return self.fail(Keyword::Syntax, "it is not percent-encoded UTF-8", out);
            };
            members.push((
                Cow::Owned(pair.name.clone().into_owned()),
                Cow::Owned(text.into_owned()),
            ));
        }
        if members.is_empty() {
            return self.missing(out);
        }
        self.hold(&Came::Members(members), schemas, Direction::Request, out);
    }

    fn check_json(&self, raw: &str, schemas: &Schemas, direction: Direction, out: &mut Violations) {
        let Some(text) = self.text(raw) else {
            return self.fail(Keyword::Syntax, "it is not percent-encoded UTF-8", out);
        };
        let mut arena = Arena::default();
        match tree::read(&mut arena, text.as_bytes(), 32, 10_000) {
            Ok(text) => {
                if let Some(schema) = self.schema {
                    let tree = arena.tree(text);
                    Check::new(schemas, tree, direction, self.origin(), out).run(schema);
                }
            }
            Err(error) => self.fail(
                Keyword::Syntax,
                &format!("it is no JSON that is taken: {}", error.what),
                out,
            ),
        }
    }

    fn hold(&self, came: &Came<'_>, schemas: &Schemas, direction: Direction, out: &mut Violations) {
        let Some(schema) = self.schema else {
            return;
        };
        let mut arena = Arena::default();
        let mut fits = |prefer: Prefer, loud: bool, out: &mut Violations| {
            arena.clear();
            if let Err(name) = self.write(&mut arena, came, prefer) {
                let text = format!(
                    "its property `{}` must not come more than once",
                    crate::schema::shown(&name)
                );
                self.fail(Keyword::Repeated, &text, out);
                return true;
            }
            let check = Check::new(schemas, arena.tree(""), direction, self.origin(), out);
            if loud {
                check.run(schema)
            } else {
                check.fits(schema)
            }
        };
        if self.shape.is_ambiguous() && fits(Prefer::Text, false, out) {
            return;
        }
        fits(Prefer::Typed, true, out);
    }

    /// Makes a value of what came; the name that came twice, where one did.
    fn write(&self, arena: &mut Arena, came: &Came<'_>, prefer: Prefer) -> Result<(), String> {
        match came {
            Came::One(text) => add(arena, text, self.shape.types, prefer),
            Came::Many(texts) => {
                let types = self
                    .shape
                    .items
                    .as_ref()
                    .map_or(Types::ALL, |items| items.types);
                let opened = arena.open(Kind::Array);
                texts
                    .iter()
                    .for_each(|text| add(arena, text, types, prefer));
                arena.close(opened, u32::try_from(texts.len()).unwrap_or(u32::MAX));
            }
            Came::Members(members) => {
                let opened = arena.open(Kind::Object);
                let mut count = 0;
                let free = Shape::default();
                for (at, (name, _)) in members.iter().enumerate() {
                    if members.iter().take(at).any(|(before, _)| before == name) {
                        continue;
                    }
                    let shape = self.shape.property(name).unwrap_or(&free);
                    let own = members.iter().filter(|(other, _)| other == name);
                    let texts: SmallVec<[&str; 4]> = own.map(|(_, text)| &**text).collect();
                    if texts.len() > 1 && !shape.types.meets(Types::ARRAY) {
                        return Err(name.to_string());
                    }
                    arena.text(Kind::String, name);
                    add_shaped(arena, &texts, shape, prefer);
                    count += 1;
                }
                arena.close(opened, count);
            }
        }
        Ok(())
    }
}

/// What came, without what it was taken from.
fn owned<'o>(came: Came<'_>) -> Came<'o> {
    fn keep<'o>(text: Cow<'_, str>) -> Cow<'o, str> {
        Cow::Owned(text.into_owned())
    }
    match came {
        Came::One(text) => Came::One(keep(text)),
        Came::Many(texts) => Came::Many(texts.into_iter().map(keep).collect()),
        Came::Members(members) => Came::Members(
            members
                .into_iter()
                .map(|(name, text)| (keep(name), keep(text)))
                .collect(),
        ),
    }
}
