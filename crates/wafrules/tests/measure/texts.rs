//! Texts, and the requests that carry them.

use std::path::{Path, PathBuf};

use seclang::regression::{Input, Wire, wire};

use crate::sent::json_text;

pub(crate) fn parts(method: &str, uri: &str, kind: Option<&str>, body: Option<Vec<u8>>) -> Wire {
    let mut fields = vec![
        ("Host".to_owned(), "shop.example".to_owned()),
        (
            "User-Agent".to_owned(),
            "Mozilla/5.0 (X11; Linux x86_64)".to_owned(),
        ),
        ("Accept".to_owned(), "*/*".to_owned()),
    ];
    fields.extend(kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())));
    wire(&Input::Parts {
        method: method.to_owned(),
        uri: uri.to_owned(),
        version: "HTTP/1.1".to_owned(),
        fields,
        data: body,
        complete: true,
    })
}

pub(crate) fn escaped(text: &[u8]) -> String {
    text.iter()
        .map(|byte| match byte {
            b'-' | b'_' | b'.' | b'~' => char::from(*byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A text as a form's value, as a value of JSON, and as a body of its own.
pub(crate) fn forms(text: &str) -> Vec<Wire> {
    let form = format!("title=A+question&comment={}", escaped(text.as_bytes()));
    let json = format!(
        "{{\"title\":\"A question\",\"comment\":{}}}",
        json_text(text)
    );
    vec![
        parts(
            "POST",
            "/tickets",
            Some("application/x-www-form-urlencoded"),
            Some(form.into_bytes()),
        ),
        parts(
            "POST",
            "/tickets",
            Some("application/json"),
            Some(json.into_bytes()),
        ),
        parts(
            "PUT",
            "/notes/1",
            Some("text/plain; charset=utf-8"),
            Some(text.as_bytes().to_vec()),
        ),
    ]
}

pub(crate) fn files_under(folder: &Path, ends: &[&str], out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if !matches!(name.as_str(), "target" | ".git") {
                files_under(&path, ends, out);
            }
        } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            out.push(path);
        }
    }
}

/// Pieces of at most 64 kB.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while rest.len() > 65_536 {
        let mut at = 65_536;
        while !rest.is_char_boundary(at) {
            at -= 1;
        }
        pieces.push(&rest[..at]);
        rest = &rest[at..];
    }
    pieces.push(rest);
    pieces
}
