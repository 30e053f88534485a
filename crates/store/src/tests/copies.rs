//! The copy before a migration: whole, private, bounded, and never with the password in sight.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Fixture, NOTES, on_both, sqlite};
use crate::dump::{self, Dumped, without_password};
use crate::*;

on_both! {
    a_copy_holds_the_data_from_before_and_is_private
    old_copies_go_and_other_files_stay
}

/// The notes with so many more steps.
const STEPS: [Step; 4] = [
    NOTES.steps[0],
    Step {
        name: "0002_tag",
        sql: "CREATE TABLE tag (name TEXT PRIMARY KEY)",
    },
    Step {
        name: "0003_drop",
        sql: "DELETE FROM note",
    },
    Step {
        name: "0004_more",
        sql: "CREATE TABLE more (name TEXT PRIMARY KEY)",
    },
];

fn upto(steps: &'static [Step]) -> Migrations {
    Migrations {
        part: "notes",
        steps,
    }
}

fn copies(fixture: &Fixture) -> Vec<PathBuf> {
    let folder = fixture.folder.path().join("backups");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.sort();
    all
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn a_copy_holds_the_data_from_before_and_is_private(fixture: Fixture) {
    let store = fixture.open(&[upto(&STEPS[..1])]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let sql = "INSERT INTO note (id, title) VALUES (1, 'kept in the copy')";
    tx.execute(sql, &[]).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let store = fixture.open(&[upto(&STEPS[..3])]).await.unwrap();
    let rows = store.query("SELECT id FROM note", &[]).await.unwrap();
    assert_eq!(rows.len(), 0, "the step deleted it");
    let copies = copies(&fixture);
    assert_eq!(copies.len(), 1);
    assert_eq!(mode(&copies[0]), 0o600);
    assert_eq!(mode(copies[0].parent().unwrap()), 0o700);
    let bytes = std::fs::read(&copies[0]).unwrap();
    let kept = b"kept in the copy";
    assert!(bytes.windows(kept.len()).any(|window| window == kept));
}

async fn old_copies_go_and_other_files_stay(fixture: Fixture) {
    let folder = fixture.folder.path().join("backups");
    std::fs::create_dir_all(&folder).unwrap();
    for number in 10..40 {
        let name = format!("before-migration-2020-01-01T00-00-{number}-000Z.db");
        atomic_write(&folder.join(name), b"old", 0o600).unwrap();
    }
    atomic_write(&folder.join("mine.db"), b"mine", 0o600).unwrap();
    fixture
        .open(&[upto(&STEPS[..1])])
        .await
        .unwrap()
        .close()
        .await;
    fixture.clock.advance(Duration::from_secs(60));
    fixture.open(&[upto(&STEPS)]).await.unwrap().close().await;
    let left = copies(&fixture);
    assert_eq!(left.len(), 21, "20 copies and the file of somebody else");
    assert!(folder.join("mine.db").exists());
    let names: Vec<_> = left.iter().map(|path| path.display().to_string()).collect();
    assert!(names[0].contains("00-00-21-000Z"), "{}", names[0]);
}

#[tokio::test]
async fn a_copy_that_cannot_be_made_stops_the_migration() {
    let fixture = sqlite();
    fixture
        .open(&[upto(&STEPS[..1])])
        .await
        .unwrap()
        .close()
        .await;
    atomic_write(&fixture.folder.path().join("backups"), b"a file", 0o600).unwrap();
    let error = fixture.open(&[upto(&STEPS)]).await.unwrap_err();
    assert!(matches!(error, Error::Backup { .. }), "{error:?}");
    let store = fixture.open(&[upto(&STEPS[..1])]).await.unwrap();
    assert!(store.query("SELECT name FROM tag", &[]).await.is_err());
}

#[tokio::test]
async fn without_pg_dump_nothing_is_migrated_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("copy.sql");
    let program = folder.path().join("no-pg_dump");
    let dump = |without| dump::postgres(&program, "postgres://u@h/d", &target, without);
    let error = dump(WithoutBackup::Refuse).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("pg_dump cannot be run") && text.contains("--migrate-without-backup"),
        "{text}"
    );
    let went_on = dump(WithoutBackup::Migrate).await.unwrap();
    assert_eq!(went_on, Dumped::Nothing);
}

#[test]
fn the_password_never_reaches_the_command_line() {
    for (address, bare, password) in [
        ("postgres://u:p%40w@h:5/d", "postgres://u@h:5/d", "p@w"),
        (
            "postgresql://u@h/d?sslmode=require",
            "postgresql://u@h/d?sslmode=require",
            "",
        ),
        (
            "postgres://h/d?password=s%20s&host=/run",
            "postgres://h/d?host=/run",
            "s s",
        ),
        ("postgres://u:p@h", "postgres://u@h", "p"),
        ("postgres:///d?host=/a@b", "postgres:///d?host=/a@b", ""),
        (
            "postgres://u:%zz@h/d?password=last",
            "postgres://u@h/d",
            "last",
        ),
    ] {
        let (without, secret) = without_password(address);
        assert_eq!(
            (without.as_str(), secret.expose().as_str()),
            (bare, password)
        );
    }
}
