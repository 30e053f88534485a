//! Single values as people write them, each with one parser.

use std::net::SocketAddr;

mod limits;
mod upstream;
mod waf;

pub(crate) use limits::{Limit, budget, concurrent, key_source, limit, store_address};
pub(crate) use upstream::{Place, hash_key, percent, place, statuses};
pub(crate) use waf::{day, rule_parameter, rule_tag, rule_target, rules};

/// Why a text is not the value it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Wrong {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// User input as it may stand in a message: short, on one line, without control characters.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text
        .chars()
        .take(80)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    let dots = if text.chars().nth(80).is_some() {
        "…"
    } else {
        ""
    };
    format!("`{shown}{dots}`")
}

/// `orders.openapi.yaml`, `apis/orders.json`: below the folder of the estate file, so that it
/// travels with it.
///
/// SECURITY: whoever may plan an estate must not read other files with the server's eyes.
pub(crate) fn document(text: &str) -> Result<String, Wrong> {
    let fail = |hint: &str| {
        let wrong = Wrong::new(format!(
            "{} is no file beside the estate file",
            quoted(text)
        ));
        Err(wrong.hint(hint))
    };
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| !c.is_control() && c != '\\')
    };
    if text.len() > 255 || !text.split('/').all(is_plain) {
        return fail(
            "a path such as `apis/orders.yaml`, without `..`, relative to the estate file",
        );
    }
    match text.rsplit_once('.') {
        Some((_, "yaml" | "yml" | "json")) => Ok(text.to_owned()),
        _ => fail("its name ends in `.yaml`, `.yml` or `.json`"),
    }
}

/// `[a-z0-9-]{1,63}`.
pub(crate) fn name(text: &str) -> Result<String, Wrong> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=63).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    let wrong = Wrong::new(format!("{} is not a name", quoted(text)));
    Err(wrong.hint("a name has 1 to 63 lower-case letters, digits and `-`"))
}

/// A host name of one label or more, in lower case (RFC 1123 §2.1).
pub(crate) fn host(text: &str) -> Result<String, Wrong> {
    let lower = text.to_ascii_lowercase();
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if lower.len() <= 253 && lower.split('.').all(label) {
        return Ok(lower);
    }
    let wrong = Wrong::new(format!("{} is not a host name", quoted(text)));
    Err(if text.contains("://") || text.contains('/') {
        wrong.hint("write the host alone, without `https://` and without a path")
    } else if text.contains(':') {
        wrong.hint("write the host without a port; ports stand in `[listen]`")
    } else if text.contains('*') {
        wrong.hint("a host is one name; leave `host` out to serve every host")
    } else if !text.is_ascii() {
        wrong.hint("write international names in their ASCII form, `xn--…`")
    } else {
        wrong.hint("labels of letters, digits and `-` with dots between them")
    })
}

/// What a certificate may be for: a host name, or `*.` and one.
pub(crate) fn certificate_host(text: &str) -> Result<String, Wrong> {
    match text.strip_prefix("*.") {
        Some(parent) if parent.contains('.') => host(parent).map(|parent| format!("*.{parent}")),
        Some(_) => Err(Wrong::new(format!(
            "{} covers a whole top-level domain",
            quoted(text)
        ))),
        None => host(text),
    }
}

/// Whether a certificate for `name` is one for `host`: a `*` stands for one label (RFC 9525 §6.3).
pub(crate) fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => name == host,
    }
}

/// `10.0.0.1:8080`, `[::1]:8080`.
pub(crate) fn socket(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        let wrong = Wrong::new(format!("{} is not an address with a port", quoted(text)));
        if text.starts_with("localhost:") {
            wrong.hint("write `127.0.0.1` for `localhost`: names are not looked up")
        } else {
            wrong.hint("such as `127.0.0.1:8080` or `[::1]:8080`")
        }
    })
}

/// `https://app.shop.example`, `http://localhost:3000`: scheme, host, port and nothing else, in
/// the form browsers send (RFC 6454 §6.2).
pub(crate) fn origin(text: &str) -> Result<String, Wrong> {
    let fail = || Wrong::new(format!("{} is not an origin", quoted(text)));
    let example = "such as `https://app.shop.example`, without a path and without a `/` at the end";
    if text == "*" || text == "null" {
        return Err(fail().hint("name every origin: `*` and `null` would let anybody in"));
    }
    let (scheme, rest) = text.split_once("://").ok_or_else(|| fail().hint(example))?;
    let usual = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(fail().hint(example)),
    };
    let (name, port) = split_port(rest).ok_or_else(|| fail().hint(example))?;
    if host(name).ok().as_deref() != Some(name) {
        return Err(fail().hint(example));
    }
    if port == Some(usual) {
        return Err(fail().hint(format!(
            "browsers leave the usual port out: `{scheme}://{name}`"
        )));
    }
    Ok(text.to_owned())
}

fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    match text.split_once(':') {
        None => Some((text, None)),
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            Some((name, Some(port.parse().ok().filter(|p| *p != 0)?)))
        }
        Some(_) => None,
    }
}

/// An address a sign-in may return to: exact, `https`, or `http` on this machine for native
/// applications (RFC 8252 §7.3, RFC 9700 §2.1).
pub(crate) fn redirect(text: &str) -> Result<String, Wrong> {
    let fail = || Wrong::new(format!("{} is not a redirect address", quoted(text)));
    let plain = text.len() <= 2000 && text.bytes().all(|b| b.is_ascii_graphic());
    if !plain || text.contains(['*', '#', '\\', '<', '>', '"', '`', '{', '}']) {
        return Err(fail().hint("an exact address: no `*`, no `#`, no spaces"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(fail().hint("such as `https://app.shop.example/callback`"));
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let local = authority
        .strip_prefix("[::1]")
        .map(|tail| {
            (
                "::1",
                tail.strip_prefix(':').map_or(tail.is_empty(), is_port),
            )
        })
        .or_else(|| split_port(authority).map(|(name, _)| (name, host(name).is_ok())));
    let Some((name, true)) = local else {
        return Err(fail().hint("such as `https://app.shop.example/callback`"));
    };
    match scheme {
        "https" => Ok(text.to_owned()),
        "http" if matches!(name, "localhost" | "127.0.0.1" | "::1") => Ok(text.to_owned()),
        "http" => Err(fail().hint("clear `http` only for `localhost`; use `https`")),
        _ => Err(fail().hint("the scheme is `https`")),
    }
}

/// `https://login.example/realm`: host, port and path, and nothing that could mean another server.
pub(crate) fn https_address(text: &str) -> Result<String, Wrong> {
    let fail = |hint: &str| {
        Wrong::new(format!("{} is not an https address", quoted(text))).hint(hint.to_owned())
    };
    let Some(rest) = text.strip_prefix("https://") else {
        return Err(fail("keys come over verified TLS only: `https://…`"));
    };
    let plain = text.len() <= 1000 && text.bytes().all(|b| b.is_ascii_graphic());
    if !plain
        || text.contains([
            '?', '#', '@', '\\', '<', '>', '"', '`', '{', '}', '*', '|', '^',
        ])
    {
        return Err(fail(
            "host, port and path alone, such as `https://login.example/realm`",
        ));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    match split_port(authority).map(|(name, _)| host(name)) {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err(fail("such as `https://login.example/realm`")),
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port != 0)
}

/// A request method that a route can list.
pub(crate) fn method(text: &str) -> Result<String, Wrong> {
    const KNOWN: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let fail = |hint: String| Wrong::new(format!("{} cannot be listed", quoted(text))).hint(hint);
    match text {
        "HEAD" => Err(fail("`HEAD` follows `GET`".to_owned())),
        "OPTIONS" => Err(fail("`OPTIONS` is answered by `cors`".to_owned())),
        "CONNECT" | "TRACE" => Err(fail("the gateway never forwards this method".to_owned())),
        _ if KNOWN.contains(&text.to_ascii_uppercase().as_str()) && !KNOWN.contains(&text) => {
            Err(fail(format!(
                "methods are upper case: `{}`",
                text.to_ascii_uppercase()
            )))
        }
        _ if (1..=32).contains(&text.len()) && text.bytes().all(is_method_byte) => {
            Ok(text.to_owned())
        }
        _ => Err(fail(
            "a method such as `GET`, `POST` or `PROPFIND`".to_owned(),
        )),
    }
}

fn is_method_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'-'
}

/// A header field's name, in lower case (RFC 9110 §5.1).
pub(crate) fn header(text: &str) -> Result<String, Wrong> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if (1..=64).contains(&text.len()) && text.bytes().all(token) && text != "*" {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Wrong::new(format!(
            "{} is not the name of a header",
            quoted(text)
        )))
    }
}

#[cfg(test)]
mod tests;
