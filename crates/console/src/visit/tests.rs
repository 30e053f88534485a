use super::*;

#[test]
fn only_paths_of_this_origin_are_local() {
    for (target, local) in [
        ("/", true),
        ("/trail?text=a%20b", true),
        ("//evil.example/", false),
        ("/\\evil.example", false),
        ("https://evil.example/", false),
        ("javascript:alert(1)", false),
        ("", false),
        ("/a b", false),
        ("/a\nb", false),
        ("/\u{202e}", false),
    ] {
        assert_eq!(is_local(target), local, "{target:?}");
    }
    assert!(!is_local(&format!("/{}", "a".repeat(TARGET_BYTES_MAX))));
}

#[test]
fn devices_are_named_not_fingerprinted() {
    for (agent, name) in [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1",
            "Safari on iOS",
        ),
        ("curl/8.0", "curl"),
        ("<script>", "unknown device"),
    ] {
        assert_eq!(device(agent), name);
    }
}
