//! The console's cookies: read with limits, written with every protection browsers know.
//!
//! All carry the `__Host-` prefix (RFC 6265bis §4.1.3.2): `Secure`, `Path=/`, no `Domain`, so that
//! no other host, and no clear connection, can plant one.

use http::{HeaderMap, HeaderValue, header};

/// The session. `SameSite=Strict`: it never travels with a request another site started.
pub(crate) const SESSION: &str = "__Host-rampart";
/// The secret behind form tokens of people who are not signed in yet.
pub(crate) const FORM: &str = "__Host-rampart-form";
/// A sign-in or an enrolment that is under way.
pub(crate) const FLOW: &str = "__Host-rampart-flow";
/// Theme and density.
pub(crate) const LOOK: &str = "__Host-rampart-look";

/// LIMIT: of all cookies of one request.
const COOKIES_BYTES_MAX: usize = 8 * 1024;
/// LIMIT: of one value; ours are far shorter.
const VALUE_BYTES_MAX: usize = 512;
const YEAR_S: u32 = 31_536_000;

/// The value of the one cookie `name`. A name that is sent twice is refused: with the `__Host-`
/// prefix no honest browser does so.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = None;
    let mut bytes = 0;
    for line in headers.get_all(header::COOKIE) {
        bytes += line.len();
        if bytes > COOKIES_BYTES_MAX {
            return None;
        }
        // By bytes: a foreign cookie in another alphabet must not hide ours.
        for pair in line.as_bytes().split(|byte| *byte == b';') {
            let value = pair.trim_ascii().strip_prefix(name.as_bytes());
            let Some(value) = value.and_then(|rest| rest.strip_prefix(b"=")) else {
                continue;
            };
            let value = std::str::from_utf8(value).ok()?;
            if found.is_some() || value.is_empty() || value.len() > VALUE_BYTES_MAX {
                return None;
            }
            found = Some(value);
        }
    }
    found
}

/// How long a browser keeps a cookie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keep {
    /// Until it is closed.
    Session,
    /// For a year.
    Year,
    /// For so many seconds.
    Seconds(u32),
    /// Not any more.
    Forget,
}

/// A `Set-Cookie` value. `None` when `value` has bytes no cookie may have (RFC 6265 §4.1.1).
pub(crate) fn set(name: &str, value: &str, keep: Keep) -> Option<HeaderValue> {
    let legal = |b: u8| matches!(b, 0x21 | 0x23..=0x2B | 0x2D..=0x3A | 0x3C..=0x5B | 0x5D..=0x7E);
    if value.len() > VALUE_BYTES_MAX || !value.bytes().all(legal) {
        return None;
    }
    let age = match keep {
        Keep::Session => String::new(),
        Keep::Year => format!("; Max-Age={YEAR_S}"),
        Keep::Seconds(seconds) => format!("; Max-Age={seconds}"),
        Keep::Forget => "; Max-Age=0".to_owned(),
    };
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{age}");
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests;
