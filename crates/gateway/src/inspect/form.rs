//! `application/x-www-form-urlencoded`: queries and bodies.

use std::borrow::Cow;

use super::{BodyError, transform};

/// LIMIT: fields of a form.
const FIELDS_MAX: usize = 1000;

/// Names and values, decoded.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (transform::form_decode(name), transform::form_decode(value))
    })
}

/// Shows every field to `look` until it finds something. Every field is checked for its form
/// first.
pub(super) fn walk<T>(
    body: &[u8],
    look: impl Fn(&str, &str) -> Option<T>,
) -> Result<Option<T>, BodyError> {
    let text = std::str::from_utf8(body).map_err(|_| BodyError::Utf8)?;
    if text.split('&').count() > FIELDS_MAX {
        return Err(BodyError::TooManyFields);
    }
    check(text.as_bytes())?;
    Ok(pairs(text).find_map(|(name, value)| look(&name, &value)))
}

/// Encodings are whole, nothing stands there raw that a sender encodes, and it is UTF-8.
fn check(bytes: &[u8]) -> Result<(), BodyError> {
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let digits = rest.first_chunk::<2>().ok_or(BodyError::Form)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(BodyError::Form);
                }
            }
            byte if byte.is_ascii_control() => return Err(BodyError::Form),
            _ => {}
        }
    }
    let decoded: Vec<u8> = percent_encoding::percent_decode(bytes).collect();
    std::str::from_utf8(&decoded)
        .map(drop)
        .map_err(|_| BodyError::Utf8)
}
