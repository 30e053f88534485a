use proptest::prelude::*;

use super::*;

fn at(text: &str) -> FieldPath {
    parse(text).unwrap().at
}

#[test]
fn fields_are_written_as_json_paths_or_as_names_of_a_form() {
    let member = |name: &str| JsonStep::Member(name.to_owned());
    assert_eq!(at("$.comment"), FieldPath::Json(vec![member("comment")]));
    let items = vec![member("items"), JsonStep::Every, member("a title")];
    assert_eq!(at("$.items[*]['a title']"), FieldPath::Json(items.clone()));
    assert_eq!(at("$[\"items\"].*[\"a title\"]"), FieldPath::Json(items));
    assert_eq!(at("$[3]"), FieldPath::Json(vec![JsonStep::Item(3)]));
    assert_eq!(at("$"), FieldPath::Json(Vec::new()));
    assert_eq!(at("comment"), FieldPath::Form("comment".to_owned()));
    assert_eq!(parse("$.a as text").unwrap().keep, Keep::Text);
    assert_eq!(parse("comment as html").unwrap().keep, Keep::Html);
    assert_eq!(parse("$.a").unwrap().keep, Keep::Html);
}

#[test]
fn what_is_no_field_says_why() {
    for (text, why) in [
        ("$..comment", "`..` is not supported"),
        ("$.", "plain name"),
        ("$.a b", "plain name"),
        ("$.a[", "`]` is missing"),
        ("$.a['b", "not closed"),
        ("$.a['b'", "`]` is missing"),
        ("$.a[-1]", "between brackets"),
        ("$.a[?@.b]", "between brackets"),
        ("$.a[1:2]", "between brackets"),
        ("$a", "a step is"),
        ("", "begins with `$`"),
        ("a&b", "begins with `$`"),
        ("$.a as markdown", "`as text` or `as html`"),
    ] {
        let wrong = parse(text).unwrap_err();
        assert!(wrong.message.contains(why), "{text}: {}", wrong.message);
        assert!(wrong.hint.is_some());
    }
    let deep = format!("${}", ".a".repeat(STEPS_MAX + 1));
    assert!(parse(&deep).unwrap_err().message.contains("16 steps"));
}

proptest! {
    #[test]
    fn a_field_reads_as_it_is_written(text in "\\$(\\.[a-z_]{1,4}|\\[[0-9]{1,3}\\]|\\[\\*\\]|\\['[a-z .]{0,4}'\\]){0,6}( as text| as html)?") {
        let field = parse(&text).unwrap();
        prop_assert_eq!(parse(&field.to_string()).unwrap(), field);
    }

    #[test]
    fn no_text_is_too_much(text in "\\PC{0,40}") {
        if let Ok(field) = parse(&text) {
            prop_assert_eq!(parse(&field.to_string()).unwrap(), field);
        }
    }
}
