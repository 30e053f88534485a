use super::*;

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(
            header::COOKIE,
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        );
    }
    headers
}

#[test]
fn a_cookie_is_found_among_others() {
    let sent = headers(&["a=1; __Host-rampart=abc ;b=2"]);
    assert_eq!(read(&sent, SESSION), Some("abc"));
    assert_eq!(read(&sent, FORM), None);
    let foreign = headers(&["schlüssel=märz; __Host-rampart=abc"]);
    assert_eq!(read(&foreign, SESSION), Some("abc"));
}

#[test]
fn a_cookie_sent_twice_is_no_cookie() {
    assert_eq!(
        read(
            &headers(&["__Host-rampart=abc; __Host-rampart=def"]),
            SESSION
        ),
        None
    );
    assert_eq!(
        read(
            &headers(&["__Host-rampart=abc", "__Host-rampart=abc"]),
            SESSION
        ),
        None
    );
}

#[test]
fn oversized_cookies_are_not_read() {
    let long = format!("__Host-rampart={}", "a".repeat(VALUE_BYTES_MAX + 1));
    assert_eq!(read(&headers(&[&long]), SESSION), None);
    let many = format!("x={}; __Host-rampart=abc", "a".repeat(COOKIES_BYTES_MAX));
    assert_eq!(read(&headers(&[&many]), SESSION), None);
}

#[test]
fn every_cookie_is_host_bound_secure_and_strict() {
    let header = set(SESSION, "abc", Keep::Seconds(60)).unwrap();
    assert_eq!(
        header.to_str().unwrap(),
        "__Host-rampart=abc; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60"
    );
    assert!(header.is_sensitive());
}

#[test]
fn a_value_cannot_smuggle_attributes() {
    for evil in [
        "a; Domain=evil.example",
        "a\r\nSet-Cookie: b=c",
        "a b",
        "ä",
        "a,b",
    ] {
        assert!(set(SESSION, evil, Keep::Session).is_none(), "{evil}");
    }
}
