//! Named fields of `multipart/form-data` bodies (RFC 7578); files stay as they are.

use crate::inspect::multipart_field;

use super::{Cleaner, Splices, Unclean};

/// LIMIT: parts.
const PARTS_MAX: usize = 200;

pub(super) fn clean(cleaner: &Cleaner, body: &[u8], boundary: &str) -> Result<Splices, Unclean> {
    let later = format!("\r\n--{boundary}");
    let first = later.as_bytes().get(2..).unwrap_or_default();
    if !body.starts_with(first) {
        return Err(Unclean::Malformed);
    }
    let mut splices = Splices::default();
    let mut at = first.len();
    for _ in 0..PARTS_MAX {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(splices);
        }
        let part = rest.strip_prefix(b"\r\n").ok_or(Unclean::Malformed)?;
        at += 2;
        let length = memchr::memmem::find(part, later.as_bytes()).ok_or(Unclean::Malformed)?;
        let part = part.get(..length).unwrap_or_default();
        let (name, content) = multipart_field(part).map_err(|_| Unclean::Malformed)?;
        // A file's content is no text of a field.
        if let Some(content) = content
            && let Some(keep) = cleaner.form_rule(&name)
        {
            let value = std::str::from_utf8(content).map_err(|_| Unclean::Malformed)?;
            // No carriage return is left in what is cleaned, and so no line that divides parts.
            if let Some(cleaned) = cleaner.value(keep, value, &mut splices)? {
                let end = at + length;
                splices.push(end - content.len()..end, cleaned.into_bytes());
            }
        }
        at += length + later.len();
    }
    Err(Unclean::TooLong)
}
