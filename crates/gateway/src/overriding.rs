//! Methods that a request names besides its own, and that many frameworks take instead: by header,
//! and of a POST by a field `_method` in the query, in a form or in JSON.
//!
//! SECURITY: what is allowed must be what the service does, so that every such method counts.

use std::cell::RefCell;

use http::request::Parts;
use http::{HeaderName, Method};

use crate::inspect::{self, BodyError, BodyKind};

static HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];
/// The field that Rails, Laravel, Symfony and others look for.
const FIELD: &str = "_method";
/// LIMIT: bytes of a word that is taken for a method.
const METHOD_BYTES_MAX: usize = 16;
/// LIMIT: methods of one body; a body with more of them names one that no route has.
const METHODS_MAX: usize = 16;

/// What [`may_be_in`] looks for is shorter than this and one.
pub(crate) const LOOK_BACK_BYTES: usize = 8;

/// A header names a method, and it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMethod;

/// Whether a header names another method.
pub(crate) fn is_in_headers(head: &Parts) -> bool {
    HEADERS.iter().any(|name| head.headers.contains_key(name))
}

/// The methods that headers and the query name.
pub(crate) fn in_head(head: &Parts) -> impl Iterator<Item = Result<Method, NoMethod>> {
    let headers = HEADERS.iter().flat_map(|name| head.headers.get_all(name));
    let named = headers.map(|value| {
        let text = value.as_bytes().trim_ascii().to_ascii_uppercase();
        Method::from_bytes(&text).map_err(|_| NoMethod)
    });
    let query = head.uri.query().filter(|_| head.method == Method::POST);
    let arguments = query.into_iter().flat_map(inspect::arguments);
    named.chain(arguments.filter_map(|(name, value)| of_field(&name, &value).map(Ok)))
}

/// Whether a body could name a method: what this denies needs not be read.
pub(crate) fn may_be_in(kind: &BodyKind, body: &[u8]) -> bool {
    let has = |text: &[u8]| memchr::memmem::find(body, text).is_some();
    match kind {
        BodyKind::Text | BodyKind::Opaque => false,
        BodyKind::Form => body.contains(&b'%') || has(b"method"),
        BodyKind::Json => has(b"\\u") || has(b"method"),
        BodyKind::Multipart { .. } => has(b"method"),
    }
}

/// The methods that a body names, each once.
///
/// # Errors
/// When the body could name one and is not what `kind` says: a service may read in it what is not
/// seen here.
pub(crate) fn in_body(kind: &BodyKind, body: &[u8]) -> Result<Vec<Method>, BodyError> {
    if !may_be_in(kind, body) {
        return Ok(Vec::new());
    }
    let named = RefCell::new(Vec::new());
    inspect::fields(kind, body, |name, value| {
        let method = of_field(name, value)?;
        let mut named = named.borrow_mut();
        if !named.contains(&method) && named.len() < METHODS_MAX {
            named.push(method);
        }
        None::<()>
    })?;
    Ok(named.into_inner())
}

/// PHP takes away white space before a name, and reads `.`, white space and `[` in it as `_`.
fn of_field(name: &str, value: &str) -> Option<Method> {
    let name = name.trim_start();
    let is_field = name.len() == FIELD.len()
        && name.strip_prefix(['_', '.', '[']).map(str::as_bytes) == FIELD.as_bytes().get(1..);
    let value = value.trim();
    let is_word = (1..=METHOD_BYTES_MAX).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_field || !is_word {
        return None;
    }
    Method::from_bytes(value.to_ascii_uppercase().as_bytes()).ok()
}

#[cfg(test)]
mod tests;
