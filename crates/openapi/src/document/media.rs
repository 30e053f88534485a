//! Media types: what a `Content-Type` field says, and which of the declared ones it is.

/// A media type as a message gives it (RFC 9110 §8.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Media {
    /// `type/subtype`, in lower case.
    pub(super) essence: String,
    pub(super) charset: Option<String>,
    pub(super) boundary: Option<String>,
}

/// What a body is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Json,
    Form,
    Multipart,
    Text,
    Bytes,
}

fn is_token(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(letter)
}

impl Media {
    /// Reads a field strictly: a parameter twice, or anything that is no parameter, is refused.
    pub(super) fn parse(field: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(field).ok()?;
        let (essence, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim_matches([' ', '\t']).to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut media = Self {
            charset: None,
            boundary: None,
            essence,
        };
        while !rest.trim_matches([' ', '\t']).is_empty() {
            let (name, after) = rest.split_once('=')?;
            let name = name.trim_matches([' ', '\t']).to_ascii_lowercase();
            let (value, after) = value(after)?;
            rest = after;
            let slot = match name.as_str() {
                "charset" => &mut media.charset,
                "boundary" => &mut media.boundary,
                name if is_token(name) => continue,
                _ => return None,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        Some(media)
    }

    /// What it is read as.
    pub(super) fn reading(&self) -> Reading {
        reading(&self.essence)
    }

    /// Whether its text is UTF-8, as far as it says.
    pub(super) fn is_utf8(&self) -> bool {
        let charset = self.charset.as_deref().unwrap_or("utf-8");
        charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("us-ascii")
    }
}

/// A parameter's value, and what follows its semicolon.
fn value(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, after) = quoted.split_once('"')?;
        let after = after.trim_start_matches([' ', '\t']);
        let after = if after.is_empty() {
            after
        } else {
            after.strip_prefix(';')?
        };
        // An escape within quotes is one that readers differ on.
        return (!value.contains('\\')).then(|| (value.to_owned(), after));
    }
    let (value, after) = text.split_once(';').unwrap_or((text, ""));
    let value = value.trim_end_matches([' ', '\t']);
    is_token(value).then(|| (value.to_owned(), after))
}

/// What a media type is read as.
pub(crate) fn reading(essence: &str) -> Reading {
    match essence {
        "application/json" => Reading::Json,
        "application/x-www-form-urlencoded" => Reading::Form,
        "multipart/form-data" => Reading::Multipart,
        other if other.ends_with("+json") => Reading::Json,
        other if other.starts_with("text/") && other != "text/xml" => Reading::Text,
        _ => Reading::Bytes,
    }
}

/// How exactly a declared range is a media type; `None` where it is not.
pub(super) fn fit(range: &str, essence: &str) -> Option<u8> {
    if range == essence {
        return Some(3);
    }
    let (kind, subtype) = range.split_once('/')?;
    match (kind, subtype) {
        ("*", "*") => Some(1),
        (kind, "*") => essence
            .strip_prefix(kind)
            .is_some_and(|rest| rest.starts_with('/'))
            .then_some(2),
        _ => None,
    }
}
