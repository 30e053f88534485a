//! What came with an estate, as a version's routes share it: OpenAPI documents and rules; and how a
//! request is shown to a document.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use estate::{Estate, Route};
use http::HeaderMap;
use openapi::{Document, Fields, Options, Weight};
use waf::{Finding, Ruleset, Sets, Shelf};

use crate::Error;
use crate::reply::ReplyFields;

/// Every document of a version, and its rules, compiled once.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    documents: HashMap<String, Arc<Document>>,
    rules: Sets,
}

impl Documents {
    /// Compiles what the routes of `estate` name from its `texts`. Rules that are not on the `shelf`
    /// take up to a second, so never on a worker's thread.
    ///
    /// SECURITY: a route whose document or rules are missing or cannot be enforced refuses the
    /// version; served without them, it would take what it must not.
    ///
    /// # Errors
    /// [`Error::Document`], [`Error::Rules`].
    pub(crate) fn compile(
        estate: &Estate,
        texts: &BTreeMap<String, String>,
        shelf: &Shelf,
    ) -> Result<Self, Error> {
        let mut all = Self::described(estate, texts)?;
        all.rules = Sets::load(estate, texts, shelf).map_err(no_rules)?;
        Ok(all)
    }

    /// The OpenAPI documents alone.
    ///
    /// # Errors
    /// [`Error::Document`].
    pub(crate) fn described(
        estate: &Estate,
        texts: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let mut documents = HashMap::new();
        for path in estate
            .routes
            .iter()
            .filter_map(|route| route.openapi.as_ref())
        {
            if documents.contains_key(path) {
                continue;
            }
            let failed = |message: String| Error::Document {
                path: path.clone(),
                message,
            };
            let text = texts.get(path);
            let text = text.ok_or_else(|| failed("its text did not come along".to_owned()))?;
            let compiled = Document::compile(text, &Options::default()).map_err(|findings| {
                let first = findings.iter().find(|one| one.weight == Weight::Error);
                failed(first.map_or_else(
                    || "it cannot be enforced".to_owned(),
                    |one| format!("{}:{}: {}", one.line, one.column, one.message),
                ))
            })?;
            documents.insert(path.clone(), Arc::new(compiled.document));
        }
        Ok(Self {
            documents,
            rules: Sets::default(),
        })
    }

    /// A route's document.
    pub(crate) fn of(&self, route: &Route) -> Option<Arc<Document>> {
        self.documents.get(route.openapi.as_ref()?).map(Arc::clone)
    }

    /// A route's rules.
    pub(crate) fn rules_of(&self, route: &Route) -> Option<Arc<Ruleset>> {
        self.rules.of(route)
    }
}

/// Why rules cannot be loaded: the first finding says it.
pub(crate) fn no_rules(findings: Vec<Finding>) -> Error {
    let first = findings.into_iter().find(|one| one.is_error);
    Error::Rules {
        message: first.map_or_else(|| "no reason is known".to_owned(), |one| one.to_string()),
    }
}

impl Fields for ReplyFields {
    fn each(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for (_, value) in self
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
        {
            each(value);
        }
    }
}

/// Header fields as documents look at them.
pub(crate) struct Head<'a>(pub(crate) &'a HeaderMap);

impl Fields for Head<'_> {
    fn each(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for value in self.0.get_all(name) {
            each(value.as_bytes());
        }
    }
}
