//! What others in this engine ask of operations: names, types and media, for learning and drift.

use super::Operation;
use super::media::{Media, fit};
pub(crate) use super::media::{Reading, reading};
use super::params::{Parameter, Place, Style};
pub(crate) use super::text::{Plus, decode, pairs};
use crate::schema::{Id, Schemas};

/// The method in the spelling of documents; `None` for one that they do not have.
pub(crate) fn method(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 8] = [
        "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE",
    ];
    KNOWN.into_iter().find(|known| *known == name)
}

/// Whether documents have the method.
pub(crate) fn is_method(name: &str) -> bool {
    method(name).is_some()
}

/// `type/subtype` of a field, in lower case.
pub(crate) fn essence(field: &[u8]) -> Option<String> {
    Media::parse(field).map(|media| media.essence)
}

impl Operation {
    pub(crate) fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// Whether a query parameter of that name is declared, by itself or as part of an object.
    pub(crate) fn declares_query(&self, name: &str) -> bool {
        let own = |parameter: &Parameter| match parameter.style {
            Style::Deep => name
                .strip_prefix(&*parameter.name)
                .is_some_and(|rest| rest.starts_with('[')),
            _ => {
                &*parameter.name == name
                    || (parameter.explode && parameter.shape.property(name).is_some())
            }
        };
        self.keys.iter().any(|key| **key == *name)
            || self
                .parameters
                .iter()
                .any(|parameter| parameter.place == Place::Query && own(parameter))
    }

    /// Whether the status is declared, or nothing is said of responses.
    pub(crate) fn declares_status(&self, status: u16) -> bool {
        !self.checks_responses || self.response(status).is_some()
    }

    /// Whether bodies of the media type are declared, and their schema.
    pub(crate) fn request_schema(&self, essence: &str) -> Option<Option<Id>> {
        schema_of(&self.body, essence)
    }

    /// The same of a response; `None` also where the status is not declared, or says nothing of a
    /// body.
    pub(crate) fn response_schema(&self, status: u16, essence: &str) -> Option<Option<Id>> {
        match &self.response(status)?.content {
            Some(content) => schema_of(content, essence),
            None => Some(None),
        }
    }
}

fn schema_of(content: &super::Content, essence: &str) -> Option<Option<Id>> {
    let fits = content
        .media
        .iter()
        .filter_map(|rule| Some((fit(&rule.range, essence)?, rule)));
    fits.max_by_key(|(fit, _)| *fit)
        .map(|(_, rule)| rule.schema)
}
