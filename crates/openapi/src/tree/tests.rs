use proptest::prelude::*;

use super::*;

fn shown(tree: &Tree<'_>, at: u32) -> serde_json::Value {
    match tree.kind(at) {
        Kind::Null => serde_json::Value::Null,
        Kind::True => true.into(),
        Kind::False => false.into(),
        Kind::String => tree.text(at).into(),
        Kind::Number => serde_json::from_str(tree.text(at)).unwrap(),
        Kind::Array => tree.items(at).map(|item| shown(tree, item)).collect(),
        Kind::Object => tree
            .members(at)
            .map(|(key, value)| (tree.text(key).to_owned(), shown(tree, value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

fn of(bytes: &[u8]) -> Result<serde_json::Value, ReadError> {
    let mut arena = Arena::default();
    let text = read(&mut arena, bytes, 64, 10_000)?;
    Ok(shown(&arena.tree(text), Tree::ROOT))
}

fn fault(bytes: &[u8]) -> Fault {
    of(bytes).expect_err("it is refused").fault
}

#[test]
fn what_two_readers_could_take_differently_is_refused() {
    for text in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"k0":0,"k1":0,"k2":0,"k3":0,"k4":0,"k5":0,"k6":0,"k7":0,"k8":0,"k9":0,"ka":0,"kb":0,"kc":0,"k0":1}"#,
    ] {
        assert_eq!(fault(text.as_bytes()), Fault::Repeated, "{text}");
    }
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "[1 2]",
        "{'a':1}",
        "{a:1}",
        "nul",
        "True",
        "NaN",
        "Infinity",
        "-",
        "01",
        "1.",
        ".1",
        "+1",
        "1e",
        "0x10",
        "\"\n\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "1 2",
        "// c\n1",
        "\u{feff}1",
        "[1e99999]",
        "\"a",
        "\"a\\",
        "[",
        "[1",
        "{\"a\"",
        "{\"a\":",
        "\u{a0}1",
    ] {
        assert_eq!(fault(text.as_bytes()), Fault::Syntax, "{text:?}");
    }
    assert_eq!(fault(b"\"\xff\""), Fault::Syntax);
    assert_eq!(fault(b"\"\xed\xa0\x80\""), Fault::Syntax);
}

#[test]
fn limits_are_refusals() {
    assert_eq!(fault("[".repeat(100_000).as_bytes()), Fault::Limit);
    assert_eq!(
        fault(format!("[{}0]", "0,".repeat(20_000)).as_bytes()),
        Fault::Limit
    );
    assert_eq!(fault("9".repeat(5_000).as_bytes()), Fault::Limit);
}

#[test]
fn escapes_are_what_they_stand_for() {
    assert_eq!(
        of(br#""a\u00e9\ud83d\ude00\/\n\"z""#).unwrap(),
        "aé😀/\n\"z"
    );
    assert_eq!(of(br#"{"\u0061b":["x",{}]}"#).unwrap()["ab"][0], "x");
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 64, 20, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::hash_map("\\PC{0,5}", inner, 0..18)
                .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn what_another_writer_writes_is_read_as_it_was(value in values()) {
        prop_assert_eq!(&of(value.to_string().as_bytes()).unwrap(), &value);
        prop_assert_eq!(of(serde_json::to_string_pretty(&value).unwrap().as_bytes()).unwrap(), value);
    }

    #[test]
    fn what_is_taken_another_reader_takes_too(text in "[\\[\\]{}:,\"\\\\u0dDeE1.+\\-ntrufalse \n]{0,24}") {
        if let Ok(value) = of(text.as_bytes()) {
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn no_bytes_are_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        drop(of(&bytes));
    }
}

#[test]
fn strings_end_where_they_end_whatever_their_length() {
    for length in 0..40 {
        let clean = "k".repeat(length);
        assert_eq!(
            of(format!("\"{clean}\"").as_bytes()).unwrap(),
            clean.as_str()
        );
        for (inner, expected) in [
            ("\\n", "\n"),
            ("\\\"", "\""),
            ("\u{fc}\u{10ffff}", "\u{fc}\u{10ffff}"),
        ] {
            let text = format!("\"{clean}{inner}{clean}\"");
            assert_eq!(
                of(text.as_bytes()).unwrap(),
                format!("{clean}{expected}{clean}")
            );
        }
        for control in ["\n", "\0", "\u{1f}"] {
            let text = format!("\"{clean}{control}{clean}\"");
            assert_eq!(fault(text.as_bytes()), Fault::Syntax, "{text:?}");
        }
        assert_eq!(fault(format!("\"{clean}").as_bytes()), Fault::Syntax);
    }
}

#[test]
fn keys_are_told_apart_whatever_they_share() {
    // The same length, the same ends; the same length and other ends; one within the other.
    let keys = [
        "abcdefghXijklmnop",
        "abcdefghYijklmnop",
        "abcdefgh",
        "abcdefg",
        "a",
        "",
        "hgfedcba",
    ];
    for first in keys {
        for second in keys {
            let read = of(format!("{{\"{first}\":1,\"z\":2,\"{second}\":3}}").as_bytes());
            assert_eq!(read.is_err(), first == second, "{first} {second}");
        }
    }
}
