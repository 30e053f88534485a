use estate::Estate;
use proptest::prelude::*;

use super::*;

fn cleaner(fields: &str) -> Arc<Cleaner> {
    let source = format!(
        "[estate]\nname = \"t\"\ndomain = \"t.example\"\n[[service]]\nname = \"s\"\n\
         address = \"127.0.0.1:1\"\n[[route]]\npath = \"/**\"\nto = \"s\"\nauth = \"none\"\n\
         sanitize = [{fields}]\n"
    );
    let parsed = Estate::parse(&source).unwrap();
    Cleaner::of(&parsed.estate.routes[0]).unwrap()
}

fn cleaned(fields: &str, kind: &BodyKind, body: &str) -> String {
    match cleaner(fields).clean(kind, body.as_bytes()).unwrap() {
        Cleaned::Same => body.to_owned(),
        Cleaned::Changed(new, _) => String::from_utf8(new).unwrap(),
    }
}

fn json(fields: &str, body: &str) -> String {
    cleaned(fields, &BodyKind::Json, body)
}

#[test]
fn only_the_named_strings_change_and_all_else_stays_byte_for_byte() {
    let body = "{ \"n\" : 1.50e+2,\r\n\t\"comment\":\"\\u003cscript>x</script>h\\u00e9\",  \
                \"other\":\"<script>\\u00e9\\/\", \"list\" : [ { \"comment\" : \"<b>b</b>\" } ] }";
    let expected = "{ \"n\" : 1.50e+2,\r\n\t\"comment\":\"hé\",  \
                    \"other\":\"<script>\\u00e9\\/\", \"list\" : [ { \"comment\" : \"<b>b</b>\" } ] }";
    assert_eq!(json("\"$.comment\"", body), expected);
    let body = r#"{"a":"\u0041\/"}"#;
    assert_eq!(
        json("\"$.a\"", body),
        body,
        "what is clean is not rewritten"
    );
}

#[test]
fn paths_lead_through_members_items_and_wildcards() {
    let body = r#"{"items":[{"t":"<i>1</i>"},{"t":"<i>2</i>","u":"<i>"}],"t":"<i>3</i>"}"#;
    for (fields, expected) in [
        (
            "\"$.items[*].t as text\"",
            r#"{"items":[{"t":"1"},{"t":"2","u":"<i>"}],"t":"<i>3</i>"}"#,
        ),
        (
            "\"$.items[1].t as text\"",
            r#"{"items":[{"t":"<i>1</i>"},{"t":"2","u":"<i>"}],"t":"<i>3</i>"}"#,
        ),
        (
            "\"$.items[*].* as text\"",
            r#"{"items":[{"t":"1"},{"t":"2","u":""}],"t":"<i>3</i>"}"#,
        ),
        (
            "\"$.t as text\"",
            r#"{"items":[{"t":"<i>1</i>"},{"t":"<i>2</i>","u":"<i>"}],"t":"3"}"#,
        ),
    ] {
        assert_eq!(json(fields, body), expected, "{fields}");
    }
    assert_eq!(json("\"$ as text\"", "\"<b>x\""), "\"x\"");
    assert_eq!(
        json("\"$[*] as text\"", "[\"<b>x\", 1, [\"<b>\"]]"),
        "[\"x\", 1, [\"<b>\"]]"
    );
    let named = r#"{"\u0061 b":"<b>x"}"#;
    assert_eq!(json("\"$['a b'] as text\"", named), r#"{"\u0061 b":"x"}"#);
}

#[test]
fn the_stricter_of_two_rules_counts() {
    let fields = "\"$.a[*]\", \"$.a[0] as text\"";
    assert_eq!(
        json(fields, r#"{"a":["<b>x</b>","<b>x</b>"]}"#),
        r#"{"a":["x","<b>x</b>"]}"#
    );
}

#[test]
fn harmless_markup_stays_and_the_rest_goes() {
    for (dirty, clean) in [
        ("<b>bold</b>", "<b>bold</b>"),
        ("<img src=x onerror=alert(1)>", "<img src=\"x\">"),
        (
            "<a href=\"javascript:alert(1)\">x</a>",
            "<a rel=\"noopener noreferrer\">x</a>",
        ),
        ("<svg onload=alert(1)>", ""),
        ("<scr<script>ipt>alert(1)</script>", "ipt&gt;alert(1)"),
        ("a\u{0}<\u{0}script>b", "a"),
        ("e\u{301}\r\n\u{9}\u{85}", "é\n\t"),
        ("plain, with it's \"quotes\"", "plain, with it's \"quotes\""),
    ] {
        let cleaner = cleaner("\"$\"");
        let text = cleaner.text.clean(Keep::Html, dirty);
        assert_eq!(text.as_deref().unwrap_or(dirty), clean, "{dirty}");
    }
}

#[test]
fn text_keeps_everything_but_tags() {
    for (dirty, clean) in [
        ("<b>bold</b> & <i>it</i>", "bold & it"),
        ("3 < 4 > 2 && <3", "3 < 4 > 2 && <3"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        (
            "<<b>script>alert(1)<<b>/script>",
            "< script>alert(1)< /script>",
        ),
        ("<!-- x -->y<?php z ?>", "y"),
        ("open <a href='", "open "),
        ("<\u{1}script>x", "x"),
    ] {
        let cleaner = cleaner("\"$ as text\"");
        let text = cleaner.text.clean(Keep::Text, dirty);
        assert_eq!(text.as_deref().unwrap_or(dirty), clean, "{dirty}");
    }
}

#[test]
fn fields_of_forms_are_cleaned_where_they_stand() {
    let body = "a=%3Cb%3E&comment=%3Cscript%3Ex%3C%2Fscript%3Eit%27s+%26+100%25&comment=&b=%7e";
    let expected = "a=%3Cb%3E&comment=it%27s+%26amp%3B+100%25&comment=&b=%7e";
    assert_eq!(cleaned("\"comment\"", &BodyKind::Form, body), expected);
    let boundary = "xYz".to_owned();
    let part = |name: &str, more: &str, content: &str| {
        format!(
            "--xYz\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{content}\r\n"
        )
    };
    let whole = |text: &str| {
        let file = part("comment", "; filename=\"a.html\"", "<script>");
        format!(
            "{}{file}{}--xYz--\r\n",
            part("comment", "", text),
            part("b", "", "<b>")
        )
    };
    let kind = BodyKind::Multipart { boundary };
    let new = cleaned("\"comment as text\"", &kind, &whole("<b>x</b>\r\n--xY"));
    assert_eq!(new, whole("x\n--xY"));
}

#[test]
fn body_that_no_rule_is_about_is_not_passed_on() {
    let cleaner = cleaner("\"$.comment\"");
    for kind in [BodyKind::Form, BodyKind::Text, BodyKind::Opaque] {
        assert_eq!(cleaner.clean(&kind, b"comment=x"), Err(Unclean::MediaType));
    }
    for body in [
        "{\"comment\":",
        "{\"comment\":\"\\ud800\"}",
        "\u{feff}{}",
        "{} {}",
        "{\"a\":1,}",
    ] {
        let said = cleaner.clean(&BodyKind::Json, body.as_bytes());
        assert_eq!(said, Err(Unclean::Malformed), "{body}");
    }
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    assert_eq!(
        cleaner.clean(&BodyKind::Json, deep.as_bytes()),
        Err(Unclean::Malformed)
    );
    let long = format!("{{\"comment\":\"{}\"}}", "x".repeat(FIELD_BYTES_MAX + 1));
    assert_eq!(
        cleaner.clean(&BodyKind::Json, long.as_bytes()),
        Err(Unclean::TooLong)
    );
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Into::into),
        "[ -~é<>&\\\\\"]{0,12}".prop_map(Into::into),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[ab\\\\\"]{1,2}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// The same paths on a parsed tree, as a reader of their definition would write it.
fn expected(cleaner: &Cleaner, value: &mut serde_json::Value, steps: &[JsonStep]) {
    use serde_json::Value;
    match (steps.split_first(), value) {
        (None, Value::String(text)) => {
            if let Some(new) = cleaner.text.clean(Keep::Text, text) {
                *text = new;
            }
        }
        (Some((step, rest)), Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                if matches!(step, JsonStep::Every)
                    || *step == JsonStep::Item(u32::try_from(index).unwrap())
                {
                    expected(cleaner, item, rest);
                }
            }
        }
        (Some((step, rest)), Value::Object(members)) => {
            for (name, item) in members {
                if matches!(step, JsonStep::Every) || *step == JsonStep::Member(name.clone()) {
                    expected(cleaner, item, rest);
                }
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn splicing_means_the_same_as_changing_the_tree(mut tree in value(), pretty: bool) {
        let cleaner = cleaner("\"$.a[*] as text\", \"$[*].b as text\", \"$[1].a[0] as text\"");
        let body = if pretty { serde_json::to_string_pretty(&tree) } else { serde_json::to_string(&tree) };
        let body = body.unwrap();
        let new = match cleaner.clean(&BodyKind::Json, body.as_bytes()).unwrap() {
            Cleaned::Same => body.clone().into_bytes(),
            Cleaned::Changed(new, count) => { prop_assert!(count > 0); new }
        };
        for (steps, _) in &cleaner.json {
            expected(&cleaner, &mut tree, steps);
        }
        prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&new).unwrap(), tree);
    }

    #[test]
    fn no_tag_is_left_in_text_and_cleaning_twice_changes_nothing(text in "[<>a/!? &;b\u{1}\u{301}]{0,24}") {
        let text_of = Text::new();
        let once = text_of.clean(Keep::Text, &text).unwrap_or_else(|| text.clone());
        let bytes = once.as_bytes();
        for pair in bytes.windows(2) {
            prop_assert!(!(pair[0] == b'<' && (pair[1].is_ascii_alphabetic() || b"/!?".contains(&pair[1]))), "{:?}", once);
        }
        prop_assert_eq!(text_of.clean(Keep::Text, &once), None);
        let html = text_of.clean(Keep::Html, &text).unwrap_or_else(|| text.clone());
        prop_assert_eq!(text_of.clean(Keep::Html, &html), None);
    }

    #[test]
    fn no_bytes_are_too_much(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let cleaner = cleaner("\"$.a\", \"a\"");
        let kinds = [BodyKind::Json, BodyKind::Form, BodyKind::Multipart { boundary: "b".to_owned() }];
        for kind in kinds {
            drop(cleaner.clean(&kind, &body));
        }
    }
}
