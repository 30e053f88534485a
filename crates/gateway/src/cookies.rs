//! Rampart's own cookies on protected hosts: read, and taken off what goes to a service.

use http::{HeaderMap, HeaderValue, header};

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

/// A cookie that may stand once.
pub(crate) fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut found = None;
    for (key, value) in pairs(headers) {
        if key == name && found.replace(value).is_some() {
            return Err(());
        }
    }
    Ok(found)
}

/// Takes Rampart's cookies off; the others stay as they were.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let ours = headers
        .get_all(header::COOKIE)
        .iter()
        .any(|value| value.to_str().is_ok_and(mentions));
    if !ours {
        return;
    }
    let kept: Vec<String> = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(str::trim)
        .filter(|pair| !pair.is_empty() && !is_reserved(pair))
        .map(str::to_owned)
        .collect();
    headers.remove(header::COOKIE);
    if let Ok(value) = HeaderValue::try_from(kept.join("; "))
        && !kept.is_empty()
    {
        headers.insert(header::COOKIE, value);
    }
}

/// Takes off what a service sets under Rampart's names.
pub(crate) fn strip_set(headers: &mut HeaderMap) {
    let theirs = |value: &HeaderValue| value.to_str().is_ok_and(is_reserved);
    if !headers.get_all(header::SET_COOKIE).iter().any(theirs) {
        return;
    }
    let kept: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter(|value| !theirs(value))
        .cloned()
        .collect();
    headers.remove(header::SET_COOKIE);
    for value in kept {
        headers.append(header::SET_COOKIE, value);
    }
}

/// SECURITY: browsers take `__host-` for the prefix too, whatever its case (RFC 6265bis §4.1.3).
fn is_reserved(pair: &str) -> bool {
    let name = pair.trim_start().as_bytes();
    name.get(..RESERVED.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED.as_bytes()))
}

fn mentions(value: &str) -> bool {
    value.split(';').any(is_reserved)
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
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
    fn service_cannot_set_our_cookies() {
        let mut all = HeaderMap::new();
        all.append(header::SET_COOKIE, HeaderValue::from_static("a=1; Path=/"));
        all.append(
            header::SET_COOKIE,
            HeaderValue::from_static("__Host-Rampart-session=evil"),
        );
        strip_set(&mut all);
        let left: Vec<_> = all.get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(left, ["a=1; Path=/"]);
    }
}
