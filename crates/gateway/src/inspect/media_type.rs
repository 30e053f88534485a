//! `Content-Type`: how a body is to be read.

use http::{HeaderName, HeaderValue};

use super::BodyError;

/// LIMIT: bytes of a boundary (RFC 2046 §5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

/// How a body is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json` and `…+json`.
    Json,
    /// `multipart/form-data`.
    Multipart {
        /// What parts are divided by.
        boundary: String,
    },
    /// `text/…` and XML.
    Text,
    /// Anything else: not looked into.
    Opaque,
}

impl BodyKind {
    /// Whether a body of this kind has fields with names.
    pub(crate) fn has_fields(&self) -> bool {
        matches!(self, Self::Form | Self::Json | Self::Multipart { .. })
    }

    /// How `Content-Type` says a body is to be read.
    pub(crate) fn of(value: Option<&HeaderValue>) -> Result<Self, BodyError> {
        let Some(value) = value else {
            return Ok(Self::Opaque);
        };
        let text = value.to_str().map_err(|_| BodyError::ContentType)?;
        let (kind, text) = text.split_once(';').unwrap_or((text, ""));
        let kind = kind.trim().to_ascii_lowercase();
        let (main, sub) = kind.split_once('/').ok_or(BodyError::ContentType)?;
        // SECURITY: what is no type (RFC 9110 §8.3.1) is still one to who looks for a word in it.
        let is_token = |part: &str| HeaderName::from_bytes(part.as_bytes()).is_ok();
        if !is_token(main) || !is_token(sub) {
            return Err(BodyError::ContentType);
        }
        let kind = match (main, sub) {
            ("application", "x-www-form-urlencoded") => Self::Form,
            // Whatever stands before it: that is how frameworks know it.
            (_, "json") | ("application", "csp-report") => Self::Json,
            (_, sub) if sub.ends_with("+json") => Self::Json,
            ("multipart", "form-data") => Self::Multipart {
                boundary: boundary(text).ok_or(BodyError::Multipart)?,
            },
            ("text", _) | ("application", "xml" | "graphql" | "javascript") => Self::Text,
            (_, sub) if sub.ends_with("+xml") => Self::Text,
            _ => Self::Opaque,
        };
        if kind != Self::Opaque && !is_readable(text) {
            return Err(BodyError::Charset);
        }
        Ok(kind)
    }

    /// What a service that looks less closely may take a body for: without a type for a form (Rack),
    /// of any `multipart/` for one of fields, and by a word anywhere in the field.
    ///
    /// # Errors
    /// Where it may be taken for something with fields, and cannot be read as that.
    pub(crate) fn at_worst(value: Option<&HeaderValue>) -> Result<Self, BodyError> {
        let Some(field) = value else {
            return Ok(Self::Form);
        };
        let kind = Self::of(value);
        if kind.as_ref().is_ok_and(Self::has_fields) {
            return kind;
        }
        let field = String::from_utf8_lossy(field.as_bytes());
        let text = field.to_ascii_lowercase();
        let has = |word: &str| text.contains(word);
        match kind {
            Ok(_) if text.starts_with("multipart/") => {
                let (_, parameters) = field.split_once(';').unwrap_or_default();
                let boundary = boundary(parameters).ok_or(BodyError::Multipart)?;
                Ok(Self::Multipart { boundary })
            }
            Ok(_) if has("/json") || has("+json") => Ok(Self::Json),
            Ok(_) if has("form") => Ok(Self::Form),
            Err(error) if has("json") || has("form") || has("multipart") => Err(error),
            Ok(kind) => Ok(kind),
            Err(_) => Ok(Self::Opaque),
        }
    }
}

/// The boundary, when it stands there once.
///
/// SECURITY: services that look for the word take the first or the last `boundary=` wherever it
/// stands, such as in the value of another parameter.
fn boundary(text: &str) -> Option<String> {
    if times(text, "boundary") != 1 {
        return None;
    }
    let boundary = parameters(text, "boundary").next()?;
    let is_one = (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len())
        && boundary
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte));
    is_one.then(|| boundary.to_owned())
}

/// Whether every ASCII byte means the same in each character set that the parameters name. In
/// others (UTF-7, UTF-16, EBCDIC) a service would read a text that no rule saw.
pub(super) fn is_readable(text: &str) -> bool {
    const KNOWN: [&str; 6] = [
        "utf-8",
        "utf8",
        "us-ascii",
        "ascii",
        "iso-8859-1",
        "windows-1252",
    ];
    let is_known = |charset: &str| {
        KNOWN
            .iter()
            .any(|known| charset.eq_ignore_ascii_case(known))
    };
    times(text, "charset") <= 1 && parameters(text, "charset").all(is_known)
}

/// How often a parameter of that name stands in a text, for who looks for the word alone.
fn times(text: &str, name: &str) -> usize {
    let lower = text.to_ascii_lowercase();
    let places = lower.match_indices(name).map(|(at, _)| at + name.len());
    places
        .filter(|end| {
            lower
                .get(*end..)
                .is_some_and(|rest| rest.trim_start().starts_with('='))
        })
        .count()
}

/// Values of a parameter of `Content-Type`, without quotes.
fn parameters<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .filter(move |(known, _)| known.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| {
            let value = value.trim();
            let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
            inner.unwrap_or(value)
        })
}
