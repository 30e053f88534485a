//! `Content-Disposition` of a part (RFC 7578 §4.2): name and file name, read strictly.

use crate::bytes::{at, begins_ignore_case, head, is_space, tail, trim};

/// What a part is called.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Disposition {
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) filename: Option<Vec<u8>>,
    /// A parameter stood in `'…'`.
    pub(crate) invalid_quoting: bool,
    /// Two parameters had no `;` between them.
    pub(crate) missing_semicolon: bool,
}

/// Reads the header's value; what is not form data, or says a thing twice, is none.
pub(crate) fn read(value: &[u8]) -> Result<Disposition, &'static str> {
    let mut found = Disposition::default();
    if !begins_ignore_case(value, b"form-data") {
        return Err("its disposition is no form-data");
    }
    let mut rest = trim(tail(value, b"form-data".len()));
    while !rest.is_empty() {
        match rest.strip_prefix(b";") {
            Some(after) => rest = trim(after),
            None => found.missing_semicolon = true,
        }
        // A `;` at the end separates nothing.
        if rest.is_empty() {
            break;
        }
        rest = trim(parameter(rest, &mut found)?);
    }
    Ok(found)
}

fn parameter<'t>(text: &'t [u8], found: &mut Disposition) -> Result<&'t [u8], &'static str> {
    let end = text
        .iter()
        .position(|byte| *byte == b'=' || is_space(*byte) || *byte == b';');
    let name = head(text, end.unwrap_or(text.len())).to_ascii_lowercase();
    let after = trim(tail(text, name.len()));
    let after = after
        .strip_prefix(b"=")
        .ok_or("a parameter of its disposition has no value")?;
    let (value, rest) = value(trim(after), found)?;
    let place = match name.as_slice() {
        b"name" => &mut found.name,
        b"filename" => &mut found.filename,
        // SECURITY: `filename*` and the like are read by some services and not by others.
        _ => return Err("its disposition has an unknown parameter"),
    };
    if place.replace(value).is_some() {
        return Err("its disposition says a parameter twice");
    }
    Ok(rest)
}

fn value<'t>(text: &'t [u8], found: &mut Disposition) -> Result<(Vec<u8>, &'t [u8]), &'static str> {
    let Some(mark @ (b'"' | b'\'')) = text.first().copied() else {
        let end = text
            .iter()
            .position(|byte| is_space(*byte) || *byte == b';');
        let (value, rest) = text
            .split_at_checked(end.unwrap_or(text.len()))
            .unwrap_or_default();
        if value.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
            found.invalid_quoting = true;
        }
        return Ok((value.to_vec(), rest));
    };
    if mark == b'\'' {
        found.invalid_quoting = true;
    }
    let mut value = Vec::new();
    let mut i = 1;
    loop {
        match at(text, i) {
            None => return Err("a quote in its disposition is not closed"),
            // Browsers escape only the quote; a file name of Windows has plain `\`.
            Some(b'\\') if matches!(at(text, i + 1), Some(next) if next == mark || next == b'\\') =>
            {
                value.extend(at(text, i + 1));
                i += 2;
            }
            Some(byte) if byte == mark => return Ok((value, tail(text, i + 1))),
            Some(byte) => {
                value.push(byte);
                i += 1;
            }
        }
    }
}
