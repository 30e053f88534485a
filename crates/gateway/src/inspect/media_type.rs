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
}

/// The boundary, when it stands there once.
fn boundary(text: &str) -> Option<String> {
    let mut found = parameters(text, "boundary");
    let boundary = found.next().filter(|_| found.next().is_none())?;
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
    parameters(text, "charset").all(is_known)
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
