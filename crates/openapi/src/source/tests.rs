use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Node, String> {
    parse_in(text, &Limits::default())
}

fn parse_in(text: &str, limits: &Limits) -> Result<Node, String> {
    let mut findings = Findings::new(10);
    read(text, limits, &mut findings).ok_or_else(|| {
        findings
            .finish()
            .first()
            .map(ToString::to_string)
            .unwrap_or_default()
    })
}

fn good(text: &str) -> Node {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn yaml_and_json_become_the_same() {
    let yaml = good(
        "a: [1, 2.50, -3e2, true, null, ~, 'x', \"y\\n\"]\nb:\n  c: |\n    text\n  200: word\n",
    );
    let json =
        good(r#"{"b":{"200":"word","c":"text\n"},"a":[1,2.5,-300,true,null,null,"x","y\n"]}"#);
    assert_eq!(yaml.value, json.value);
}

#[test]
fn traps_of_older_yaml_are_what_yaml_1_2_says() {
    let node = good(
        "[no, yes, on, off, 1e3, 010, 0o10, 0x10, 1_000, 12:30, '1', !!str 1, 3.10, .5, 2026-01-01]",
    );
    let shown: Vec<String> = node
        .items()
        .iter()
        .map(|item| match &item.value {
            Value::String(text) => format!("'{text}'"),
            Value::Number(number) => number.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        shown.join(" "),
        "'no' 'yes' 'on' 'off' 1000 10 8 16 '1_000' '12:30' '1' '1' 3.1 0.5 '2026-01-01'"
    );
}

#[test]
fn what_readers_of_yaml_take_differently_is_refused_with_its_place() {
    for (text, says) in [
        (
            "a: 1\nb: 2\na: 3\n",
            "3:1: the key `a` stands here again; first on line 1",
        ),
        ("x: &x {a: 1}\ny:\n  <<: *x\n", "merge keys"),
        ("a: 1\n---\nb: 2\n", "a second YAML document"),
        ("a: &x [*x]\n", "within what it names"),
        ("a: *nobody\n", "1:4"),
        ("? [a, b]\n: 1\n", "a key is a collection"),
        ("a: !thing 1\n", "tag"),
        ("a: .inf\n", "a number that JSON does not have"),
        ("a: [1\n", "no YAML"),
        ("a:\n\tb: 1\n", "no YAML"),
        ("", "empty"),
        ("{\"a\": 1, \"a\": 2}", "a key twice"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.contains(says), "{text:?}: {error}");
    }
}

#[test]
fn aliases_cannot_grow_past_the_limit() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (from, to) in ["a", "b", "c", "d", "e", "f", "g", "h"]
        .iter()
        .zip(["b", "c", "d", "e", "f", "g", "h", "i"])
    {
        text.push_str(&format!(
            "{to}: &{to} [{}]\n",
            vec![format!("*{from}"); 9].join(", ")
        ));
    }
    let error = parse(&text).expect_err("it is refused");
    assert!(error.contains("more than"), "{error}");
    let nested = format!("a: &a {}\nb: *a\n", "[".repeat(40) + &"]".repeat(40));
    assert!(parse(&nested).is_ok());
    assert!(parse(&"[".repeat(5_000)).is_err());
    assert!(parse(&format!("a: {}", "[".repeat(5_000))).is_err());
    assert!(
        parse_in(
            "a: 1",
            &Limits {
                document_bytes: 3,
                ..Limits::default()
            }
        )
        .is_err()
    );
}

#[test]
fn nesting_through_aliases_is_bounded() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for at in 1..400 {
        text.push_str(&format!("a{at}: &a{at} [*a{}]\n", at - 1));
    }
    let error = parse(&text).expect_err("it is refused");
    assert!(error.contains("nested too deep"), "{error}");
}

#[test]
fn places_are_lines_and_columns_in_characters() {
    let node = good("{\n  \"é\": {\"b\": 7}\n}");
    let b = node.get("é").unwrap().get("b").unwrap();
    assert_eq!((b.mark.line, b.mark.column), (2, 14));
    let node = good("é:\n  - b: 7\n");
    let b = At::root(&node).follow("/é/0/b").unwrap();
    assert_eq!((b.node.mark.line, b.node.mark.column), (2, 8));
    assert_eq!(b.pointer, "/é/0/b");
}

proptest! {
    #[test]
    fn no_text_is_a_panic(text in "[\\[\\]{}:,\"'&*!|>?%@`#a-c0-9.\\- \t\n~<]{0,40}") {
        drop(parse(&text));
    }

    #[test]
    fn no_lines_are_a_panic(lines in proptest::collection::vec("( {0,4})(- |\\? |: |[a-b]: ?|&a |\\*a|!!?[a-z]*|\\|[-+]?|>|\"[^\"]{0,3}\"?|'|#|---|\\.\\.\\.|[\\[\\]{},])?[a-z0-9é\u{feff}\u{85}\u{2028}]{0,3}", 0..10)) {
        drop(parse(&lines.join("\n")));
    }
}
