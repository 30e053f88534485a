//! Bodies: read by what their media type says they are, then held against the schema of it.

use super::form;
use super::media::{Media, Reading, fit};
use super::shape::{Prefer, Shape};
use crate::schema::{Check, Direction, Id, Origin, Schemas};
use crate::tree::{self, Arena, Fault, Kind, ReadError};
use crate::{Keyword, Limits, Place, Violation, Violations};

/// What bodies a request or a response may have.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) media: Vec<MediaRule>,
    /// Where the document says so.
    pub(super) rule: Box<str>,
}

/// A declared media type.
#[derive(Debug)]
pub(super) struct MediaRule {
    /// `type/subtype`, either a star, in lower case.
    pub(super) range: String,
    pub(super) schema: Option<Id>,
    pub(super) shape: Shape,
    /// How properties of a form are written.
    pub(super) encodings: Vec<Encoding>,
    pub(super) rule: Box<str>,
}

/// How one property of a form is written (OpenAPI 3.1.1 §4.8.15).
#[derive(Debug)]
pub(super) struct Encoding {
    pub(super) property: Box<str>,
    /// Media types that its part may have.
    pub(super) types: Vec<String>,
}

/// What a check of a body works with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'c> {
    pub(super) schemas: &'c Schemas,
    pub(super) limits: &'c Limits,
    pub(super) direction: Direction,
}

pub(super) fn fail(place: Place, keyword: Keyword, text: String, rule: &str, out: &mut Violations) {
    out.push(Violation {
        place,
        keyword,
        text,
        rule: rule.to_owned(),
    });
}

impl Content {
    /// Holds a body against what is declared of its media type.
    pub(super) fn check(
        &self,
        around: Around<'_>,
        field: Option<&[u8]>,
        body: &[u8],
        out: &mut Violations,
    ) {
        let media = match field.map(Media::parse) {
            Some(Some(media)) => media,
            // SECURITY: a reader that guesses (RFC 9110 §8.3) may guess what was not checked.
            missing => {
                let text = match missing {
                    Some(_) => "it is no media type",
                    None => "a body has to say what it is",
                };
                return fail(
                    Place::ContentType,
                    Keyword::MediaType,
                    text.to_owned(),
                    &self.rule,
                    out,
                );
            }
        };
        let fits = self
            .media
            .iter()
            .filter_map(|rule| Some((fit(&rule.range, &media.essence)?, rule)));
        let Some((_, rule)) = fits.max_by_key(|(fit, _)| *fit) else {
            let declared: Vec<&str> = self
                .media
                .iter()
                .map(|rule| rule.range.as_str())
                .take(8)
                .collect();
            let text = format!(
                "the media type is not one that is declared: {}",
                declared.join(", ")
            );
            return fail(
                Place::ContentType,
                Keyword::MediaType,
                text,
                &self.rule,
                out,
            );
        };
        if media.reading() != Reading::Bytes && !media.is_utf8() {
            let text = "the charset must be utf-8".to_owned();
            return fail(
                Place::ContentType,
                Keyword::MediaType,
                text,
                &rule.rule,
                out,
            );
        }
        rule.check(around, &media, body, out);
    }
}

impl MediaRule {
    fn check(&self, around: Around<'_>, media: &Media, body: &[u8], out: &mut Violations) {
        match media.reading() {
            Reading::Json => self.json(around, body, out),
            Reading::Form => {
                let build = |arena: &mut Arena, prefer| {
                    form::urlencoded(arena, self, body, prefer, around.limits)
                };
                self.form(around, &build, out);
            }
            Reading::Multipart => {
                let boundary = media.boundary.as_deref().unwrap_or_default();
                let build = |arena: &mut Arena, prefer| {
                    form::multipart(arena, self, body, boundary, prefer, around.limits)
                };
                self.form(around, &build, out);
            }
            Reading::Text => match (std::str::from_utf8(body), self.schema) {
                (Ok(text), Some(schema)) => {
                    let mut arena = out.lend();
                    arena.text(Kind::String, text);
                    Check::new(
                        around.schemas,
                        arena.tree(""),
                        around.direction,
                        Origin::Body,
                        out,
                    )
                    .run(schema);
                    out.give_back(arena);
                }
                (Ok(_), None) => {}
                (Err(_), _) => {
                    let place = Place::Body(String::new());
                    fail(
                        place,
                        Keyword::Syntax,
                        "it is not UTF-8".to_owned(),
                        &self.rule,
                        out,
                    );
                }
            },
            // Bytes have no parts that a schema could speak of.
            Reading::Bytes => {}
        }
    }

    fn json(&self, around: Around<'_>, body: &[u8], out: &mut Violations) {
        let mut arena = out.lend();
        match tree::read(
            &mut arena,
            body,
            around.limits.body_depth,
            around.limits.body_nodes,
        ) {
            Ok(text) => {
                if let Some(schema) = self.schema {
                    Check::new(
                        around.schemas,
                        arena.tree(text),
                        around.direction,
                        Origin::Body,
                        out,
                    )
                    .run(schema);
                }
            }
            Err(error) => {
                let (keyword, text) = said(&error);
                fail(Place::Body(String::new()), keyword, text, &self.rule, out);
            }
        }
        out.give_back(arena);
    }

    fn form(
        &self,
        around: Around<'_>,
        build: &dyn Fn(&mut Arena, Prefer) -> Result<(), form::Refused>,
        out: &mut Violations,
    ) {
        let mut arena = out.lend();
        let mut fits = |prefer: Prefer, loud: bool, out: &mut Violations| {
            arena.clear();
            if let Err(refused) = build(&mut arena, prefer) {
                fail(
                    refused.place,
                    refused.keyword,
                    refused.text,
                    &self.rule,
                    out,
                );
                return true;
            }
            let Some(schema) = self.schema else {
                return true;
            };
            let check = Check::new(
                around.schemas,
                arena.tree(""),
                around.direction,
                Origin::Body,
                out,
            );
            if loud {
                check.run(schema)
            } else {
                check.fits(schema)
            }
        };
        if !(self.shape.is_ambiguous() && fits(Prefer::Text, false, out)) {
            fits(Prefer::Typed, true, out);
        }
        out.give_back(arena);
    }
}

/// What is wrong with JSON, in words.
pub(super) fn said(error: &ReadError) -> (Keyword, String) {
    let keyword = match error.fault {
        Fault::Syntax => Keyword::Syntax,
        Fault::Repeated => Keyword::Repeated,
        Fault::Limit => Keyword::TooComplex,
    };
    let text = format!(
        "it is no JSON that is taken: {} (after {} bytes)",
        error.what, error.offset
    );
    (keyword, text)
}
