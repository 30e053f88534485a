//! Steps run once, in order, after a copy, and never on what they do not know.

use super::{Fixture, NOTES, on_both};
use crate::*;

on_both! {
    opening_twice_changes_nothing
    a_newer_database_is_refused
    an_edited_step_is_refused
    a_failed_step_leaves_the_old_schema_and_a_copy
    two_starts_at_once_migrate_once
}

const MORE: Migrations = Migrations {
    part: "notes",
    steps: &[
        NOTES.steps[0],
        Step {
            name: "0002_tag",
            sql: "CREATE TABLE tag (name TEXT PRIMARY KEY)",
        },
    ],
};

const BROKEN: Migrations = Migrations {
    part: "notes",
    steps: &[
        NOTES.steps[0],
        Step {
            name: "0002_tag",
            sql: "CREATE TABLE tag (name TEXT PRIMARY KEY); NONSENSE",
        },
    ],
};

const EDITED: Migrations = Migrations {
    part: "notes",
    steps: &[Step {
        name: "0001_note",
        sql: "CREATE TABLE note (id INTEGER PRIMARY KEY)",
    }],
};

async fn opening_twice_changes_nothing(fixture: Fixture) {
    fixture.open(&[NOTES]).await.unwrap().close().await;
    fixture.open(&[NOTES]).await.unwrap().close().await;
    assert!(
        !fixture.folder.path().join("backups").exists(),
        "nothing to copy before"
    );
    fixture.open(&[MORE]).await.unwrap().close().await;
    let copies = std::fs::read_dir(fixture.folder.path().join("backups"))
        .unwrap()
        .count();
    assert_eq!(copies, 1);
}

async fn a_newer_database_is_refused(fixture: Fixture) {
    fixture.open(&[MORE]).await.unwrap().close().await;
    let error = fixture.open(&[NOTES]).await.unwrap_err();
    assert!(
        matches!(&error, Error::Newer { step, .. } if step == "0002_tag"),
        "{error:?}"
    );
}

async fn an_edited_step_is_refused(fixture: Fixture) {
    fixture.open(&[NOTES]).await.unwrap().close().await;
    let error = fixture.open(&[EDITED]).await.unwrap_err();
    assert!(
        matches!(&error, Error::Edited { step, .. } if step == "0001_note"),
        "{error:?}"
    );
}

async fn a_failed_step_leaves_the_old_schema_and_a_copy(fixture: Fixture) {
    fixture.open(&[NOTES]).await.unwrap().close().await;
    let error = fixture.open(&[BROKEN]).await.unwrap_err();
    assert!(matches!(error, Error::Migrate { .. }), "{error:?}");
    let store = fixture.open(&[NOTES]).await.unwrap();
    assert!(
        store.query("SELECT name FROM tag", &[]).await.is_err(),
        "nothing of the step stays"
    );
    let copies = std::fs::read_dir(fixture.folder.path().join("backups"))
        .unwrap()
        .count();
    assert_eq!(copies, 1);
}

async fn two_starts_at_once_migrate_once(fixture: Fixture) {
    let opens = (0..4).map(|_| fixture.open(&[NOTES]));
    let mut stores = Vec::new();
    for opened in futures_util::future::join_all(opens).await {
        stores.push(opened.unwrap());
    }
    let sql = "SELECT step FROM schema_step WHERE part = $1";
    assert_eq!(
        stores[0].query(sql, &["notes".into()]).await.unwrap().len(),
        1
    );
}
