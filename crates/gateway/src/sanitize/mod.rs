//! Cleans named fields of a body: HTML to what is harmless, Unicode to its composed form (NFC),
//! control characters away. Every byte that is not in such a field stays as it came.
//!
//! Pure: bytes in, bytes out. What cannot be read is never passed on as clean.

mod form;
mod json;
mod multipart;
mod text;

use std::ops::Range;
use std::sync::Arc;

use estate::{FieldPath, JsonStep, Keep, Route, Sanitize};

use crate::inspect::BodyKind;
use text::Text;

/// LIMIT: bytes of one field; a parser of HTML has inputs that cost it more than their length.
const FIELD_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: bytes of all named fields of one body.
const FIELDS_BYTES_MAX: usize = 256 * 1024;

/// What a route cleans.
#[derive(Debug)]
pub(crate) struct Cleaner {
    json: Vec<(Vec<JsonStep>, Keep)>,
    form: Vec<(String, Keep)>,
    text: Text,
}

/// What became of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cleaned {
    /// Nothing had to change.
    Same,
    /// The new body, and how many fields differ.
    Changed(Vec<u8>, usize),
}

/// Why a body cannot be cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unclean {
    /// The route names no field of bodies of this type, so that nobody would have looked at it.
    MediaType,
    /// It is not what its type says.
    Malformed,
    /// A field, or all of them together, are longer than the limit.
    TooLong,
}

/// Parts of a body with what stands there instead.
#[derive(Debug, Default)]
struct Splices {
    list: Vec<(Range<usize>, Vec<u8>)>,
    seen_bytes: usize,
}

impl Cleaner {
    /// What a route cleans; nothing when it names no field.
    pub(crate) fn of(route: &Route) -> Option<Arc<Self>> {
        if route.sanitize.is_empty() {
            return None;
        }
        let mut cleaner = Self {
            json: Vec::new(),
            form: Vec::new(),
            text: Text::new(),
        };
        for Sanitize { at, keep } in &route.sanitize {
            match at {
                FieldPath::Json(steps) => cleaner.json.push((steps.clone(), *keep)),
                FieldPath::Form(name) => cleaner.form.push((name.clone(), *keep)),
            }
        }
        Some(Arc::new(cleaner))
    }

    /// Cleans a body of the type that `kind` says.
    ///
    /// SECURITY: a body of a type that no rule is about is refused. Many services take the same
    /// value from a form as from JSON, and a rule for one must not be passed by with the other.
    pub(crate) fn clean(&self, kind: &BodyKind, body: &[u8]) -> Result<Cleaned, Unclean> {
        let splices = match kind {
            BodyKind::Json if !self.json.is_empty() => json::clean(self, body)?,
            BodyKind::Form if !self.form.is_empty() => form::clean(self, body)?,
            BodyKind::Multipart { boundary } if !self.form.is_empty() => {
                multipart::clean(self, body, boundary)?
            }
            _ => return Err(Unclean::MediaType),
        };
        Ok(splices.into_body(body))
    }

    /// How much stays of a form's field; the stricter of two rules.
    fn form_rule(&self, name: &str) -> Option<Keep> {
        let rules = self.form.iter().filter(|(known, _)| known == name);
        strictest(rules.map(|(_, keep)| *keep))
    }

    /// The cleaned value, when it differs.
    fn value(
        &self,
        keep: Keep,
        value: &str,
        splices: &mut Splices,
    ) -> Result<Option<String>, Unclean> {
        splices.seen_bytes = splices.seen_bytes.saturating_add(value.len());
        if value.len() > FIELD_BYTES_MAX || splices.seen_bytes > FIELDS_BYTES_MAX {
            return Err(Unclean::TooLong);
        }
        Ok(self.text.clean(keep, value))
    }
}

fn strictest(rules: impl Iterator<Item = Keep>) -> Option<Keep> {
    rules.reduce(|one, other| match (one, other) {
        (Keep::Html, Keep::Html) => Keep::Html,
        _ => Keep::Text,
    })
}

impl Splices {
    /// `range` of the body is to be `new`; ranges come in the order of the body.
    fn push(&mut self, range: Range<usize>, new: Vec<u8>) {
        self.list.push((range, new));
    }

    fn into_body(self, body: &[u8]) -> Cleaned {
        if self.list.is_empty() {
            return Cleaned::Same;
        }
        let more: usize = self.list.iter().map(|(_, new)| new.len()).sum();
        let mut out = Vec::with_capacity(body.len().saturating_add(more));
        let mut done = 0;
        for (range, new) in &self.list {
            out.extend_from_slice(body.get(done..range.start).unwrap_or_default());
            out.extend_from_slice(new);
            done = range.end;
        }
        out.extend_from_slice(body.get(done..).unwrap_or_default());
        Cleaned::Changed(out, self.list.len())
    }
}

#[cfg(test)]
mod tests;
