//! Whether a request that changes something came from a page of ours: three checks, all of which
//! must hold.
//!
//! 1. What the browser says about the request (`Sec-Fetch-Site`, `Origin`).
//! 2. A token in the form that only a reader of the cookie's key could have made (OWASP's signed
//!    double submit): HMAC-SHA-256 under the form cookie, over the session it belongs to.
//! 3. The cookie itself is `SameSite=Strict`: it does not travel with another site's request.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use model::{Entropy, Reason};

use crate::frame::FormToken;

const PURPOSE: &[u8] = b"rampart console form v1\0";
/// What one form cookie looks like: 32 bytes in base64url.
const COOKIE_CHARS: usize = 43;

/// A fresh value for the form cookie.
pub(crate) fn fresh(entropy: &dyn Entropy) -> String {
    URL_SAFE_NO_PAD.encode(entropy.bytes::<32>())
}

/// Whether a value could be a form cookie of ours.
pub(crate) fn is_cookie(value: &str) -> bool {
    value.len() == COOKIE_CHARS
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The field for a form of somebody with this form cookie and this session.
pub(crate) fn token(cookie: &str, session: Option<&str>) -> FormToken {
    FormToken::new(URL_SAFE_NO_PAD.encode(tag(cookie, session).as_ref()))
}

fn tag(cookie: &str, session: Option<&str>) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, cookie.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(PURPOSE);
    context.update(session.unwrap_or_default().as_bytes());
    context.sign()
}

fn refused(text: &'static str) -> Reason {
    Reason::new("console.form.foreign", text)
}

/// Whether the browser says that a page of our own origin made the request.
///
/// # Errors
/// The reason, when it says otherwise or nothing at all.
pub(crate) fn same_origin(headers: &HeaderMap) -> Result<(), Reason> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    let origin = text(header::ORIGIN);
    if site.is_some_and(|site| site != "same-origin") {
        return Err(refused("another site made this request"));
    }
    let host = text(header::HOST).ok_or_else(|| refused("the request names no host"))?;
    if let Some(origin) = origin {
        // The console is served over TLS alone, so an origin of `http://` is another one.
        if origin.strip_prefix("https://") != Some(host) {
            return Err(refused("another origin made this request"));
        }
    }
    if site.is_none() && origin.is_none() {
        return Err(refused(
            "the browser does not say where the request was made",
        ));
    }
    Ok(())
}

/// Whether the form's token is the one this cookie and session make.
///
/// # Errors
/// The reason, when there is no cookie, no token, or they do not belong together.
pub(crate) fn verify(
    cookie: Option<&str>,
    session: Option<&str>,
    given: Option<&str>,
) -> Result<(), Reason> {
    let stale = || refused("the form is too old or was not made for you");
    let cookie = cookie.filter(|c| is_cookie(c)).ok_or_else(stale)?;
    let given = given
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .ok_or_else(stale)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, cookie.as_bytes());
    let message = [PURPOSE, session.unwrap_or_default().as_bytes()].concat();
    // Compares in constant time.
    hmac::verify(&key, &message, &given).map_err(|_| stale())
}

#[cfg(test)]
mod tests;
