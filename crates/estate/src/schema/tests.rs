use super::*;
use crate::Estate;

/// Every field, with the path of keys that leads to it.
fn fields(
    table: &'static Table,
    prefix: &str,
    each: &mut impl FnMut(&str, &'static crate::fields::Field),
) {
    for field in table.fields {
        let key = format!("{prefix}.{}", field.key);
        each(&key, field);
        match &field.kind {
            Kind::Table(of) | Kind::Tables { of, .. } => fields(of, &key, each),
            Kind::Either {
                nested: Kind::Table(of),
                ..
            } => fields(of, &key, each),
            _ => {}
        }
    }
}

#[test]
fn every_default_is_of_its_own_kind() {
    fields(
        &ROOT,
        "",
        &mut |key, field| match (field.default, &field.kind) {
            (Default::Text(text), kind) => {
                assert!(kind.is_text(), "{key}");
                assert!(kind.check_text(text).is_ok(), "{key}");
            }
            (Default::Bool(_), kind) => assert!(matches!(kind, Kind::Bool), "{key}"),
            (Default::Count(count), Kind::Count { min, max }) => {
                assert!((*min..=*max).contains(&count), "{key}");
            }
            (Default::Count(count), Kind::Cost) => {
                assert!((1..=COST_MAX).contains(&count), "{key}");
            }
            (Default::Count(_), _) => panic!("{key}"),
            (Default::List(list), Kind::List { of, .. }) => {
                assert!(list.iter().all(|text| of.check_text(text).is_ok()), "{key}");
            }
            (Default::List(_), _) => panic!("{key}"),
            (Default::Required | Default::Absent | Default::Derived(_), _) => {}
        },
    );
}

#[test]
fn every_bound_of_a_field_is_a_quantity() {
    fields(&ROOT, "", &mut |key, field| {
        if let Kind::Duration { min, max } | Kind::Size { min, max } = field.kind {
            assert!(field.kind.check_text(min).is_ok(), "{key}");
            assert!(field.kind.check_text(max).is_ok(), "{key}");
        }
    });
}

#[test]
fn every_field_is_described_in_one_sentence() {
    fields(&ROOT, "", &mut |key, field| {
        assert!(field.doc.ends_with('.'), "{key}");
        assert!(field.doc.len() > 8, "{key}");
    });
}

#[test]
fn schema_names_every_key_and_nothing_else() {
    let schema = schema();
    assert_eq!(schema["additionalProperties"], false);
    let route = &schema["properties"]["route"]["items"];
    assert_eq!(route["required"], json!(["path", "to"]));
    assert_eq!(route["additionalProperties"], false);
    assert_eq!(route["properties"]["security_headers"]["default"], true);
    assert_eq!(
        schema["properties"]["limits"]["properties"]["body_max"]["default"],
        "10MiB"
    );
    let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), ROOT.fields.len());
}

#[test]
fn reference_page_has_every_field() {
    let page = reference_markdown();
    fields(&ROOT, "", &mut |key, field| {
        assert!(
            page.contains(&format!("{}`", field.key)) || page.contains(&format!("[{}]", field.key)),
            "{key}"
        );
    });
    insta::assert_snapshot!(page);
}

#[test]
fn written_defaults_change_nothing() {
    let base = "[estate]\nname = \"acme\"\ndomain = \"shop.example\"\n";
    let mut written = base.to_owned();
    for root in ROOT.fields {
        let Kind::Table(table) = root.kind else {
            continue;
        };
        // A table that needs something cannot be written with defaults alone.
        let needs = |field: &crate::fields::Field| matches!(field.default, Default::Required);
        if table.fields.iter().any(needs) {
            continue;
        }
        written.push_str(&format!("[{}]\n", root.key));
        for field in table.fields {
            let text = default(field.default);
            if let Some(toml) = text
                .strip_prefix('`')
                .and_then(|text| text.strip_suffix('`'))
                && !matches!(field.default, Default::Derived(_))
            {
                written.push_str(&format!("{} = {toml}\n", field.key));
            }
        }
    }
    assert_eq!(
        Estate::parse(base).unwrap().estate,
        Estate::parse(&written).unwrap().estate,
        "{written}"
    );
}
