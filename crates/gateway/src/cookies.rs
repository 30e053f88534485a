//! Rampart's own cookies on protected hosts: read, and taken off what goes to a service.

use http::{HeaderMap, HeaderValue, header};

use crate::reply::{Known, ReplyFields};

/// The session of one origin.
pub(crate) const SESSION: &str = "__Host-rampart-session";
/// Binds a sign-in under way to the browser that began it.
pub(crate) const VISIT: &str = "__Host-rampart-visit";
/// No cookie of this name, whatever follows, reaches a service or is taken from one.
const RESERVED: &str = "__host-rampart";

/// The session cookie's value; `Err` when there are two.
pub(crate) fn session(headers: &HeaderMap) -> Result<Option<&str>, ()> {
    one(headers, SESSION)
}

/// A cookie that may stand once. One that is not text counts as one that says nothing.
pub(crate) fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut found = None;
    for pair in headers.get_all(header::COOKIE).iter().flat_map(pairs) {
        let Some(value) = pair.strip_prefix(name.as_bytes()) else {
            continue;
        };
        if let Some(value) = value.strip_prefix(b"=")
            && found
                .replace(std::str::from_utf8(value).unwrap_or(""))
                .is_some()
        {
            return Err(());
        }
    }
    Ok(found)
}

/// Whether a cookie is Rampart's.
pub(crate) fn are_there(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::COOKIE);
    all.iter().flat_map(pairs).any(is_reserved)
}

/// Takes Rampart's cookies off; the others stay as they were.
///
/// SECURITY: by bytes. A service may set cookies that are not ASCII, and beside such a one the
/// session must neither reach the service nor be overlooked.
pub(crate) fn strip(headers: &mut HeaderMap) {
    if !are_there(headers) {
        return;
    }
    let kept: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(pairs)
        .filter(|pair| !pair.is_empty() && !is_reserved(pair))
        .collect();
    // Parts of values that were values: they are one again.
    let kept = HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok();
    headers.remove(header::COOKIE);
    if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
        headers.insert(header::COOKIE, kept);
    }
}

/// Takes off what a service sets under Rampart's names.
pub(crate) fn strip_set(fields: &mut ReplyFields) {
    fields.remove_where(Known::SetCookie, |_, value| is_reserved(value));
}

/// SECURITY: browsers take `__host-` for the prefix too, whatever its case, and send a cookie
/// without a name as its value alone (RFC 6265bis §4.1.3, §5.8.3).
fn is_reserved(pair: &[u8]) -> bool {
    let start = pair
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b'='))
        .unwrap_or(pair.len());
    let name = pair.get(start..).unwrap_or_default();
    name.get(..RESERVED.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED.as_bytes()))
}

/// Name and value of each cookie of one header, as one.
fn pairs(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value
        .as_bytes()
        .split(|byte| *byte == b';')
        .map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn session_is_found_beside_others_and_never_guessed_between_two() {
        let found = |lines: &[&'static str]| session(&headers(lines)).map(|s| s.map(str::to_owned));
        assert_eq!(
            found(&["a=1; __Host-rampart-session=x; b=2"]),
            Ok(Some("x".to_owned()))
        );
        assert_eq!(
            found(&["a=1", "__Host-rampart-session=x"]),
            Ok(Some("x".to_owned()))
        );
        assert_eq!(found(&["a=1"]), Ok(None));
        assert_eq!(found(&["__Host-rampart-sessions=x"]), Ok(None));
        assert_eq!(
            found(&["__Host-rampart-session=x; __Host-rampart-session=y"]),
            Err(())
        );
    }

    #[test]
    fn ours_are_stripped_in_any_case_and_the_rest_stays() {
        let mut all = headers(&["a=1; __host-RAMPART=q; b=2", "__Host-rampart-session=x"]);
        strip(&mut all);
        assert_eq!(all.get(header::COOKIE).unwrap(), "a=1; b=2");
        let mut only = headers(&["__Host-rampart-session=x"]);
        strip(&mut only);
        assert!(only.get(header::COOKIE).is_none());
    }

    #[test]
    fn session_beside_a_cookie_that_is_no_text_is_found_and_stripped() {
        let mut all = HeaderMap::new();
        let line = HeaderValue::from_bytes("name=J\u{fc}rgen; __Host-rampart-session=x".as_bytes());
        all.append(header::COOKIE, line.unwrap());
        assert_eq!(session(&all), Ok(Some("x")));
        strip(&mut all);
        let left = all.get(header::COOKIE).unwrap();
        assert_eq!(left.as_bytes(), "name=J\u{fc}rgen".as_bytes());
    }

    #[test]
    fn service_cannot_set_our_cookies() {
        let mut all = ReplyFields::default();
        all.push(header::SET_COOKIE, HeaderValue::from_static("a=1; Path=/"));
        for line in [
            &b"__Host-Rampart-session=evil"[..],
            b"__Host-rampart-session=\xfc",
            b"=__Host-rampart-session=evil; Secure",
        ] {
            let line = HeaderValue::from_bytes(line).unwrap();
            all.push(header::SET_COOKIE, line);
        }
        strip_set(&mut all);
        let left: Vec<_> = all.all(&header::SET_COOKIE).collect();
        assert_eq!(left, [b"a=1; Path=/"]);
    }
}
