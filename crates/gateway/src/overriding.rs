//! Methods that a request names besides its own, and that many frameworks take instead: by header,
//! by an argument `_method` of the query, and of a POST by such a field of a form or of JSON.
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
/// LIMIT: bytes of a word that is taken for a method.
const METHOD_BYTES_MAX: usize = 16;
/// LIMIT: methods of one body; a body with more of them names one that no route has.
const METHODS_MAX: usize = 16;

/// What [`may_be_in`] looks for is no longer than this: six letters, each escaped.
pub(crate) const LOOK_BACK_BYTES: usize = 36;

/// A header names a method, and it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMethod;

/// Whether a header or the query names another method.
pub(crate) fn is_in_head(head: &Parts) -> bool {
    in_head(head).next().is_some()
}

/// The methods that headers and the query name. WordPress goes by the query whatever the method.
pub(crate) fn in_head(head: &Parts) -> impl Iterator<Item = Result<Method, NoMethod>> {
    let headers = HEADERS.iter().flat_map(|name| head.headers.get_all(name));
    let named = headers.map(|value| {
        let text = value.as_bytes().trim_ascii().to_ascii_uppercase();
        Method::from_bytes(&text).map_err(|_| NoMethod)
    });
    let query = head.uri.query();
    let query = query.filter(|query| may_be_in(&BodyKind::Form, query.as_bytes()));
    let arguments = query.into_iter().flat_map(inspect::arguments);
    named.chain(arguments.filter_map(|(name, value)| of_field(&name, &value).map(Ok)))
}

/// Whether a body could name a method: what this denies needs not be read.
pub(crate) fn may_be_in(kind: &BodyKind, body: &[u8]) -> bool {
    match kind {
        BodyKind::Text | BodyKind::Opaque => false,
        BodyKind::Form => {
            mentions(body) || {
                let is_encoded = body.contains(&b'%');
                is_encoded && mentions(&percent_encoding::percent_decode(body).collect::<Vec<u8>>())
            }
        }
        BodyKind::Json => mentions(body) || escapes_letters(body),
        BodyKind::Multipart { .. } => mentions(body),
    }
}

/// Whether the word stands anywhere, whatever the case.
fn mentions(body: &[u8]) -> bool {
    const WORD: &[u8] = b"method";
    memchr::memchr2_iter(b'm', b'M', body).any(|at| {
        let word = body.get(at..at + WORD.len());
        word.is_some_and(|word| word.eq_ignore_ascii_case(WORD))
    })
}

/// Whether an ASCII letter stands escaped in JSON.
fn escapes_letters(body: &[u8]) -> bool {
    memchr::memmem::find_iter(body, b"\\u00").any(|at| {
        let digit = body.get(at + 4);
        digit.is_some_and(|digit| matches!(digit, b'4'..=b'7'))
    })
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

fn of_field(name: &str, value: &str) -> Option<Method> {
    let value = value.trim();
    let is_word = (1..=METHOD_BYTES_MAX).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_word || !is_field(name) {
        return None;
    }
    Method::from_bytes(value.to_ascii_uppercase().as_bytes()).ok()
}

/// Whether some framework takes a name for `_method`, which Rails, Laravel, Symfony and others look
/// for: PHP ends a name at a null byte, takes away white space before it, and reads `.`, white space
/// and `[` in it as `_`; Rack and `qs` take away brackets around it; Slim writes it in capitals.
fn is_field(name: &str) -> bool {
    let name = name.split('\0').next().unwrap_or(name);
    let around = |letter: char| letter.is_whitespace() || "'\"[]".contains(letter);
    let is_one = |name: &str| {
        let rest = name.strip_prefix(['_', '.', '[', ' ']);
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case("method"))
    };
    is_one(name.trim_start()) || is_one(name.trim_matches(around))
}

#[cfg(test)]
mod tests;
