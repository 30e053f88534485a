//! What traffic shows of an API that nobody described: a document proposed from it, and how a
//! document and its traffic have drifted apart.
//!
//! Values of requests are not kept but for short ones that repeat across sources (what an `enum`
//! is made of) and the range of numbers.

mod drift;
mod propose;
mod shape;
mod texts;
mod tree;
mod yaml;

use crate::Document;
use crate::document::reads;
use tree::{Operation, Segments};

/// One exchange, as the gateway saw it.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path, canonical, still percent-encoded.
    pub path: &'a str,
    /// The query without its question mark.
    pub query: Option<&'a str>,
    /// The request's body and content type, where it was held.
    pub request: Option<Content<'a>>,
    /// The response's status.
    pub status: u16,
    /// The response's body and content type, where it was held.
    pub response: Option<Content<'a>>,
    /// Who asked, as a number that means nothing outside: distinct ones are counted before a
    /// value is held to be common.
    pub source: u64,
}

/// A body and what it says it is.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The `Content-Type` field.
    pub content_type: Option<&'a [u8]>,
    /// The body, without content codings.
    pub body: &'a [u8],
}

/// Limits of what is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    // LIMIT: distinct methods and templates.
    /// Distinct operations.
    pub operations: usize,
    // LIMIT: distinct values under one segment before it is taken for a parameter.
    /// Children of one path segment that are kept apart.
    pub segment_values: usize,
    // LIMIT: names in one object, one query, one form.
    /// Names in one object.
    pub names: usize,
    // LIMIT: shapes remembered in all.
    /// Shapes in all.
    pub shapes: usize,
    // LIMIT: segments of paths remembered in all: a service that answers at every path would let
    // strangers make as many as they like.
    /// Segments of paths in all.
    pub places: usize,
    // LIMIT: distinct short texts of one place that may become an enum.
    /// Distinct values of one place that may become an `enum`.
    pub values: usize,
    /// Distinct sources that must have sent a value before it may stand in an `enum`.
    pub value_sources: usize,
    /// Times a place must have been seen before its values may become an `enum`.
    pub value_count: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 2_000,
            segment_values: 24,
            names: 200,
            shapes: 100_000,
            places: 100_000,
            values: 12,
            value_sources: 3,
            value_count: 50,
        }
    }
}

/// What was seen, in bounded memory.
#[derive(Debug, Clone)]
pub struct Observations {
    limits: Limits,
    exchanges: u64,
    dropped: Dropped,
    used: Used,
    root: Segments,
}

/// What is held, against the limits.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    operations: usize,
    shapes: usize,
    places: usize,
}

/// What learning works within.
#[derive(Debug)]
struct Budget<'b> {
    limits: &'b Limits,
    used: &'b mut Used,
    dropped: &'b mut Dropped,
    source: u64,
}

impl Budget<'_> {
    /// Whether one more shape may be remembered.
    fn shape(&mut self) -> bool {
        let fits = self.used.shapes < self.limits.shapes;
        if fits {
            self.used.shapes += 1;
        } else {
            self.dropped.shapes = self.dropped.shapes.saturating_add(1);
        }
        fits
    }

    /// Whether one more segment of a path may be remembered.
    fn place(&mut self) -> bool {
        let fits = self.used.places < self.limits.places;
        self.used.places += usize::from(fits);
        fits
    }
}

/// What was not remembered because a limit was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Exchanges of operations past the limit.
    pub operations: u64,
    /// Names of properties and parameters past the limit.
    pub names: u64,
    /// Shapes past the limit.
    pub shapes: u64,
    /// Bodies that were not read: too deep, too large, broken.
    pub bodies: u64,
    /// Requests that were refused by the service, of which nothing is learnt but the status: a
    /// scan must not become a document.
    pub refused: u64,
}

impl Observations {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            exchanges: 0,
            dropped: Dropped::default(),
            used: Used::default(),
            root: Segments::default(),
        }
    }

    /// Learns from one exchange. Of a request that the service refused (4xx, 5xx) only the answer
    /// is learnt, and only where the operation is known from others.
    pub fn observe(&mut self, exchange: &Exchange<'_>) {
        self.exchanges = self.exchanges.saturating_add(1);
        let mut budget = Budget {
            limits: &self.limits,
            used: &mut self.used,
            dropped: &mut self.dropped,
            source: exchange.source,
        };
        let Some(segments) = tree::segments(exchange.path) else {
            budget.dropped.operations = budget.dropped.operations.saturating_add(1);
            return;
        };
        let taken = exchange.status < 400;
        if !taken {
            budget.dropped.refused = budget.dropped.refused.saturating_add(1);
            if let Some(operation) = self.root.known(&segments, exchange.method) {
                operation.answered(exchange, &mut budget);
            }
            return;
        }
        if !reads::is_method(exchange.method) {
            budget.dropped.operations = budget.dropped.operations.saturating_add(1);
            return;
        }
        match self.root.operation(&segments, exchange.method, &mut budget) {
            Some(operation) => {
                operation.asked(exchange, &mut budget);
                operation.answered(exchange, &mut budget);
            }
            None => budget.dropped.operations = budget.dropped.operations.saturating_add(1),
        }
    }

    /// How many exchanges were seen.
    #[must_use]
    pub fn exchanges(&self) -> u64 {
        self.exchanges
    }

    /// What was dropped.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// An OpenAPI 3.1 document in YAML that accepts what was seen of requests that were answered,
    /// as far as nothing was dropped. The same observations give the same text.
    #[must_use]
    pub fn propose(&self, title: &str) -> String {
        propose::document(self, title)
    }

    /// How `document` and what was seen differ, in the order of paths.
    #[must_use]
    pub fn drift(&self, document: &Document) -> Vec<Drift> {
        drift::between(document, self)
    }

    /// Every operation with its template, collapsed where segments vary.
    fn operations(&self) -> Vec<(String, &'static str, Operation)> {
        self.root.clone().settled(&self.limits)
    }
}

/// One difference between a document and its traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// What kind it is.
    pub kind: DriftKind,
    /// The method, where it is about one operation.
    pub method: String,
    /// The path's template.
    pub template: String,
    /// Where in the operation, in words; empty for the operation itself.
    pub place: String,
    /// What differs.
    pub text: String,
    /// How often it was seen; zero for what was never seen.
    pub seen: u64,
}

/// Kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DriftKind {
    /// Traffic that no operation of the document describes.
    Undocumented,
    /// An operation that nobody used.
    NeverSeen,
    /// A query parameter that the operation does not declare.
    Parameter,
    /// A field of a body that the schema does not declare.
    Field,
    /// Values of a type that the schema does not allow.
    Type,
    /// A status that the operation does not declare.
    Status,
    /// A media type that the operation does not declare.
    MediaType,
}

#[cfg(test)]
mod tests;
