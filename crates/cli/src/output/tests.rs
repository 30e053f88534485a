use super::*;

#[test]
fn terminals_get_no_control_characters_from_outside() {
    assert_eq!(
        clean("a\u{1b}[2Jb\u{202e}c\td\ne"),
        "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\ne"
    );
}

#[test]
fn envelope_keeps_its_own_schema() {
    let value = serde_json::json!({ "schema": "forged", "x": 1 });
    assert_eq!(envelope("rampart.x.v1", &value)["schema"], "rampart.x.v1");
    assert_eq!(
        envelope("rampart.x.v1", &[1, 2])["value"],
        serde_json::json!([1, 2])
    );
}

#[test]
fn table_cells_stay_on_their_line() {
    let mut table = Table::new(&["name", "count"]).right(&[1]);
    table.row(["one\ntwo".to_owned(), "7".to_owned()]);
    table.row(["x".to_owned(), "1234".to_owned()]);
    insta::assert_snapshot!(table.render("empty"));
    assert_eq!(Table::new(&["a"]).render("nobody"), "nobody\n");
}
