use proptest::prelude::*;

use super::{Dialect, Limits, Node, Value, json, toml, yaml};

/// A tree as JSON, whatever it was read from; what is not quoted stands as it was written.
fn shown(node: &Node<'_>) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Plain(text) | Value::Number(text) => text.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|m| format!("{:?}:{}", m.key, shown(&m.value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

#[test]
fn the_three_syntaxes_become_the_same_tree() {
    let limits = Limits::ADVISORIES;
    let a = json(
        b"{\"a\": [1, \"x\\u00e9\\ud83d\\ude00\", true], \"b\": {\"c\": null}}",
        Dialect::Strict,
        &limits,
    );
    let b = yaml("a: [1, 'xé😀', true]\nb:\n  c: ~\n".as_bytes(), &limits);
    assert_eq!(shown(&a.unwrap()), shown(&b.unwrap()));
    let c = toml(
        "a = [1, \"xé\", true]\n[b]\nc = \"d\"\n[[e]]\nf = 1\n[[e]]\n".as_bytes(),
        &limits,
    );
    assert_eq!(
        shown(&c.unwrap()),
        "{\"a\":[1,\"xé\",true],\"b\":{\"c\":\"d\"},\"e\":[{\"f\":1},{}]}"
    );
}

#[test]
fn versions_that_look_like_numbers_stay_as_they_are_written() {
    let limits = Limits::ADVISORIES;
    let node = yaml(b"a: 1.10\nb: 1e3\nc: '1.0'\nd: 0x1\n", &limits).unwrap();
    for (key, text) in [("a", "1.10"), ("b", "1e3"), ("c", "1.0"), ("d", "0x1")] {
        assert_eq!(node.text_of(key), Some(text));
    }
}

#[test]
fn a_byte_order_mark_and_other_ends_of_lines_are_taken() {
    let limits = Limits::ADVISORIES;
    let text = "\u{feff}{\r\n\"a\":\r\n1}".as_bytes();
    let node = json(text, Dialect::Strict, &limits).unwrap();
    assert_eq!(node.get("a").unwrap().line, 3);
    assert!(json(b"{\"a\": \xff}", Dialect::Strict, &limits).is_err());
}

proptest! {
    /// What serde_json writes, and what of it is damaged, is taken as serde_json takes it.
    #[test]
    fn json_is_taken_as_serde_json_takes_it(text in "[\\[\\]{}:,\"\\\\ntrue0-9eE+.a-c \n\t/*u\u{e9}]{0,24}") {
        let ours = json(text.as_bytes(), Dialect::Strict, &Limits::ADVISORIES);
        let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
        // A key that comes twice is the one thing that it takes and we do not; numbers beyond its
        // own are what we take and it does not.
        let twice = ours.as_ref().is_err_and(|error| error.to_string().contains("again"));
        let range = theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
        if !twice && !range {
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}", text);
        }
    }

    #[test]
    fn what_serde_json_writes_is_read_the_same(
        keys in proptest::collection::btree_map(".{0,6}", ".{0,12}", 0..12)
    ) {
        let text = serde_json::to_string(&keys).unwrap();
        let node = json(text.as_bytes(), Dialect::Strict, &Limits::ADVISORIES).unwrap();
        let read: std::collections::BTreeMap<String, String> = node
            .members()
            .iter()
            .map(|member| (member.key.to_string(), member.value.text().unwrap().to_owned()))
            .collect();
        prop_assert_eq!(read, keys);
    }
}
