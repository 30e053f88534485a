//! The documents that belong to an estate beside its text.

use std::collections::BTreeMap;

use ::model::Span;

use crate::RuleSource;
use crate::fields::{ROOT, WAF};
use crate::parse::{self, names};
use crate::read::Reader;
use crate::values;

/// Paths, relative to the estate file, of the documents that `source` names, each with the place
/// that names it first. Also of a text that has errors: they are told together with those of its
/// documents. None of a text that is no TOML.
#[must_use]
pub fn documents(source: &str) -> BTreeMap<String, Span> {
    let Ok(document) = parse::document(source) else {
        return BTreeMap::new();
    };
    let whole = Span {
        start: 0,
        end: source.len(),
    };
    let root = Reader::new(&ROOT, Some(document.as_table()), whole);
    let mut documents = BTreeMap::new();
    for route in names::entries(&root, "route") {
        if let Some(path) = route.placed("openapi", values::document) {
            documents.entry(path.value).or_insert(path.span);
        }
    }
    documents
}

/// Folders of rules, relative to the estate file, that `source` names, in their order, each with
/// its place. Also of a text that has errors; none of a text that is no TOML.
#[must_use]
pub fn rule_folders(source: &str) -> Vec<(String, Span)> {
    let Ok(document) = parse::document(source) else {
        return Vec::new();
    };
    let whole = Span {
        start: 0,
        end: source.len(),
    };
    let root = Reader::new(&ROOT, Some(document.as_table()), whole);
    let table = root.sub("waf", &WAF);
    let folders = table.list("rules", values::rules).into_iter();
    let folder = |one: crate::read::Placed<RuleSource>| match one.value {
        RuleSource::Folder(path) => Some((path, one.span)),
        RuleSource::Builtin => None,
    };
    folders.filter_map(folder).collect()
}
