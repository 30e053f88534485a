//! Tests as a table: under a rule, a line for each request that it must find or must not.
//!
//! ```text
//! rule 25010010
//! + arg: 1' or '1'='1
//! - arg: O'Brien
//! + json: {"name": "x' union select 1,2"}
//! + get: /search?q=%2527
//! ```
//!
//! `arg`, `name`, `cookie`, `header`, `path` and `file` are put where they belong and encoded; `get`
//! is a target as it is; `form`, `json`, `xml`, `text` and `body TYPE` are bodies as they are, and
//! `base64 TYPE` is one in base64; `raw` is a whole request, in which `\r` and `\n` are the bytes they
//! stand for. A line that begins with `#` says something to people.

use base64::Engine as _;

use super::cases::{Case, Expectation, Input, Stage};
use crate::error::Error;

/// Reads a table. Names of tests are the rule's id and the number of the line under it.
///
/// # Errors
/// [`Error::Tests`] with the line that is not understood.
pub fn parse_table(file: &str, text: &str) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    let mut rule: Option<(u64, usize)> = None;
    for (at, line) in (1..).zip(text.lines()) {
        let wrong = |problem: String| Error::Tests {
            file: file.to_owned(),
            problem: format!("{problem} in line {at}"),
        };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(id) = line.strip_prefix("rule ") {
            let id = id.trim();
            let parsed = id.parse();
            rule = Some((parsed.map_err(|_| wrong(format!("`{id}` is no id")))?, 0));
            continue;
        }
        let Some((id, count)) = &mut rule else {
            return Err(wrong("a test before the first `rule`".to_owned()));
        };
        *count += 1;
        let name = format!("{id}-{count}");
        cases.push(case(*id, name, line).map_err(wrong)?);
    }
    Ok(cases)
}

fn case(id: u64, name: String, line: &str) -> Result<Case, String> {
    let (found, rest) = match line.split_at_checked(2) {
        Some(("+ ", rest)) => (true, rest),
        Some(("- ", rest)) => (false, rest),
        _ => return Err("a test begins with neither `+ ` nor `- `".to_owned()),
    };
    let (kind, value) = rest
        .split_once(": ")
        .ok_or("no `: ` after what the test sends")?;
    let mut expected = Expectation::default();
    if found {
        expected.expect_ids.push(id);
    } else {
        expected.no_expect_ids.push(id);
    }
    let stages = vec![Stage {
        input: input(kind.trim(), value)?,
        expected,
    }];
    let description = if found { "is found" } else { "is let be" };
    Ok(Case {
        name,
        description: description.to_owned(),
        stages,
    })
}

const FORM: &str = "application/x-www-form-urlencoded";

fn input(kind: &str, value: &str) -> Result<Input, String> {
    let bytes = |value: &str| value.as_bytes().to_vec();
    if let Some(kind) = kind.strip_prefix("body ") {
        return Ok(sent(kind, bytes(value)));
    }
    if let Some(kind) = kind.strip_prefix("base64 ") {
        let decoded = base64::engine::general_purpose::STANDARD.decode(value.trim());
        let decoded = decoded.map_err(|error| format!("`{value}`: {error}"))?;
        return Ok(sent(kind, decoded));
    }
    Ok(match kind {
        "arg" => asked(&format!("/?q={}", escaped(value)), &[]),
        "name" => asked(&format!("/?{}=1", escaped(value)), &[]),
        "path" => asked(&escaped(value).replace("%2F", "/"), &[]),
        "get" => asked(value, &[]),
        "cookie" => asked("/", &[("Cookie", value)]),
        "header" => {
            let (name, value) = value.split_once(": ").ok_or("a header without `: `")?;
            asked("/", &[(name, value)])
        }
        "form" => sent(FORM, bytes(value)),
        "json" => sent("application/json", bytes(value)),
        "xml" => sent("application/xml", bytes(value)),
        "text" => sent("text/plain; charset=utf-8", bytes(value)),
        "file" => sent(
            "multipart/form-data; boundary=x",
            bytes(&format!(
                "--x\nContent-Disposition: form-data; name=\"f\"; filename=\"{value}\"\n\
                 Content-Type: application/octet-stream\n\nabc\n--x--\n"
            )),
        ),
        "raw" => {
            let text = value.replace("\\r", "\r").replace("\\n", "\n");
            Input::Raw(text.into_bytes())
        }
        other => return Err(format!("`{other}` is nothing that can be sent")),
    })
}

/// What a browser's request has, but for what the test itself says.
fn fields(own: &[(&str, &str)]) -> Vec<(String, String)> {
    let usual = [
        ("Host", "shop.example"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"),
        ("Accept", "*/*"),
    ];
    let said = |name: &str| own.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let usual = usual.iter().filter(|(name, _)| !said(name));
    usual
        .chain(own)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn asked(uri: &str, own: &[(&str, &str)]) -> Input {
    parts("GET", uri, own, None)
}

fn sent(kind: &str, body: Vec<u8>) -> Input {
    parts("POST", "/", &[("Content-Type", kind)], Some(body))
}

fn parts(method: &str, uri: &str, own: &[(&str, &str)], data: Option<Vec<u8>>) -> Input {
    Input::Parts {
        method: method.to_owned(),
        uri: uri.to_owned(),
        version: "HTTP/1.1".to_owned(),
        fields: fields(own),
        data,
        complete: true,
    }
}

/// RFC 3986 §2.1, all but unreserved characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
