//! Parameters, bodies and responses of an operation.

use super::Builder;
use crate::document::body::{Content, Encoding, MediaRule};
use crate::document::media::{Reading, reading};
use crate::document::params::{Parameter, Place, Style};
use crate::document::shape::Shape;
use crate::document::{Response, StatusRange};
use crate::source::{At, Node};

impl<'d> Builder<'d> {
    /// A parameter; none where it says nothing that could be checked.
    pub(super) fn parameter(&mut self, at: &At<'d>) -> Option<Parameter> {
        let known = [
            "name",
            "in",
            "description",
            "required",
            "deprecated",
            "allowEmptyValue",
            "style",
            "explode",
            "allowReserved",
            "schema",
            "example",
            "examples",
            "content",
            "$ref",
        ];
        self.unknown(at, &known, "parameters");
        let word = |name: &str| at.node.get(name).and_then(Node::as_str);
        let Some(name) = word("name") else {
            self.findings.error(at, "a parameter wants a `name`", "");
            return None;
        };
        let place = match word("in") {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            Some("header") => Place::Header,
            Some("cookie") => Place::Cookie,
            _ => {
                self.findings.error(
                    at,
                    "a parameter wants `in`",
                    "one of path, query, header, cookie",
                );
                return None;
            }
        };
        let lower = name.to_ascii_lowercase();
        if place == Place::Header && matches!(&*lower, "accept" | "content-type" | "authorization")
        {
            // OpenAPI 3.1.1 §4.8.12.1: such a definition is ignored.
            return None;
        }
        let name = if place == Place::Header { &lower } else { name };
        let style = self.style(at, place)?;
        let flag = |name: &str| at.node.get(name).and_then(Node::as_bool);
        if place == Place::Path && flag("required") != Some(true) {
            self.findings.warn(
                at,
                "a path's parameter is always required",
                "say `required: true`",
            );
        }
        let (schema, json) = self.described(at);
        Some(Parameter {
            name: name.into(),
            place,
            required: place == Place::Path || flag("required") == Some(true),
            style,
            explode: flag("explode").unwrap_or(style == Style::Form),
            may_be_empty: flag("allowEmptyValue") == Some(true),
            json,
            schema,
            shape: Shape::default(),
            rule: at.pointer.as_str().into(),
        })
    }

    fn style(&mut self, at: &At<'d>, place: Place) -> Option<Style> {
        let Some(style) = at.node.get("style").and_then(Node::as_str) else {
            return Some(match place {
                Place::Path | Place::Header => Style::Simple,
                Place::Query | Place::Cookie => Style::Form,
            });
        };
        // OpenAPI 3.1.1 §4.8.12.3.
        let found = match (style, place) {
            ("simple", Place::Path | Place::Header) => Style::Simple,
            ("label", Place::Path) => Style::Label,
            ("matrix", Place::Path) => Style::Matrix,
            ("form", Place::Query | Place::Cookie) => Style::Form,
            ("spaceDelimited", Place::Query) => Style::Space,
            ("pipeDelimited", Place::Query) => Style::Pipe,
            ("deepObject", Place::Query) => Style::Deep,
            _ => {
                self.findings
                    .error(at, format!("the style `{style}` is none of its place"), "");
                return None;
            }
        };
        Some(found)
    }

    /// The schema of a parameter or a header, and whether it is JSON in its place.
    fn described(&mut self, at: &At<'d>) -> (Option<crate::schema::Id>, bool) {
        if let Some(schema) = at.get("schema") {
            return (Some(self.schemas.schema(&schema)), false);
        }
        let content = at.get("content");
        let first = content.iter().flat_map(At::members).next();
        match first {
            Some((range, media)) if reading(&range.to_ascii_lowercase()) == Reading::Json => (
                media
                    .get("schema")
                    .map(|schema| self.schemas.schema(&schema)),
                true,
            ),
            Some((range, media)) => {
                let message = format!("a parameter of `{range}` is not held to its schema");
                self.findings.warn(&media, message, "application/json is");
                (None, false)
            }
            None => {
                self.findings.warn(
                    at,
                    "nothing says what it may be: any text is let through",
                    "give it a `schema`",
                );
                (None, false)
            }
        }
    }

    pub(super) fn content(&mut self, at: &At<'d>) -> Content {
        let mut media = Vec::new();
        for (range, inner) in at.members() {
            self.unknown(
                &inner,
                &["schema", "example", "examples", "encoding"],
                "media types",
            );
            let essence = range
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            if !essence.contains('/') {
                self.findings
                    .error(&inner, format!("`{range}` is no media type"), "");
                continue;
            }
            let schema = inner.get("schema");
            let starred = essence.ends_with("/*");
            if reading(&essence) == Reading::Bytes
                && !starred
                && schema.as_ref().is_some_and(|s| says(s.node))
            {
                let message = format!("bodies of `{essence}` are not held to their schema");
                self.findings
                    .warn(&inner, message, "JSON, forms and text are");
            }
            media.push(MediaRule {
                schema: schema.map(|schema| self.schemas.schema(&schema)),
                shape: Shape::default(),
                encodings: self.encodings(&inner),
                rule: inner.pointer.as_str().into(),
                range: essence,
            });
        }
        Content {
            media,
            rule: at.pointer.as_str().into(),
        }
    }

    fn encodings(&mut self, at: &At<'d>) -> Vec<Encoding> {
        let mut out = Vec::new();
        let all = at.get("encoding");
        for (property, encoding) in all.iter().flat_map(At::members) {
            let known = [
                "contentType",
                "headers",
                "style",
                "explode",
                "allowReserved",
            ];
            self.unknown(&encoding, &known, "encodings");
            for word in ["headers", "style", "explode"] {
                if let Some(value) = encoding.get(word) {
                    self.findings.warn(
                        &value,
                        format!("`{word}` of a form's field is not enforced"),
                        "lists come as repeated fields",
                    );
                }
            }
            let types = encoding
                .node
                .get("contentType")
                .and_then(Node::as_str)
                .unwrap_or_default();
            let types = types
                .split(',')
                .map(|range| range.trim().to_ascii_lowercase());
            out.push(Encoding {
                property: property.into(),
                types: types.filter(|range| !range.is_empty()).collect(),
            });
        }
        out
    }

    /// Responses, and whether they say anything.
    pub(super) fn responses(&mut self, at: &At<'d>) -> (Vec<Response>, bool) {
        let all = at.get("responses");
        let mut out = Vec::new();
        for (status, response) in all.iter().flat_map(At::members) {
            if status.starts_with("x-") {
                continue;
            }
            let range = match (status, status.as_bytes()) {
                ("default", _) => StatusRange::Any,
                (_, [class @ b'1'..=b'5', b'X', b'X']) => StatusRange::Class(class - b'0'),
                _ => match status.parse::<u16>() {
                    Ok(code) if (100..600).contains(&code) => StatusRange::Exact(code),
                    _ => {
                        self.findings.error(
                            &response,
                            format!("`{status}` is no status"),
                            "a code, `2XX`, or `default`",
                        );
                        continue;
                    }
                },
            };
            let Some(response) = self.resolved(response) else {
                continue;
            };
            self.unknown(
                &response,
                &[
                    "description",
                    "headers",
                    "content",
                    "links",
                    "summary",
                    "$ref",
                ],
                "responses",
            );
            let content = response
                .get("content")
                .map(|content| self.content(&content));
            let headers = self.headers(&response);
            out.push(Response {
                range,
                content,
                headers,
            });
        }
        let says = !out.is_empty();
        (out, says)
    }

    fn headers(&mut self, at: &At<'d>) -> Vec<Parameter> {
        let mut out = Vec::new();
        let all = at.get("headers");
        for (name, header) in all.iter().flat_map(At::members) {
            let Some(header) = self.resolved(header) else {
                continue;
            };
            let lower = name.to_ascii_lowercase();
            // OpenAPI 3.1.1 §4.8.17: `Content-Type` is described by `content`.
            if lower == "content-type" {
                continue;
            }
            let flag = |name: &str| header.node.get(name).and_then(Node::as_bool) == Some(true);
            let (schema, json) = self.described(&header);
            out.push(Parameter {
                name: lower.into(),
                place: Place::Header,
                required: flag("required"),
                style: Style::Simple,
                explode: flag("explode"),
                may_be_empty: false,
                json,
                schema,
                shape: Shape::default(),
                rule: header.pointer.as_str().into(),
            });
        }
        out
    }
}

/// Whether a schema says more than that there are bytes.
fn says(schema: &Node) -> bool {
    let silent = [
        "type",
        "format",
        "description",
        "title",
        "contentMediaType",
        "contentEncoding",
        "example",
    ];
    schema
        .members()
        .iter()
        .any(|member| !silent.contains(&member.name.as_str()))
        || schema
            .get("type")
            .and_then(Node::as_str)
            .is_some_and(|kind| kind != "string")
}
