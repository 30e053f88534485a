use std::fmt::Write as _;

use super::*;

const OLD: &str = include_str!("../../testdata/good/acme.toml");

fn changes(edit: impl Fn(String) -> String) -> Vec<Change> {
    let parse = |source: &str| Estate::parse(source).unwrap().estate;
    diff(&parse(OLD), &parse(&edit(OLD.to_owned())))
}

fn show(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        writeln!(text, "{:?} {}", change.kind, change.what).unwrap();
        for line in &change.detail {
            writeln!(text, "    {line}").unwrap();
        }
        writeln!(text, "  → {}", change.effect).unwrap();
    }
    text
}

#[test]
fn same_meaning_in_other_words_is_no_change() {
    let changes = changes(|text| format!("# a comment\n{}", text.replace("\"2h\"", "\"120m\"")));
    assert_eq!(changes, []);
}

#[test]
fn who_gets_through_and_what_is_lost_is_said() {
    let changes = changes(|text| {
        text.replace(
            "allow = [\"orders:read\", \"orders:refund\",",
            "allow = [\"orders:view\",",
        )
        .replace("auth = \"none\"", "auth = \"optional\"")
        .replace("mode = { inspect = \"observe\" }\n", "")
        .replace("body_max = \"2MiB\"", "body_max = \"3MiB\"")
    });
    insta::assert_snapshot!(show(&changes));
}

#[test]
fn added_and_removed_entries_say_what_follows() {
    let changes = changes(|text| {
        let (before, _) = text
            .split_once("[[route]]\nhost = \"legacy.example\"")
            .unwrap();
        format!("{before}[[route]]\nhost = \"www\"\npath = \"/new/**\"\nto = \"web\"\nrequire = \"orders:read\"\n")
            .replace("[[client]]\nname = \"app\"", "[[client]]\nname = \"shop\"")
    });
    insta::assert_snapshot!(show(&changes));
}

#[test]
fn body_that_nobody_looks_into_any_more_is_said() {
    let changes =
        changes(|text| text.replacen("auth = \"none\"", "auth = \"none\"\nbody = \"stream\"", 1));
    let text = show(&changes);
    assert!(text.contains("`body`: hold"), "{text}");
    assert!(
        text.contains("bodies are passed on as they come, and not looked into"),
        "{text}"
    );
}
