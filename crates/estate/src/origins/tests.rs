use super::*;

#[test]
fn written_values_have_their_line_and_others_their_default() {
    let source = include_str!("../../testdata/good/acme.toml");
    let origins = origins(source).unwrap();
    let of = |key: &str| origins.iter().find(|origin| origin.key == key).unwrap();
    let written = of("gateway.staleness_max");
    assert_eq!(written.value, "\"2h\"");
    let Place::File { line, column } = written.place else {
        panic!("it is written")
    };
    assert_eq!(
        source.lines().nth(line - 1).unwrap(),
        "staleness_max = \"2h\""
    );
    assert_eq!(column, 1);
    assert_eq!(of("gateway.drain").place, Place::Default);
}

#[test]
fn nested_and_listed_values_are_one_line_of_toml() {
    let source = include_str!("../../testdata/good/acme.toml");
    let origins = origins(source).unwrap();
    let of = |key: &str| origins.iter().find(|origin| origin.key == key).unwrap();
    assert_eq!(of("route.orders.mode").value, "{ inspect = \"observe\" }");
    assert_eq!(of("service.orders.hosts").value, "[\"api-1\", \"api-2\"]");
    assert_eq!(of("route.orders.limits.body_max").value, "\"64KiB\"");
    assert!(origins.iter().all(|origin| !origin.value.contains('\n')));
}

#[test]
fn invalid_estate_has_no_origins() {
    assert!(origins("[estate]").is_err());
}
