//! The same texts are loaded once.

use std::sync::Arc;

use super::{Sets, Shelf, check, estate, texts};

#[test]
fn same_texts_are_loaded_once_and_shared() {
    let shelf = Shelf::keeping(1);
    let plain = estate("");
    assert_eq!(check(plain.waf.as_ref().unwrap(), &texts(), &shelf), []);
    let one = Sets::load(&plain, &texts(), &shelf).unwrap();
    let two = Sets::load(&estate("# a comment\n"), &texts(), &shelf).unwrap();
    let of = |sets: &Sets| sets.of(&plain.routes[0]).unwrap();
    assert!(Arc::ptr_eq(&of(&one), &of(&two)));
    assert_eq!(shelf.loads(), 1);
}

#[test]
fn whatever_rules_are_made_of_makes_them_others() {
    let shelf = Shelf::keeping(1);
    let load = |waf: &str, texts: &std::collections::BTreeMap<String, String>| {
        drop(Sets::load(&estate(waf), texts, &shelf).unwrap());
        shelf.loads()
    };
    assert_eq!(load("", &texts()), 1);
    // What does not reach them does not.
    let mut more = texts();
    more.insert("openapi.yaml".to_owned(), "openapi: 3.1.0".to_owned());
    more.insert(
        "crs-of-others/rules/a.conf".to_owned(),
        "SecNothing".to_owned(),
    );
    assert_eq!(
        load(
            "mode = \"observe\"\nbudget = \"1MiB\"\nanswers = false",
            &more
        ),
        1
    );
    let mut data = texts();
    data.insert("crs/rules/words.data".to_owned(), "other\n".to_owned());
    assert_eq!(load("", &data), 2, "a file of data that a rule names");
    assert_eq!(load("paranoia = 2", &texts()), 3, "strictness");
    let except = "[[waf.exclusion]]\nrule = 12\nreason = \"r\"\nuntil = \"2099-01-01\"\n";
    assert_eq!(load(except, &texts()), 4, "an exclusion");
    let mut renamed = texts();
    let text = renamed.remove("crs/rules/a.conf").unwrap();
    renamed.insert("crs/rules/b.conf".to_owned(), text);
    assert_eq!(load("", &renamed), 5, "a name, which findings tell");
}

#[test]
fn shelf_keeps_as_many_as_it_may_and_knows_those_that_are_held() {
    let shelf = Shelf::keeping(0);
    let load = |waf: &str| Sets::load(&estate(waf), &texts(), &shelf).unwrap();
    let held = load("");
    for level in 2..=4 {
        drop(load(&format!("paranoia = {level}")));
    }
    assert_eq!(shelf.loads(), 4);
    drop(load(""));
    assert_eq!(shelf.loads(), 4, "held elsewhere");
    drop(held);
    drop(load(""));
    assert_eq!(shelf.loads(), 5, "nobody holds it");
    // What is to be said about rules needs no rules.
    let plain = estate("");
    assert_eq!(check(plain.waf.as_ref().unwrap(), &texts(), &shelf), []);
    assert_eq!(shelf.loads(), 5);
}

#[test]
fn what_is_said_again_is_said_at_its_new_place() {
    let shelf = Shelf::keeping(0);
    let said = |before: &str| {
        let text = format!(
            "{before}[[waf.exclusion]]\nrule = 4711\nreason = \"r\"\nuntil = \"2099-01-01\"\n"
        );
        let estate = estate(&text);
        let findings = check(estate.waf.as_ref().unwrap(), &texts(), &shelf);
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings[0].span.unwrap()
    };
    let (one, two) = (said(""), said("# further down\n"));
    assert_ne!(one, two);
    assert_eq!(shelf.loads(), 1);
}

#[test]
fn rules_that_cannot_be_loaded_are_never_there() {
    let shelf = Shelf::keeping(1);
    let mut broken = texts();
    broken.insert("crs/rules/a.conf".to_owned(), "SecNothing".to_owned());
    let plain = estate("");
    for _ in 0..2 {
        assert!(Sets::load(&plain, &broken, &shelf).is_err());
        let findings = check(plain.waf.as_ref().unwrap(), &broken, &shelf);
        assert!(findings.iter().any(|one| one.is_error), "{findings:?}");
    }
}
