//! `multipart/form-data` (RFC 7578), read strictly: every line that divides parts is whole, every
//! part has a name, nothing stands before the first or after the last.

use http::HeaderName;

use super::BodyError;
use super::media_type::is_readable;

/// LIMIT: parts.
const PARTS_MAX: usize = 200;
/// LIMIT: bytes of the head of one part.
const HEAD_BYTES_MAX: usize = 4096;

/// Shows file names and the text of parts that are no files to `look`, until it finds something.
pub(super) fn walk<T>(
    body: &[u8],
    boundary: &str,
    look: impl Fn(&str, &str) -> Option<T>,
) -> Result<Option<T>, BodyError> {
    let first = format!("--{boundary}");
    let later = format!("\r\n--{boundary}");
    let mut rest = body
        .strip_prefix(first.as_bytes())
        .ok_or(BodyError::Multipart)?;
    let mut parts = 0;
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            let ended = end.is_empty() || end == b"\r\n";
            return if ended {
                Ok(None)
            } else {
                Err(BodyError::Multipart)
            };
        }
        parts += 1;
        if parts > PARTS_MAX {
            return Err(BodyError::TooManyFields);
        }
        let part = rest.strip_prefix(b"\r\n").ok_or(BodyError::Multipart)?;
        let end = memchr::memmem::find(part, later.as_bytes()).ok_or(BodyError::Multipart)?;
        let (content, after) = part.split_at_checked(end).ok_or(BodyError::Multipart)?;
        rest = after
            .strip_prefix(later.as_bytes())
            .ok_or(BodyError::Multipart)?;
        if let Some(found) = look_at(content, &look)? {
            return Ok(Some(found));
        }
    }
}

/// The name of a part's field, and its content; `None` of a file's.
pub(crate) fn field(part: &[u8]) -> Result<(String, Option<&[u8]>), BodyError> {
    let end = memchr::memmem::find(part, b"\r\n\r\n").ok_or(BodyError::Multipart)?;
    let (head, content) = part.split_at_checked(end).ok_or(BodyError::Multipart)?;
    let content = content.strip_prefix(b"\r\n\r\n").unwrap_or(content);
    let head = std::str::from_utf8(head).map_err(|_| BodyError::Utf8)?;
    let disposition = disposition(head)?;
    let name = parameter(disposition, "name")?.ok_or(BodyError::Multipart)?;
    let is_file = parameter(disposition, "filename")?.is_some();
    Ok((name, (!is_file).then_some(content)))
}

fn look_at<T>(part: &[u8], look: impl Fn(&str, &str) -> Option<T>) -> Result<Option<T>, BodyError> {
    let end = memchr::memmem::find(part, b"\r\n\r\n").ok_or(BodyError::Multipart)?;
    if end > HEAD_BYTES_MAX {
        return Err(BodyError::Multipart);
    }
    let (head, content) = part.split_at_checked(end).ok_or(BodyError::Multipart)?;
    let content = content.strip_prefix(b"\r\n\r\n").unwrap_or(content);
    let head = std::str::from_utf8(head).map_err(|_| BodyError::Utf8)?;
    let disposition = disposition(head)?;
    let name = parameter(disposition, "name")?.ok_or(BodyError::Multipart)?;
    if let Some(file) = parameter(disposition, "filename")? {
        return Ok(look(&name, &file));
    }
    let text = std::str::from_utf8(content).map_err(|_| BodyError::Utf8)?;
    Ok(look(&name, text))
}

/// The one `Content-Disposition: form-data` of a part's head; a folded line is nobody's.
///
/// SECURITY: the content must stand there as the service will read it, so in no transfer encoding
/// (RFC 7578 §4.7) and in no character set of which the rules see other characters.
fn disposition(head: &str) -> Result<&str, BodyError> {
    let mut found = None;
    for line in head.split("\r\n") {
        if line.contains(['\r', '\n']) || line.starts_with([' ', '\t']) {
            return Err(BodyError::Multipart);
        }
        let (name, value) = line.split_once(':').ok_or(BodyError::Multipart)?;
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(BodyError::Multipart);
        }
        let plain = |value: &str| ["7bit", "8bit", "binary"].contains(&value);
        if name.eq_ignore_ascii_case("content-transfer-encoding")
            && !plain(&value.trim().to_ascii_lowercase())
        {
            return Err(BodyError::Multipart);
        }
        if name.eq_ignore_ascii_case("content-type") && !is_readable(value) {
            return Err(BodyError::Charset);
        }
        if name.eq_ignore_ascii_case("content-disposition") && found.replace(value).is_some() {
            return Err(BodyError::Multipart);
        }
    }
    let value = found.ok_or(BodyError::Multipart)?.trim();
    value
        .strip_prefix("form-data")
        .filter(|rest| rest.is_empty() || rest.starts_with(';'))
        .ok_or(BodyError::Multipart)
}

/// A quoted parameter, which may stand once; the extended form (RFC 8187) is not used in forms.
fn parameter(parameters: &str, wanted: &str) -> Result<Option<String>, BodyError> {
    let mut rest = parameters;
    let mut found = None;
    while let Some((_, after)) = rest.split_once(';') {
        let (name, value) = after.split_once('=').ok_or(BodyError::Multipart)?;
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => closed(quoted)?,
            None => match value.split_once(';') {
                Some((value, _)) => (
                    value.trim().to_owned(),
                    after.get(name.len() + 1 + value.len()..).unwrap_or(""),
                ),
                None => (value.trim().to_owned(), ""),
            },
        };
        let name = name.trim();
        if name.ends_with('*') {
            return Err(BodyError::Multipart);
        }
        if name.eq_ignore_ascii_case(wanted) && found.replace(value).is_some() {
            return Err(BodyError::Multipart);
        }
        rest = after;
    }
    Ok(found)
}

/// The text up to the closing quote, and what follows.
fn closed(quoted: &str) -> Result<(String, &str), BodyError> {
    let mut out = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((out, quoted.get(at + 1..).unwrap_or(""))),
            '\\' => {
                let (_, next) = characters.next().ok_or(BodyError::Multipart)?;
                // Browsers write backslashes of file names as they are.
                if next != '"' && next != '\\' {
                    out.push('\\');
                }
                out.push(next);
            }
            character => out.push(character),
        }
    }
    Err(BodyError::Multipart)
}
