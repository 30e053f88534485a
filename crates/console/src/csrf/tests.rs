use http::HeaderValue;
use testkit::SeededEntropy;

use super::*;

fn value(token: &FormToken) -> String {
    let html = token.to_string();
    let (_, rest) = html.split_once("value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn a_token_works_with_its_own_cookie_and_session_only() {
    let entropy = SeededEntropy::new(1);
    let (mine, other) = (fresh(&entropy), fresh(&entropy));
    let token = value(&token(&mine, Some("session")));
    assert!(verify(Some(&mine), Some("session"), Some(&token)).is_ok());
    assert!(verify(Some(&other), Some("session"), Some(&token)).is_err());
    assert!(verify(Some(&mine), Some("other"), Some(&token)).is_err());
    assert!(verify(Some(&mine), None, Some(&token)).is_err());
    assert!(verify(None, Some("session"), Some(&token)).is_err());
    assert!(verify(Some(&mine), Some("session"), None).is_err());
    assert!(verify(Some(&mine), Some("session"), Some("")).is_err());
}

#[test]
fn a_planted_short_cookie_is_no_key() {
    let token = value(&token("a", None));
    assert!(verify(Some("a"), None, Some(&token)).is_err());
}

#[test]
fn only_our_own_origin_may_post() {
    for (site, origin, allowed) in [
        (Some("same-origin"), Some("https://rampart.example"), true),
        (Some("same-origin"), None, true),
        (None, Some("https://rampart.example"), true),
        (None, None, false),
        (Some("same-site"), Some("https://shop.example"), false),
        (Some("cross-site"), None, false),
        (Some("none"), None, false),
        (Some("same-origin"), Some("https://evil.example"), false),
        (None, Some("http://rampart.example"), false),
        (None, Some("null"), false),
        (None, Some("https://rampart.example.evil.example"), false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("rampart.example"));
        if let Some(site) = site {
            headers.insert("sec-fetch-site", HeaderValue::from_static(site));
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        assert_eq!(
            same_origin(&headers).is_ok(),
            allowed,
            "{site:?} {origin:?}"
        );
    }
}
