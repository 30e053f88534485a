//! The gateway's part of signing in: sending a browser to the console, and turning the one-time
//! code it comes back with into a session of this origin.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;

use crate::auth_request;
use crate::cookies;
use crate::exchange::Outgoing;
use crate::flow::Flow;
use crate::link::{Asker, NoSession};
use crate::refused::Refused;
use crate::reply::Reply;
use crate::steps::{address, authenticate, same_origin};

/// Paths below this are Rampart's on every protected host.
pub(crate) const OWN: &str = "/.rampart/";

/// LIMIT: bytes of an address to come back to; a longer one becomes the start page.
const RETURN_BYTES_MAX: usize = 300;
/// A sign-in that began so long ago begins anew.
const VISIT_SECONDS: u32 = 1800;
/// LIMIT: bytes of a code.
const CODE_BYTES_MAX: usize = 128;
const NONCE_BYTES: usize = 16;

/// Sends a browser to the sign-in, with the way back. The nonce in the state is also in a cookie:
/// only the browser that began can end it (RFC 9700 §4.7).
pub(crate) fn redirect(flow: &Flow<'_>) -> Option<Response<Outgoing>> {
    let known = cookies::one(&flow.head.headers, cookies::VISIT)
        .ok()
        .flatten();
    let nonce = match known.filter(|nonce| is_nonce(nonce)) {
        // Two tabs sign in at once: both must find their way back.
        Some(nonce) => nonce.to_owned(),
        None => URL_SAFE_NO_PAD.encode(flow.shared.entropy.bytes::<NONCE_BYTES>()),
    };
    let path = flow
        .head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let path = if path.len() > RETURN_BYTES_MAX {
        "/"
    } else {
        path
    };
    let state = format!("{nonce}.{}", URL_SAFE_NO_PAD.encode(path));
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let to = format!(
        "https://{}{}/sign-in?host={}&state={}",
        flow.state.estate().console.host,
        flow.host.port(),
        encode(flow.host.authority()),
        encode(&state),
    );
    let mut response = see_other(&to)?;
    let cookie = format!(
        "{}={nonce}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={VISIT_SECONDS}",
        cookies::VISIT
    );
    let cookie = HeaderValue::try_from(cookie).ok()?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Some(response)
}

/// Answers what is Rampart's own on a protected host.
pub(crate) async fn answer(flow: &mut Flow<'_>) -> Result<Reply, Refused> {
    let path = flow.path().to_owned();
    let method = flow.head.method.clone();
    match (path.strip_prefix(OWN).unwrap_or(""), &method) {
        ("callback", &Method::GET) => callback(flow).await.map(Reply::from),
        ("auth", &Method::GET) => auth_request::answer(flow).await,
        ("sign-out", &Method::POST) => sign_out(flow).await.map(Reply::from),
        ("assertion-keys.json", &(Method::GET | Method::HEAD)) => Ok(assertion_keys(flow).into()),
        ("callback" | "sign-out" | "assertion-keys.json", _) => Err(Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "route.method",
            "this address takes another method",
        )),
        _ => Err(Refused::new(
            StatusCode::NOT_FOUND,
            "route.no_match",
            "nothing of Rampart's is here",
        )),
    }
}

/// A code comes back from the console: the session begins here.
async fn callback(flow: &mut Flow<'_>) -> Result<Response<Outgoing>, Refused> {
    address::sign_in(flow)?;
    let wrong = || {
        Refused::new(
            StatusCode::BAD_REQUEST,
            "authenticate.callback",
            "this sign-in was not begun here, or too long ago; open the page again",
        )
    };
    if !flow.secure {
        return Err(wrong());
    }
    let query = flow.head.uri.query().unwrap_or("");
    let code = parameter(query, "code").filter(|code| code.len() <= CODE_BYTES_MAX);
    let (code, state) = code.zip(parameter(query, "state")).ok_or_else(wrong)?;
    let (nonce, path) = state.split_once('.').ok_or_else(wrong)?;
    let begun = cookies::one(&flow.head.headers, cookies::VISIT)
        .ok()
        .flatten();
    // SECURITY: nonces are random and short-lived, so that comparing them in time tells nothing
    // that could be used twice; still, equal lengths are compared whole.
    let same = begun.is_some_and(|begun| {
        use subtle::ConstantTimeEq as _;
        is_nonce(begun) && bool::from(begun.as_bytes().ct_eq(nonce.as_bytes()))
    });
    if !same {
        return Err(wrong());
    }
    let path = URL_SAFE_NO_PAD.decode(path).ok();
    let path = path.and_then(|path| String::from_utf8(path).ok());
    let path = path.filter(|path| is_local(path)).ok_or_else(wrong)?;
    let exchanged = match &flow.shared.link {
        Some(link) => link.exchange(&code, asker(flow)).await,
        None => Err(NoSession::Unavailable),
    };
    let session = exchanged.map_err(|why| match why {
        NoSession::Refused => wrong(),
        NoSession::Unavailable => Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "authenticate.unavailable",
            "nobody can sign in right now",
        ),
    })?;
    let cookie = format!(
        "{}={}; Path=/; Secure; HttpOnly; SameSite=Lax",
        cookies::SESSION,
        session.expose()
    );
    let cookie = HeaderValue::try_from(cookie).map_err(|_| wrong())?;
    let mut response = see_other(&path).ok_or_else(wrong)?;
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, cookie);
    headers.append(header::SET_COOKIE, forget(cookies::VISIT));
    Ok(response)
}

/// Ends the session of this origin, and leads to where the sign-in itself is ended.
async fn sign_out(flow: &Flow<'_>) -> Result<Response<Outgoing>, Refused> {
    if !same_origin::is_same(flow) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "authenticate.cross_site",
            "signing out must be asked for from the same origin",
        ));
    }
    if let Some(session) = authenticate::own_session(flow) {
        // SECURITY: a copy of the cookie must be worth nothing afterwards, so that forgetting it
        // in this browser is not enough (ASVS 7.4.1). Cannot it be ended, nobody is told so.
        let ended = match &flow.shared.link {
            Some(link) => link.sign_out(session, asker(flow)).await,
            None => false,
        };
        if !ended {
            return Err(Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "authenticate.unavailable",
                "the session could not be ended; try again",
            ));
        }
    }
    let console = &flow.state.estate().console.host;
    let to = format!("https://{console}{}/account", flow.host.port());
    let mut response = see_other(&to).unwrap_or_default();
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, forget(cookies::SESSION));
    Ok(response)
}

fn asker(flow: &Flow<'_>) -> Asker {
    Asker {
        host: flow.host.name().to_owned(),
        source: flow.client,
        request: flow.id,
    }
}

/// The keys that verify assertions, as a JWK set (RFC 7517 §5).
fn assertion_keys(flow: &Flow<'_>) -> Response<Outgoing> {
    let keys = flow.shared.assertion_keys();
    let text = json!({ "keys": keys }).to_string();
    let mut response = Response::new(Outgoing::Full(text.into()));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/jwk-set+json");
    headers.insert(header::CONTENT_TYPE, kind);
    let kept = HeaderValue::from_static("public, max-age=300");
    headers.insert(header::CACHE_CONTROL, kept);
    response
}

fn see_other(to: &str) -> Option<Response<Outgoing>> {
    let mut response = Response::new(Outgoing::Empty);
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_str(to).ok()?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The address of a callback holds a code.
    let policy = HeaderValue::from_static("no-referrer");
    headers.insert(header::REFERRER_POLICY, policy);
    Some(response)
}

fn forget(name: &str) -> HeaderValue {
    let text = format!("{name}=-; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// A parameter that stands once.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut values = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| *key == name);
    let (_, value) = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let text = percent_decode_str(value).decode_utf8().ok()?;
    Some(text.into_owned())
}

fn is_nonce(text: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(text)
        .is_ok_and(|bytes| bytes.len() == NONCE_BYTES)
}

/// SECURITY: browsers read `//host` and `/\host` as another origin.
fn is_local(path: &str) -> bool {
    let mut bytes = path.bytes();
    bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_origin_are_come_back_to() {
        for path in ["/", "/a?b=c", "/%20"] {
            assert!(is_local(path), "{path}");
        }
        for path in [
            "",
            "a",
            "//evil",
            "/\\evil",
            "https://evil",
            "/a b",
            "/a\r\nx: y",
            "/ä",
        ] {
            assert!(!is_local(path), "{path}");
        }
    }

    #[test]
    fn parameter_that_is_repeated_is_none() {
        assert_eq!(
            parameter("code=a%2Fb&state=s", "code").as_deref(),
            Some("a/b")
        );
        assert_eq!(parameter("code=a&code=b", "code"), None);
        assert_eq!(parameter("state=s", "code"), None);
    }
}
