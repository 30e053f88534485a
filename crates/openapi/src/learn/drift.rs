//! A document beside its traffic: what one has and the other does not.

use super::shape::Shape;
use super::tree::Operation as Seen;
use super::{Drift, DriftKind, Observations};
use crate::document::reads::{Reading, reading};
use crate::schema::{Id, Schemas, Types, shown};
use crate::{Document, Found, Operation};

// LIMIT: differences that are listed.
const LISTED: usize = 1_000;
// LIMIT: nesting of fields that is looked into.
const DEPTH: usize = 16;

pub(super) fn between(document: &Document, observations: &Observations) -> Vec<Drift> {
    let mut report = Report { list: Vec::new() };
    let mut used: Vec<*const Operation> = Vec::new();
    for (template, method, seen) in observations.operations() {
        match document.find(method, &sample(&template)) {
            Found::Operation(operation, _) => {
                used.push(std::ptr::from_ref(operation));
                report.operation(operation, &seen);
            }
            Found::NoPath => report.add(
                DriftKind::Undocumented,
                (method, &template),
                "",
                "no path of the document is it",
                seen.count,
            ),
            Found::NoMethod { .. } => {
                report.add(
                    DriftKind::Undocumented,
                    (method, &template),
                    "",
                    "the path is there, the method is not",
                    seen.count,
                );
            }
        }
    }
    for operation in document.operations() {
        if !used.iter().any(|used| std::ptr::eq(*used, operation)) {
            let own = (operation.method(), operation.template());
            report.add(DriftKind::NeverSeen, own, "", "nobody used it", 0);
        }
    }
    report.list
}

/// A path of a template.
fn sample(template: &str) -> String {
    let segments = template.split('/').map(|segment| {
        if segment.starts_with('{') {
            "0"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

struct Report {
    list: Vec<Drift>,
}

impl Report {
    fn add(
        &mut self,
        kind: DriftKind,
        (method, template): (&str, &str),
        place: &str,
        text: &str,
        seen: u64,
    ) {
        let drift = Drift {
            kind,
            method: method.to_owned(),
            template: template.to_owned(),
            place: place.to_owned(),
            text: text.to_owned(),
            seen,
        };
        // Several observed templates may be one of the document's.
        if self.list.len() < LISTED && !self.list.contains(&drift) {
            self.list.push(drift);
        }
    }

    fn operation(&mut self, operation: &Operation, seen: &Seen) {
        let own = (operation.method(), operation.template());
        for (name, (count, ..)) in &seen.query {
            if !operation.declares_query(name) {
                let place = format!("query parameter `{}`", shown(name));
                self.add(
                    DriftKind::Parameter,
                    own,
                    &place,
                    "it is not declared",
                    *count,
                );
            }
        }
        for (media, shape) in &seen.requests {
            let found = operation.request_schema(media);
            self.body(operation, "request", media, shape, found);
        }
        for (status, (count, content)) in &seen.responses {
            if !operation.declares_status(*status) {
                self.add(
                    DriftKind::Status,
                    own,
                    &format!("status {status}"),
                    "it is not declared",
                    *count,
                );
                continue;
            }
            for (media, shape) in content {
                let found = operation.response_schema(*status, media);
                if operation.checks_responses() {
                    self.body(
                        operation,
                        &format!("response {status}"),
                        media,
                        shape,
                        found,
                    );
                }
            }
        }
    }

    fn body(
        &mut self,
        operation: &Operation,
        what: &str,
        media: &str,
        shape: &Shape,
        found: Option<Option<Id>>,
    ) {
        let own = (operation.method(), operation.template());
        match found {
            None => self.add(
                DriftKind::MediaType,
                own,
                what,
                &format!("the media type `{media}` is not declared"),
                0,
            ),
            Some(Some(schema)) if matches!(reading(media), Reading::Json) => {
                self.value(operation, &format!("{what} "), shape, schema, DEPTH);
            }
            Some(_) => {}
        }
    }

    fn value(
        &mut self,
        operation: &Operation,
        place: &str,
        shape: &Shape,
        schema: Id,
        depth: usize,
    ) {
        let own = (operation.method(), operation.template());
        let schemas = operation.schemas();
        let (types, declared) = (shape.types(), schemas.types_of(schema));
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        if types.and(declared) != types {
            let text = format!("values are {types}, where the document has {declared}");
            self.add(DriftKind::Type, own, place, &text, 0);
        }
        if let (Some(items), true) = (&shape.items, declared.meets(Types::ARRAY)) {
            for inner in parts(schemas, schema)
                .filter_map(|id| schemas.rules(id)?.array.as_ref()?.items)
                .take(1)
            {
                self.value(operation, &format!("{place}/*"), items, inner, depth);
            }
        }
        if shape.properties.is_empty() || !declared.meets(Types::OBJECT) {
            return;
        }
        for (name, (count, inner)) in &shape.properties {
            let place = format!("{place}/{}", shown(name));
            let of = |id: Id| {
                let object = schemas.rules(id)?.object.as_ref()?;
                let property = object.property(name);
                property
                    .and_then(|property| property.schema)
                    .or_else(|| object.pattern(name))
            };
            match parts(schemas, schema).find_map(of) {
                Some(found) => self.value(operation, &place, inner, found, depth),
                None => self.add(
                    DriftKind::Field,
                    own,
                    &place,
                    "the field is not declared",
                    *count,
                ),
            }
        }
    }
}

/// A schema and those that are applied to the same value.
fn parts(schemas: &Schemas, schema: Id) -> impl Iterator<Item = Id> {
    let mut all = vec![schema];
    let mut at = 0;
    // LIMIT: schemas of one value that are looked through.
    while let Some(rules) = all
        .get(at)
        .and_then(|id| schemas.rules(*id))
        .filter(|_| all.len() < 256)
    {
        at += 1;
        if let Some(logic) = &rules.logic {
            let more = logic
                .reference
                .iter()
                .chain(&logic.all_of)
                .chain(&logic.any_of)
                .chain(&logic.one_of);
            let fresh: Vec<Id> = more.filter(|id| !all.contains(id)).copied().collect();
            all.extend(fresh);
        }
    }
    all.into_iter()
}
