use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::*;

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().skip(1)
}

fn attacks() -> impl Iterator<Item = (Category, &'static str)> {
    lines(include_str!("../../testdata/inspect/attacks.txt")).map(|line| {
        let (sort, value) = line.split_once('\t').unwrap();
        let category = match sort {
            "sql" => Category::Sql,
            "xss" => Category::Xss,
            "traversal" => Category::Traversal,
            "command" => Category::Command,
            "template" => Category::Template,
            "ssrf" => Category::Ssrf,
            other => panic!("{other}"),
        };
        (category, value)
    })
}

fn query(rules: &Rules, value: &str) -> Option<Finding> {
    let query = format!("x=1&q={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    rules.head("/", Some(&query), &HeaderMap::new())
}

#[test]
fn every_attack_is_found_in_a_query_a_form_and_json() {
    let rules = Rules::built_in();
    let mut missed = Vec::new();
    for (_, value) in attacks() {
        let form = format!("q={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        let json = serde_json::json!({ "a": [{ "q": value }] }).to_string();
        let found = [
            query(&rules, value).is_some_and(|found| found.name == "q"),
            rules
                .body(BodyKind::Form, form.as_bytes())
                .unwrap()
                .is_some(),
            rules
                .body(BodyKind::Json, json.as_bytes())
                .unwrap()
                .is_some(),
        ];
        if found != [true; 3] {
            missed.push((value, found));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn no_honest_value_is_taken_for_an_attack() {
    let rules = Rules::built_in();
    let wrong: Vec<_> = lines(include_str!("../../testdata/inspect/benign.txt"))
        .filter_map(|value| query(&rules, value).map(|found| (value, found.rule)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn sort_of_attack_is_named_for_most() {
    let rules = Rules::built_in();
    let all: Vec<_> = attacks().collect();
    let named = all
        .iter()
        .filter(|(category, value)| query(&rules, value).is_some_and(|f| f.category == *category));
    let named = named.count();
    assert!(named * 100 >= all.len() * 90, "{named} of {}", all.len());
}

#[test]
fn attack_is_found_where_it_stands() {
    let rules = Rules::built_in();
    let mut headers = HeaderMap::new();
    headers.insert(
        header::COOKIE,
        HeaderValue::from_static("a=1; b=%3Cscript%3E"),
    );
    let found = rules.head("/", None, &headers).unwrap();
    assert_eq!((found.place, found.name.as_str()), (Place::Cookie, "b"));
    let mut headers = HeaderMap::new();
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static("${jndi:ldap://x}"),
    );
    assert_eq!(
        rules.head("/", None, &headers).unwrap().place,
        Place::Header
    );
    let found = rules.head("/a/%27%20or%201=1--", None, &HeaderMap::new());
    assert_eq!(found.unwrap().place, Place::Path);
    let found = rules.head("/", Some("%3Cscript%3E=1"), &HeaderMap::new());
    assert_eq!(found.unwrap().place, Place::Query);
}

#[test]
fn honest_heads_pass() {
    let rules = Rules::built_in();
    let mut headers = HeaderMap::new();
    let agent =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0";
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    headers.insert(
        header::REFERER,
        HeaderValue::from_static("https://a.example/x?q=a%20b&c=d"),
    );
    headers.insert(
        header::COOKIE,
        HeaderValue::from_static("s=eyJhIjoxfQ==; t=\"x y\"; _ga=GA1.2.3"),
    );
    headers.insert(
        header::ACCEPT_LANGUAGE,
        HeaderValue::from_static("de-DE,de;q=0.9,en;q=0.8"),
    );
    let found = rules.head("/a/b%20c/d;e=f", Some("a=1&b=x+y&c=%C3%A9"), &headers);
    assert_eq!(found, None);
}

fn body(kind: BodyKind, text: &str) -> Result<Option<Finding>, BodyError> {
    Rules::built_in().body(kind, text.as_bytes())
}

#[test]
fn json_is_read_strictly() {
    for (text, error) in [
        ("", BodyError::Json),
        ("{", BodyError::Json),
        ("{\"a\":1}x", BodyError::Json),
        ("{'a':1}", BodyError::Json),
        ("[1,]", BodyError::Json),
        ("[01]", BodyError::Json),
        ("[1.]", BodyError::Json),
        ("[NaN]", BodyError::Json),
        ("{\"a\" 1}", BodyError::Json),
        ("{\"a\":1,}", BodyError::Json),
        ("\"\u{1}\"", BodyError::Json),
        ("\"\\ud800\"", BodyError::Json),
        ("a=b", BodyError::Json),
        ("{\"a\":1,\"a\":2}", BodyError::DuplicateKey),
        ("{\"a\":1,\"\\u0061\":2}", BodyError::DuplicateKey),
    ] {
        assert_eq!(body(BodyKind::Json, text), Err(error), "{text}");
    }
    let deep = "[".repeat(65) + &"]".repeat(65);
    assert_eq!(body(BodyKind::Json, &deep), Err(BodyError::TooDeep));
    let fine = "[".repeat(64) + &"]".repeat(64);
    assert_eq!(body(BodyKind::Json, &fine), Ok(None));
    let same_key_in_two = r#"{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":2}]}"#;
    assert_eq!(body(BodyKind::Json, same_key_in_two), Ok(None));
    assert_eq!(
        Rules::built_in().body(BodyKind::Json, b"\"\xff\""),
        Err(BodyError::Utf8)
    );
}

#[test]
fn form_is_read_strictly() {
    assert_eq!(body(BodyKind::Form, "a=1&b=%41+c&&d"), Ok(None));
    assert_eq!(body(BodyKind::Form, "a=%4"), Err(BodyError::Form));
    assert_eq!(body(BodyKind::Form, "a=%zz"), Err(BodyError::Form));
    assert_eq!(body(BodyKind::Form, "a=\n"), Err(BodyError::Form));
    assert_eq!(body(BodyKind::Form, "a=%ff"), Err(BodyError::Utf8));
    let many = "a=1&".repeat(1001);
    assert_eq!(body(BodyKind::Form, &many), Err(BodyError::TooManyFields));
}

#[test]
fn multipart_is_read_strictly() {
    let kind = || BodyKind::Multipart {
        boundary: "b".to_owned(),
    };
    let part = |head: &str, text: &str| format!("--b\r\n{head}\r\n\r\n{text}\r\n--b--\r\n");
    let field = "Content-Disposition: form-data; name=\"q\"";
    assert_eq!(body(kind(), &part(field, "hello")), Ok(None));
    let found = body(kind(), &part(field, "<script>")).unwrap().unwrap();
    assert_eq!(found.name, "q");
    let file = "Content-Disposition: form-data; name=\"f\"; filename=\"../../x\"";
    assert!(body(kind(), &part(file, "anything")).unwrap().is_some());
    let file = "Content-Disposition: form-data; name=\"f\"; filename=\"a.png\"";
    assert_eq!(
        body(kind(), &part(file, "<script>")),
        Ok(None),
        "a file's content is its own"
    );
    for text in [
        "",
        "hello",
        "--b--x",
        &part("X: y", ""),
        &part("Content-Disposition: attachment; name=\"q\"", ""),
        &part("Content-Disposition: form-data", ""),
        &part("Content-Disposition: form-data; name=\"q\"; name=\"r\"", ""),
        &part(
            "Content-Disposition: form-data; name=\"q\"; filename*=UTF-8''x",
            "",
        ),
        &part(&format!("{field}\r\n{field}"), ""),
        &part(&format!("{field}\r\n folded"), ""),
        &part(
            &format!("{field}\r\nContent-Transfer-Encoding: base64"),
            "PHNjcmlwdD4=",
        ),
        &part(
            &format!("{field}\r\ncontent-transfer-encoding : base64"),
            "PHNjcmlwdD4=",
        ),
        &part(&format!("{field}\r\n: x"), ""),
        &format!("--b\r\n{field}\r\n\r\nx"),
        &format!("preamble--b\r\n{field}\r\n\r\nx\r\n--b--"),
    ] {
        assert_eq!(body(kind(), text), Err(BodyError::Multipart), "{text:?}");
    }
    let plain = "Content-Transfer-Encoding: 8bit\r\nContent-Type: text/plain; charset=utf-8";
    let known = part(&format!("{field}\r\n{plain}"), "hello");
    assert_eq!(body(kind(), &known), Ok(None));
    let foreign = part(
        &format!("{field}\r\nContent-Type: text/plain; charset=UTF-7"),
        "+ADw-script+AD4-",
    );
    assert_eq!(body(kind(), &foreign), Err(BodyError::Charset));
}

#[test]
fn content_type_decides_and_a_malformed_one_is_refused() {
    let of = |text: &'static str| BodyKind::of(Some(&HeaderValue::from_static(text)));
    assert_eq!(of("application/json; charset=utf-8"), Ok(BodyKind::Json));
    assert_eq!(of("Application/Problem+JSON"), Ok(BodyKind::Json));
    assert_eq!(of("text/json"), Ok(BodyKind::Json));
    assert_eq!(of("x/json;charset=utf-8"), Ok(BodyKind::Json));
    for none in [
        "application/json, text/plain",
        "a/b/json",
        "application /json",
        "/json",
        "x/",
    ] {
        assert_eq!(of(none), Err(BodyError::ContentType), "{none}");
    }
    assert_eq!(of("image/png"), Ok(BodyKind::Opaque));
    assert_eq!(BodyKind::of(None), Ok(BodyKind::Opaque));
    let boundary = "b-1".to_owned();
    assert_eq!(
        of("multipart/form-data; boundary=\"b-1\""),
        Ok(BodyKind::Multipart { boundary })
    );
    assert_eq!(of("text/plain; charset=\"UTF-8\""), Ok(BodyKind::Text));
    for charset in [
        "utf-7",
        "utf-16le",
        "ibm037",
        "\"utf-7\"",
        "utf-8; charset=utf-7",
    ] {
        let form = format!("application/x-www-form-urlencoded; charset={charset}");
        let form = HeaderValue::try_from(form).unwrap();
        assert_eq!(BodyKind::of(Some(&form)), Err(BodyError::Charset));
    }
    assert_eq!(of("image/png; charset=utf-7"), Ok(BodyKind::Opaque));
    assert_eq!(of("json"), Err(BodyError::ContentType));
    assert_eq!(of("multipart/form-data"), Err(BodyError::Multipart));
    let twice = "multipart/form-data; boundary=a; boundary=b";
    assert_eq!(of(twice), Err(BodyError::Multipart));
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_and_the_library_agree(value in json_value(), cut in any::<prop::sample::Index>()) {
        let text = value.to_string();
        let ours = |text: &str| json::walk(text.as_bytes(), |_, _| None::<()>).is_ok();
        prop_assert!(ours(&text));
        let mut bytes = text.into_bytes();
        let at = cut.index(bytes.len());
        bytes[at] = b',';
        if let Ok(changed) = String::from_utf8(bytes) {
            // The library lets a key stand twice; nothing here makes one.
            let library = serde_json::from_str::<serde_json::Value>(&changed);
            // The grammar has no largest number (RFC 8259 §6); the library has.
            let too_large = matches!(&library, Err(error) if error.to_string().starts_with("number out of range"));
            prop_assert!(too_large || ours(&changed) == library.is_ok(), "{}", changed);
        }
    }

    #[test]
    fn any_bytes_are_looked_at(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let rules = Rules::built_in();
        let boundary = "b".to_owned();
        for kind in [BodyKind::Form, BodyKind::Json, BodyKind::Text, BodyKind::Multipart { boundary }] {
            drop(rules.body(kind, &bytes));
        }
        let text = String::from_utf8_lossy(&bytes);
        let _ = rules.head(&text, Some(&text), &HeaderMap::new());
    }
}

/// What a value has to hold for a rule to match, word by word.
fn holds_something(value: &str, is_path: bool) -> bool {
    let odd = "'\"<>;|&$`{(=%\\#*\n\r\0";
    value
        .chars()
        .any(|c| odd.contains(c) || (c == '/' && !is_path))
        || value.contains("..")
        || value.contains("--")
        || (value.len() > 6 && value.to_ascii_lowercase().contains("select"))
}

proptest! {
    #[test]
    fn what_can_match_no_rule_is_told_in_one_pass(
        value in "([a-z.-]|[S/%';]|\\.\\.|--|select|SeLecT){0,8}",
    ) {
        let bytes = value.as_bytes();
        prop_assert_eq!(transform::is_suspicious(bytes), holds_something(&value, false));
        prop_assert_eq!(transform::is_suspicious_path(bytes), holds_something(&value, true));
    }
}

#[test]
fn values_are_squeezed_and_rendered_around_what_is_plain() {
    let squeezed = [
        ("A  B\tC", "a b c"),
        ("UN\0ION/x", "union/x"),
        ("SELECT/*z*/1/", "select 1/"),
        ("x/*!50000UNION*/Y", "x union y"),
        ("x/*! ALL  THE\0SE */Y", "x all these y"),
        ("a/*never ends", "a/*"),
        ("\u{c9}T\u{c9}\u{a0}Q", "\u{e9}t\u{e9} q"),
    ];
    for (value, seen) in squeezed {
        assert_eq!(transform::squeezed(value), seen, "{value:?}");
    }
    let rendered = [
        ("A&lt;B&x;C", "a<b&x;c"),
        ("S\0C\u{200b}R \u{feff}I", "scr i"),
        ("\u{c9}&", "\u{e9}&"),
    ];
    for (value, seen) in rendered {
        assert_eq!(transform::rendered(value), seen, "{value:?}");
    }
}
