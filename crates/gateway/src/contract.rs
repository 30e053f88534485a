//! OpenAPI documents as a version's routes share them, and how a request is shown to one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use estate::{Estate, Route};
use http::HeaderMap;
use openapi::{Document, Fields, Options, Weight};

use crate::Error;
use crate::reply::ReplyFields;

/// Every document of a version, compiled once.
#[derive(Debug, Default)]
pub(crate) struct Documents(HashMap<String, Arc<Document>>);

impl Documents {
    /// Compiles what the routes of `estate` name from its `texts`.
    ///
    /// SECURITY: a route whose document is missing or cannot be enforced refuses the version;
    /// served without it, it would take what it must not.
    ///
    /// # Errors
    /// [`Error::Document`].
    pub(crate) fn compile(
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
        Ok(Self(documents))
    }

    /// A route's document.
    pub(crate) fn of(&self, route: &Route) -> Option<Arc<Document>> {
        self.0.get(route.openapi.as_ref()?).map(Arc::clone)
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
