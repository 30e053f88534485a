//! A small built-in rule set against plain injection, and the check that a body is what it says.
//!
//! Precision before reach: each rule names something that has no business in honest values. What
//! it looks at: path, query, cookies, a few headers, and bodies of forms, JSON, multipart and text.

mod form;
mod json;
mod media_type;
mod multipart;
mod rules;
mod transform;

use std::borrow::Cow;

use http::{HeaderMap, header};

pub(crate) use media_type::BodyKind;
pub(crate) use multipart::field as multipart_field;
pub(crate) use rules::Rules;

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// `sql_injection.tautology`.
    pub(crate) rule: &'static str,
    /// What sort of attack.
    pub(crate) category: Category,
    /// Where.
    pub(crate) place: Place,
    /// Name of the argument, field or header.
    pub(crate) name: String,
}

/// A sort of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    /// SQL injection.
    Sql,
    /// Cross-site scripting.
    Xss,
    /// Path traversal.
    Traversal,
    /// Injection of commands of a shell.
    Command,
    /// Injection into templates and look-ups.
    Template,
    /// Requests the service is to make to where it must not.
    Ssrf,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A segment of the path.
    Path,
    /// An argument of the query.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// A field of the body.
    Body,
}

/// LIMIT: bytes of a name in a finding.
const NAME_BYTES_MAX: usize = 64;

impl Category {
    /// A stable word for records and metrics.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Sql => "inspect.sql_injection",
            Self::Xss => "inspect.xss",
            Self::Traversal => "inspect.path_traversal",
            Self::Command => "inspect.command_injection",
            Self::Template => "inspect.template_injection",
            Self::Ssrf => "inspect.ssrf",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Sql => "SQL injection",
            Self::Xss => "cross-site scripting",
            Self::Traversal => "path traversal",
            Self::Command => "command injection",
            Self::Template => "template injection",
            Self::Ssrf => "a request to where the service must not go",
        }
    }
}

impl Finding {
    /// One sentence for people.
    pub(crate) fn sentence(&self) -> String {
        let place = match self.place {
            Place::Path => "the path",
            Place::Query => "the query argument",
            Place::Header => "the header",
            Place::Cookie => "the cookie",
            Place::Body => "the body field",
        };
        let what = self.category.words();
        if self.name.is_empty() {
            format!("{place} looks like {what}")
        } else {
            format!("{place} `{}` looks like {what}", self.name)
        }
    }
}

/// Shows the fields of a body, with their names, to `look` until it finds something: of a form, of
/// JSON its strings, of multipart its texts and file names.
pub(crate) fn fields<T>(
    kind: &BodyKind,
    body: &[u8],
    look: impl Fn(&str, &str) -> Option<T>,
) -> Result<Option<T>, BodyError> {
    match kind {
        BodyKind::Form => form::walk(body, look),
        BodyKind::Json => json::walk(body, look),
        BodyKind::Multipart { boundary } => multipart::walk(body, boundary, look),
        BodyKind::Text | BodyKind::Opaque => Ok(None),
    }
}

/// Names and values of a query, decoded.
pub(crate) fn arguments(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form::pairs(query)
}

/// Why a body is not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// `Content-Type` is malformed.
    ContentType,
    /// A character set in which bytes mean other characters than the rules see.
    Charset,
    /// Not JSON (RFC 8259).
    Json,
    /// The same key twice in one object.
    DuplicateKey,
    /// Text that is not UTF-8.
    Utf8,
    /// Nested deeper than the limit.
    TooDeep,
    /// More fields than the limit.
    TooManyFields,
    /// Not a form.
    Form,
    /// Not multipart.
    Multipart,
}

impl BodyError {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ContentType => ("body.content_type", "the Content-Type is malformed"),
            Self::Charset => (
                "body.charset",
                "the Content-Type names a character set that cannot be looked into; send UTF-8",
            ),
            Self::Json => ("body.invalid_json", "the body says it is JSON and is not"),
            Self::DuplicateKey => (
                "body.duplicate_key",
                "the same key twice in one JSON object",
            ),
            Self::Utf8 => ("body.invalid_utf8", "the body's text is not UTF-8"),
            Self::TooDeep => ("body.too_deep", "the body is nested too deeply"),
            Self::TooManyFields => ("body.too_many_fields", "the body has too many fields"),
            Self::Form => ("body.invalid_form", "the body says it is a form and is not"),
            Self::Multipart => (
                "body.invalid_multipart",
                "the body says it is multipart and is not",
            ),
        }
    }

    /// A stable word for records and metrics.
    pub(crate) const fn code(self) -> &'static str {
        self.words().0
    }

    /// One sentence for the client.
    pub(crate) const fn text(self) -> &'static str {
        self.words().1
    }
}

/// Headers in which an attack is plausible and a finding precise.
const HEADERS: [header::HeaderName; 4] = [
    header::USER_AGENT,
    header::REFERER,
    header::FROM,
    header::ACCEPT_LANGUAGE,
];

impl Rules {
    /// Looks at path, query and headers.
    pub(crate) fn head(
        &self,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Option<Finding> {
        if transform::is_suspicious_path(path.as_bytes()) {
            for segment in path.split('/') {
                let value = transform::percent_decode(segment);
                if let Some(found) = self.value(&value, Place::Path, "") {
                    return Some(found);
                }
            }
        }
        if let Some(query) = query {
            for (name, value) in form::pairs(query) {
                let found = self
                    .value(&value, Place::Query, &name)
                    .or_else(|| self.value(&name, Place::Query, &name));
                if found.is_some() {
                    return found;
                }
            }
        }
        // Once over all of them: heads have few fields, and looking one up costs more.
        headers.iter().find_map(|(name, value)| {
            let text = || String::from_utf8_lossy(value.as_bytes());
            if *name == header::COOKIE {
                self.cookies(&text())
            } else if HEADERS.contains(name) {
                self.header(&text(), name.as_str())
            } else {
                None
            }
        })
    }

    fn cookies(&self, text: &str) -> Option<Finding> {
        let mut pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(name, value)| {
            let value = transform::percent_decode(value);
            self.value(&value, Place::Cookie, name.trim())
        })
    }

    /// Looks at a body, which must be what `kind` says.
    pub(crate) fn body(&self, kind: BodyKind, body: &[u8]) -> Result<Option<Finding>, BodyError> {
        match kind {
            BodyKind::Opaque => Ok(None),
            BodyKind::Text => {
                let text = std::str::from_utf8(body).map_err(|_| BodyError::Utf8)?;
                Ok(self.value(text, Place::Body, ""))
            }
            BodyKind::Form => form::walk(body, |name, value| {
                self.value(value, Place::Body, name)
                    .or_else(|| self.value(name, Place::Body, name))
            }),
            BodyKind::Json => json::walk(body, |name, value| self.value(value, Place::Body, name)),
            BodyKind::Multipart { boundary } => multipart::walk(body, &boundary, |name, value| {
                self.value(value, Place::Body, name)
            }),
        }
    }

    fn header(&self, value: &str, name: &str) -> Option<Finding> {
        // Addresses of pages hold encoded arguments.
        self.value(value, Place::Header, name).or_else(|| {
            value
                .contains('%')
                .then(|| self.value(&transform::percent_decode(value), Place::Header, name))
                .flatten()
        })
    }

    fn value(&self, value: &str, place: Place, name: &str) -> Option<Finding> {
        if !transform::is_suspicious(value.as_bytes()) {
            return None;
        }
        let (category, rule) = self.find(value, place)?;
        let end = name.floor_char_boundary(NAME_BYTES_MAX);
        Some(Finding {
            rule,
            category,
            place,
            name: name.get(..end).unwrap_or("").escape_debug().to_string(),
        })
    }
}

#[cfg(test)]
mod tests;
