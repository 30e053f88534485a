use super::*;

#[test]
fn hosts_are_lower_case_names() {
    assert_eq!(host("Shop.Example").as_deref(), Ok("shop.example"));
    assert_eq!(host("127.0.0.1").as_deref(), Ok("127.0.0.1"));
    let long = format!("{}.example", "a".repeat(64));
    for wrong in [
        "",
        ".",
        "a..b",
        "-a",
        "a-",
        "a_b",
        "a b",
        "shöp.example",
        "a:80",
        "*.a",
        &long,
    ] {
        assert!(host(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn certificate_hosts_never_cover_a_top_level_domain() {
    assert!(certificate_host("*.shop.example").is_ok());
    for wrong in [
        "*",
        "*.example",
        "*.*.shop.example",
        "a.*.example",
        "*shop.example",
    ] {
        assert!(certificate_host(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn origins_are_written_as_browsers_send_them() {
    for right in [
        "https://app.example",
        "http://localhost:3000",
        "https://a.example:8443",
    ] {
        assert_eq!(origin(right).as_deref(), Ok(right));
    }
    for wrong in [
        "*",
        "null",
        "app.example",
        "https://",
        "https://App.example",
        "https://a.example/",
        "https://a.example:443",
        "http://a.example:80",
        "https://a.example:",
        "https://a:x",
        "https://a:0",
        "https://u@a.example",
        "ftp://a.example",
        "https://a.example?x",
    ] {
        assert!(origin(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn redirects_are_exact_and_encrypted_unless_local() {
    for right in [
        "https://a.example/cb",
        "https://a.example",
        "https://a.example:8443/cb?x=1",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:1/cb",
    ] {
        assert!(redirect(right).is_ok(), "{right}");
    }
    for wrong in [
        "http://a.example/cb",
        "https://a.example/*",
        "https://a.example/#x",
        "/cb",
        "https:///cb",
        "https://user@a.example/",
        "https://a.example@evil.example/",
        "javascript://a.example/",
        "http://localhost.evil.example@x/",
        "http://[::1]x/cb",
        "https://a.example/ b",
        "https://a.example\\@evil.example/",
        "http://127.0.0.1.evil.example/",
    ] {
        assert!(redirect(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn methods_are_those_a_route_can_decide_about() {
    for right in [
        "GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "M-SEARCH",
    ] {
        assert!(method(right).is_ok(), "{right}");
    }
    for wrong in [
        "get", "HEAD", "OPTIONS", "TRACE", "CONNECT", "", "G ET", "GET\r\n",
    ] {
        assert!(method(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn quoted_input_is_short_and_on_one_line() {
    let text = quoted(&format!("a\n\u{1b}{}", "b".repeat(500)));
    assert!(text.chars().count() < 90, "{text}");
    assert!(!text.contains(char::is_control));
}
