//! The parts of the browser that need no connection.

use super::*;

#[test]
fn references_are_joined_to_their_page() {
    let base: Uri = "https://rampart.localhost:8443/sign-in?x=1"
        .parse()
        .unwrap();
    let at = |reference| join(&base, reference).map(|uri| uri.to_string());
    assert_eq!(at("/a?b").unwrap(), "https://rampart.localhost:8443/a?b");
    assert_eq!(at("").unwrap(), "https://rampart.localhost:8443/sign-in");
    assert_eq!(
        at("https://shop.localhost:8443/").unwrap(),
        "https://shop.localhost:8443/"
    );
    assert!(at("http://elsewhere.example/").is_err());
}

#[test]
fn a_cookie_that_ends_is_forgotten() {
    let mut jar = BTreeMap::new();
    keep(&mut jar, "__Host-rampart=abc; Path=/; Secure; HttpOnly");
    assert_eq!(jar.get("__Host-rampart").map(String::as_str), Some("abc"));
    keep(&mut jar, "__Host-rampart=; Path=/; Secure; Max-Age=0");
    assert!(jar.is_empty());
}
