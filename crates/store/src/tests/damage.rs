//! A disk that is full, a file that is damaged, a server that is away, a writer that does not end:
//! each has an error of its own.

use std::io::{Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use model::ErrorKind;

use super::{NOTES, sqlite};
use crate::*;

const INSERT: &str = "INSERT INTO note (id, title, body) VALUES ($1, $2, $3)";

#[tokio::test]
async fn a_full_database_refuses_keeps_what_it_has_and_heals() {
    let fixture = sqlite();
    let store = fixture.open(&[NOTES]).await.unwrap();
    // SQLite's own limit on pages stands in for a full disk: it gives the same result code.
    limit(&store, "PRAGMA max_page_count = 40").await;
    let big = |id: i64| {
        [
            id.into(),
            id.to_string().into(),
            Value::Blob(vec![7; 50_000]),
        ]
    };
    let mut tx = store.begin().await.unwrap();
    tx.execute(INSERT, &big(1)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let mut filled = Ok(0);
    for id in 2..9 {
        filled = tx.execute(INSERT, &big(id)).await;
        if filled.is_err() {
            break;
        }
    }
    let error = filled.unwrap_err();
    assert!(matches!(error, Error::Full), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    drop(tx);
    let count = "SELECT id FROM note";
    assert_eq!(store.query(count, &[]).await.unwrap().len(), 1);
    // SQLite ended the transaction by itself; the next one must work all the same.
    limit(&store, "PRAGMA max_page_count = 4000").await;
    let mut tx = store.begin().await.unwrap();
    tx.execute(INSERT, &big(2)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.query(count, &[]).await.unwrap().len(), 2);
}

async fn limit(store: &Store, pragma: &str) {
    let mut tx = store.begin().await.unwrap();
    tx.run_text(pragma).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_damaged_and_kept() {
    let fixture = sqlite();
    let path = fixture.folder.path().join("test.db");
    let bytes = b"this is not a database at all\n".repeat(100);
    atomic_write(&path, &bytes, 0o600).unwrap();
    let error = fixture.open(&[NOTES]).await.unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn a_damaged_page_is_an_error_not_an_answer() {
    let fixture = sqlite();
    let store = fixture.open(&[NOTES]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for id in 0..200i64 {
        let row = [id.into(), id.to_string().into(), Value::Blob(vec![1; 500])];
        tx.execute(INSERT, &row).await.unwrap();
    }
    tx.commit().await.unwrap();
    store.close().await;
    let path = fixture.folder.path().join("test.db");
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    // The first two pages stay: header and schema.
    file.seek(std::io::SeekFrom::Start(8192)).unwrap();
    let noise = vec![0xA5; usize::try_from(length - 8192).unwrap()];
    file.write_all(&noise).unwrap();
    let store = match fixture.open(&[NOTES]).await {
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
            return;
        }
        Ok(store) => store,
    };
    let error = store.query("SELECT * FROM note", &[]).await.unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn a_writer_that_does_not_end_makes_the_next_one_busy() {
    let fixture = sqlite();
    let store = fixture.open(&[NOTES]).await.unwrap();
    let held = store.begin().await.unwrap();
    tokio::time::pause();
    let error = store.begin().await.unwrap_err();
    assert!(matches!(error, Error::Busy), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    drop(held);
}

#[tokio::test]
async fn a_server_that_is_away_is_named_without_its_password() {
    let mut fixture = sqlite();
    let address = "postgres://rampart:hunter2@127.0.0.1:1/db";
    fixture.location = address.parse().unwrap();
    let error = fixture.open(&[NOTES]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let all = format!("{error} {error:?} {:?}", fixture.location);
    assert!(all.contains("127.0.0.1:1/db"), "{all}");
    assert!(!all.contains("hunter2"), "{all}");
}

#[tokio::test]
async fn the_database_and_its_log_are_private_even_when_they_were_not() {
    let fixture = sqlite();
    let path = fixture.folder.path().join("test.db");
    fixture.open(&[NOTES]).await.unwrap().close().await;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = fixture.open(&[NOTES]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let row = [1i64.into(), "a".into(), Value::Null];
    tx.execute(INSERT, &row).await.unwrap();
    tx.commit().await.unwrap();
    for entry in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

#[test]
fn only_paths_and_postgres_addresses_name_a_database() {
    let sqlite: Location = "/var/lib/rampart/store/rampart.db".parse().unwrap();
    assert!(matches!(sqlite, Location::Sqlite(_)));
    for scheme in ["postgres", "postgresql"] {
        let location = format!("{scheme}://h/d").parse().unwrap();
        assert!(matches!(location, Location::Postgres(_)));
    }
    let error = "mysql://h/d".parse::<Location>().unwrap_err();
    assert!(error.to_string().contains("`mysql://`"), "{error}");
}
