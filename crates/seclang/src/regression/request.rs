//! A test's request as bytes, as `go-ftw` makes them; and those bytes as a server reads them.

use super::cases::Input;
use crate::bytes::{is_space, split_once, tail, trim};

/// A request's bytes, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The first line.
    pub line: Vec<u8>,
    /// The method.
    pub method: Vec<u8>,
    /// The request target.
    pub target: Vec<u8>,
    /// `HTTP/1.1`.
    pub protocol: Vec<u8>,
    /// Fields in their order.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// Why a server refuses the request with status 400, if it does.
    pub refused: Option<&'static str>,
}

/// Makes a test's request and reads it again.
#[must_use]
pub fn wire(input: &Input) -> Wire {
    match input {
        Input::Raw(raw) => read(raw),
        Input::Parts { .. } => read(&written(input)),
    }
}

/// The bytes of a test's request.
#[must_use]
pub fn written(input: &Input) -> Vec<u8> {
    let (method, uri, version, fields, data, complete) = match input {
        Input::Raw(raw) => return raw.clone(),
        Input::Parts {
            method,
            uri,
            version,
            fields,
            data,
            complete,
        } => (method, uri, version, fields, data, complete),
    };
    let mut fields = fields.clone();
    let has = |fields: &[(String, String)], name: &str| {
        fields
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    let mut body = data.clone().unwrap_or_default();
    if *complete && !body.is_empty() {
        if !has(&fields, "content-type") {
            fields.push(("Content-Type".to_owned(), FORM.to_owned()));
        }
        if content_type(&fields) == FORM {
            body = encoded(&body);
        }
    }
    if content_type(&fields).starts_with("multipart/form-data;") {
        body = with_crlf(&body);
    }
    if *complete {
        if !has(&fields, "connection") {
            fields.push(("Connection".to_owned(), "close".to_owned()));
        }
        let may = ["POST", "PUT", "PATCH", "DELETE"]
            .iter()
            .any(|with_body| method.contains(with_body));
        if (!body.is_empty() || may) && !has(&fields, "content-length") {
            fields.push(("Content-Length".to_owned(), body.len().to_string()));
        }
    }
    let mut out = format!("{method} {uri} {version}\r\n").into_bytes();
    for (name, value) in fields {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&body);
    out
}

/// A field that is none: no rule sees the request.
pub(super) const MALFORMED: &str = "a malformed field";

const FORM: &str = "application/x-www-form-urlencoded";

fn content_type(fields: &[(String, String)]) -> &str {
    let mut fields = fields.iter();
    let found = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    found.map_or("", |(_, value)| value)
}

fn with_crlf(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 16);
    for byte in body {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

/// A form that is not encoded yet is: names and values, each for itself.
fn encoded(body: &[u8]) -> Vec<u8> {
    let plain = memchr::memchr2(b'%', b'+', body).is_none();
    if !plain {
        return body.to_vec();
    }
    let mut out = Vec::with_capacity(body.len());
    for (at, pair) in body.split(|byte| *byte == b'&').enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        match split_once(pair, b'=') {
            Some((name, value)) => {
                escaped(name, &mut out);
                out.push(b'=');
                escaped(value, &mut out);
            }
            None => escaped(pair, &mut out),
        }
    }
    // The last of the separators is stripped, and with it one that was there.
    if body.ends_with(b"&") {
        out.pop();
    }
    out
}

fn escaped(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            _ if byte.is_ascii_alphanumeric() => out.push(*byte),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}

/// Reads a request as far as it can be read; whether a server would refuse it is said beside.
fn read(raw: &[u8]) -> Wire {
    let (head, rest) = head_end(raw);
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let line = lines.next().unwrap_or_default().to_vec();
    let mut refused = None;
    let (method, target, protocol) = request_line(&line, &mut refused);
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if line.first().is_some_and(|byte| is_space(*byte)) {
            refused = refused.or(Some("a folded field"));
            if let Some((_, value)) = fields.last_mut() {
                value.push(b' ');
                value.extend_from_slice(trim(line));
            }
            continue;
        }
        match split_once(line, b':') {
            Some((name, value)) => {
                if name.is_empty()
                    || name.iter().any(|byte| is_space(*byte))
                    || value.iter().any(|byte| matches!(byte, 0 | b'\r'))
                {
                    refused = Some(MALFORMED);
                }
                fields.push((name.to_vec(), trim(value).to_vec()));
            }
            None => refused = refused.or(Some("a field without a colon")),
        }
    }
    host(&fields, &protocol, &mut refused);
    let lengths = fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    if lengths
        .into_iter()
        .any(|(_, value)| !value.iter().all(u8::is_ascii_digit))
    {
        refused = refused.or(Some("a malformed Content-Length"));
    }
    let body = body(&fields, rest);
    Wire {
        line,
        method,
        target,
        protocol,
        fields,
        body,
        refused,
    }
}

fn head_end(raw: &[u8]) -> (&[u8], &[u8]) {
    let crlf = memchr::memmem::find(raw, b"\r\n\r\n").map(|at| (at, at + 4));
    let lf = memchr::memmem::find(raw, b"\n\n").map(|at| (at, at + 2));
    let end = match (crlf, lf) {
        (Some(crlf), Some(lf)) => Some(crlf.min(lf)),
        (crlf, lf) => crlf.or(lf),
    };
    end.map_or((raw, &[]), |(end, body)| {
        (raw.get(..end).unwrap_or_default(), tail(raw, body))
    })
}

/// RFC 9112 §3, read from both ends: what is between the first and the last space is the target.
fn request_line(line: &[u8], refused: &mut Option<&'static str>) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (method, rest) = split_once(line, b' ').unwrap_or((line, &[]));
    let (target, protocol) = match memchr::memrchr(b' ', rest) {
        Some(at) => (rest.get(..at).unwrap_or_default(), tail(rest, at + 1)),
        None => (rest, &[][..]),
    };
    // RFC 1945 §4.1: without a version it is the first one.
    let protocol = if protocol.is_empty() {
        b"HTTP/0.9"
    } else {
        protocol
    };
    let version = protocol.strip_prefix(b"HTTP/");
    let known = matches!(version, Some([b'1'..=b'9', b'.', b'0'..=b'9']));
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let plain = |byte: &u8| !byte.is_ascii_control() && *byte != b' ';
    let authority = method == b"CONNECT";
    let form = match target.first() {
        Some(b'/') => !authority,
        Some(b'*') => method == b"OPTIONS" && target.len() == 1,
        _ if authority => target.contains(&b':'),
        _ => memchr::memmem::find(target, b"://").is_some(),
    };
    if method.is_empty() || !method.iter().all(token) || !target.iter().all(plain) || !known {
        *refused = Some("a malformed request line");
    } else if !form || target.contains(&b'#') {
        *refused = Some("a malformed request target");
    }
    (method.to_vec(), target.to_vec(), protocol.to_vec())
}

/// RFC 9112 §3.2.
fn host(fields: &[(Vec<u8>, Vec<u8>)], protocol: &[u8], refused: &mut Option<&'static str>) {
    let mut hosts = fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"host"));
    match (hosts.next(), hosts.next()) {
        (None, _) if protocol != b"HTTP/1.0" => *refused = refused.or(Some("no Host")),
        (_, Some(_)) => *refused = refused.or(Some("two Hosts")),
        (Some((_, value)), None) => {
            let allowed =
                |byte: &u8| byte.is_ascii_graphic() && !b"/?#@\\\"<>{}|^`%".contains(byte);
            if value.is_empty() || !value.iter().all(allowed) {
                *refused = refused.or(Some("a malformed Host"));
            }
        }
        (None, _) => {}
    }
}

fn body(fields: &[(Vec<u8>, Vec<u8>)], rest: &[u8]) -> Vec<u8> {
    let value = |name: &[u8]| {
        let mut fields = fields
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        fields.next().map(|(_, value)| value.as_slice())
    };
    if value(b"transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked")) {
        return chunks(rest);
    }
    match value(b"content-length") {
        Some(length) => {
            let length = usize::try_from(crate::bytes::number(length)).unwrap_or_default();
            crate::bytes::head(rest, length).to_vec()
        }
        None => Vec::new(),
    }
}

/// RFC 9112 §7.1; what is malformed ends it.
fn chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some((size, after)) = split_once(rest, b'\n') {
        let digits = size
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .copied()
            .collect::<Vec<u8>>();
        let text = String::from_utf8(digits).unwrap_or_default();
        let Ok(size) = usize::from_str_radix(&text, 16) else {
            break;
        };
        let Some(chunk) = after.get(..size).filter(|_| size > 0) else {
            break;
        };
        body.extend_from_slice(chunk);
        let after = tail(after, size);
        let after = after.strip_prefix(b"\r").unwrap_or(after);
        rest = after.strip_prefix(b"\n").unwrap_or(after);
    }
    body
}
