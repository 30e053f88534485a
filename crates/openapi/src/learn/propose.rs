//! A document made of what was seen.

use super::shape::Shape;
use super::tree::Operation;
use super::yaml::Out;
use super::{Limits, Observations};
use crate::document::reads::{Reading, reading};
use crate::schema::Types;

/// Which way a body went: what services answer may grow, what clients send should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Response,
}

pub(super) fn document(seen: &Observations, title: &str) -> String {
    let mut paths: Vec<(String, Out)> = Vec::new();
    for (template, method, operation) in seen.operations() {
        let out = self::operation(&operation, &seen.limits);
        let method = method.to_ascii_lowercase();
        match paths.iter_mut().find(|(known, _)| *known == template) {
            Some((_, Out::Map(methods))) => methods.push((method, out)),
            _ => paths.push((template, Out::Map(vec![(method, out)]))),
        }
    }
    let facts = map([("title", Out::text(title)), ("version", Out::text("0"))]);
    map([
        ("openapi", Out::text("3.1.1")),
        ("info", facts),
        ("paths", Out::Map(paths)),
    ])
    .document()
}

fn map<const N: usize>(members: [(&str, Out); N]) -> Out {
    Out::Map(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn operation(operation: &Operation, limits: &Limits) -> Out {
    let mut out: Vec<(String, Out)> = Vec::new();
    let path = operation.path.iter().map(|(name, shape)| {
        map([
            ("name", Out::text(name.as_str())),
            ("in", Out::text("path")),
            ("required", Out::plain(&true)),
            ("schema", text_schema(shape, limits)),
        ])
    });
    let query = operation
        .query
        .iter()
        .map(|(name, (count, repeated, shape))| {
            let one = text_schema(shape, limits);
            let schema = if *repeated {
                map([("type", Out::text("array")), ("items", one)])
            } else {
                one
            };
            // Seen every time is required only where that is often enough to mean something.
            let required = *count == operation.count && operation.count >= limits.value_count;
            map([
                ("name", Out::text(name.as_str())),
                ("in", Out::text("query")),
                ("required", Out::plain(&required)),
                ("schema", schema),
            ])
        });
    let parameters: Vec<Out> = path.chain(query).collect();
    if !parameters.is_empty() {
        out.push(("parameters".to_owned(), Out::List(parameters)));
    }
    if !operation.requests.is_empty() {
        let required = operation.bodies == operation.count && operation.count >= limits.value_count;
        let content = operation
            .requests
            .iter()
            .map(|(media, shape)| (media.clone(), body(media, shape, Way::Request, limits)));
        let body = map([
            ("required", Out::plain(&required)),
            ("content", Out::Map(content.collect())),
        ]);
        out.push(("requestBody".to_owned(), body));
    }
    let responses = operation
        .responses
        .iter()
        .map(|(status, (count, content))| {
            let mut response = vec![(
                "description".to_owned(),
                Out::text(format!("seen {count} times")),
            )];
            if !content.is_empty() {
                let content = content.iter().map(|(media, shape)| {
                    (media.clone(), body(media, shape, Way::Response, limits))
                });
                response.push(("content".to_owned(), Out::Map(content.collect())));
            }
            (status.to_string(), Out::Map(response))
        });
    out.push(("responses".to_owned(), Out::Map(responses.collect())));
    Out::Map(out)
}

fn body(media: &str, shape: &Shape, way: Way, limits: &Limits) -> Out {
    match reading(media) {
        Reading::Json => map([("schema", schema(shape, way, limits))]),
        Reading::Form => {
            let mut out = vec![("type".to_owned(), Out::text("object"))];
            let properties = shape.properties.iter().map(|(name, (_, inner))| {
                let one = text_schema(inner, limits);
                let listed = map([
                    ("type", Out::text("array")),
                    ("items", Out::Map(Vec::new())),
                ]);
                (name.clone(), if inner.open { listed } else { one })
            });
            out.push(("properties".to_owned(), Out::Map(properties.collect())));
            names(&mut out, shape, shape.object, way, limits);
            map([("schema", Out::Map(out))])
        }
        _ => Out::Map(Vec::new()),
    }
}

/// The schema of texts in parameters and forms.
fn text_schema(shape: &Shape, limits: &Limits) -> Out {
    let count = shape.texts.count;
    let mut out: Vec<(String, Out)> = Vec::new();
    let mut kind = |name: &str| out.push(("type".to_owned(), Out::text(name)));
    if count > 0 && shape.integer == count {
        kind("integer");
    } else if count > 0 && shape.integer + shape.number == count {
        kind("number");
    } else if count > 0 && shape.boolean == count {
        kind("boolean");
    } else {
        kind("string");
        texts(&mut out, shape, limits);
        return Out::Map(out);
    }
    numbers(&mut out, shape, count, limits);
    Out::Map(out)
}

fn texts(out: &mut Vec<(String, Out)>, shape: &Shape, limits: &Limits) {
    if let Some(values) = shape.texts.enumeration(limits) {
        out.push((
            "enum".to_owned(),
            Out::List(values.into_iter().map(Out::text).collect()),
        ));
    } else if let Some(format) = shape.texts.format() {
        out.push(("format".to_owned(), Out::text(format)));
    } else {
        // Generous: it bounds what comes, and does not tell what came.
        let bound = shape
            .texts
            .length_max
            .max(16)
            .saturating_mul(4)
            .next_power_of_two();
        out.push(("maxLength".to_owned(), Out::plain(&bound)));
    }
}

/// Bounds of numbers that were seen often: the sign, and a width.
fn numbers(out: &mut Vec<(String, Out)>, shape: &Shape, count: u64, limits: &Limits) {
    let Some((low, high)) = &shape.range else {
        return;
    };
    if shape.number == 0
        && let (Some(low), Some(high)) = (low.to_i64(), high.to_i64())
    {
        let narrow = i32::try_from(low).is_ok()
            && i32::try_from(high).is_ok_and(|high| high < i32::MAX / 16);
        let width = if narrow { "int32" } else { "int64" };
        out.push(("format".to_owned(), Out::text(width)));
    }
    if count >= limits.value_count {
        if low.to_string() == "1" || low.to_string() == "0" {
            out.push(("minimum".to_owned(), Out::plain(low)));
        }
        let seen = map([("minimum", Out::plain(low)), ("maximum", Out::plain(high))]);
        out.push(("x-seen".to_owned(), seen));
    }
}

/// The schema of JSON values.
fn schema(shape: &Shape, way: Way, limits: &Limits) -> Out {
    let types = shape.types();
    let mut out: Vec<(String, Out)> = Vec::new();
    let named = [
        (Types::NULL, "null"),
        (Types::BOOLEAN, "boolean"),
        (Types::NUMBER, "number"),
        (Types::INTEGER, "integer"),
        (Types::STRING, "string"),
        (Types::ARRAY, "array"),
        (Types::OBJECT, "object"),
    ];
    let mut list: Vec<Out> = Vec::new();
    for (one, name) in named {
        if types.has(one) && !(one == Types::INTEGER && types.has(Types::NUMBER)) {
            list.push(Out::text(name));
        }
    }
    if list.len() > 1 {
        out.push(("type".to_owned(), Out::List(list)));
    } else if let Some(one) = list.pop() {
        out.push(("type".to_owned(), one));
    }
    if types.meets(Types::NUMBER) {
        numbers(&mut out, shape, shape.integer + shape.number, limits);
    }
    if types.meets(Types::STRING) {
        let alone = types == Types::STRING;
        let listed = shape.texts.enumeration(limits).is_some();
        let numeric_format = out.iter().any(|(name, _)| name == "format");
        // An enum speaks of every type, and one word is one format.
        if (alone || !listed) && !(numeric_format && shape.texts.format().is_some()) {
            texts(&mut out, shape, limits);
        }
    }
    if types.meets(Types::ARRAY)
        && let Some(items) = &shape.items
        && !shape.open
    {
        out.push(("items".to_owned(), schema(items, way, limits)));
    }
    if types.meets(Types::OBJECT) {
        let properties = shape.properties.iter();
        let properties =
            properties.map(|(name, (_, inner))| (name.clone(), schema(inner, way, limits)));
        out.push(("properties".to_owned(), Out::Map(properties.collect())));
        names(&mut out, shape, shape.object, way, limits);
    }
    Out::Map(out)
}

/// Which properties must be there, and whether others may.
fn names(out: &mut Vec<(String, Out)>, shape: &Shape, objects: u64, way: Way, limits: &Limits) {
    if objects < limits.value_count {
        return;
    }
    let required = shape
        .properties
        .iter()
        .filter(|(_, (count, _))| *count == objects);
    let required: Vec<Out> = required.map(|(name, _)| Out::text(name.as_str())).collect();
    if !required.is_empty() && !shape.open {
        out.push(("required".to_owned(), Out::List(required)));
    }
    if !shape.open && way == Way::Request {
        out.push(("additionalProperties".to_owned(), Out::plain(&false)));
    }
}
