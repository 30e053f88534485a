//! Reading, writing, transactions, the outbox, leases, sealed columns.

use std::time::Duration;

use keyring::Place;
use model::{Context, ErrorKind, Event, Timestamp};
use testkit::SeededEntropy;

use super::{Fixture, NOTES, on_both};
use crate::*;

on_both! {
    what_was_written_is_read_back_with_its_type
    a_dropped_transaction_leaves_nothing
    broken_constraints_are_named
    concurrent_writers_all_finish_and_none_is_lost
    outbox_keeps_order_and_each_event_once
    a_lease_has_one_holder_until_it_ends
    sealed_columns_open_in_their_row_only
    text_sorts_by_code_point
    wrong_types_are_errors_that_name_the_column
    nul_in_text_is_refused_before_the_database_sees_it
    sums_and_counts_are_integers
    an_old_value_is_kept_or_replaced_on_conflict
    readers_see_what_was_committed_while_a_writer_works
    a_statement_that_fails_rolls_back_with_its_transaction
    nothing_commits_after_a_statement_that_failed
}

const INSERT: &str = "INSERT INTO note (id, title, body, parent) VALUES ($1, $2, $3, $4)";

async fn what_was_written_is_read_back_with_its_type(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let values = [
        1i64.into(),
        "žába".into(),
        Value::Blob(vec![0, 255]),
        Value::Null,
    ];
    assert_eq!(tx.execute(INSERT, &values).await.unwrap(), 1);
    let empty = [i64::MIN.into(), "".into(), Value::Null, Value::Null];
    tx.execute(INSERT, &empty).await.unwrap();
    tx.commit().await.unwrap();
    let rows = store
        .query("SELECT * FROM note ORDER BY id DESC", &[])
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].int("id").unwrap(), 1);
    assert_eq!(rows[0].text("title").unwrap(), "žába");
    assert_eq!(rows[0].blob("body").unwrap(), [0, 255]);
    assert_eq!(rows[0].opt_int("parent").unwrap(), None);
    assert_eq!(rows[1].int("id").unwrap(), i64::MIN);
    assert_eq!(rows[1].opt_blob("body").unwrap(), None);
    let one = store
        .optional("SELECT id FROM note WHERE title = $1", &["none".into()])
        .await;
    assert_eq!(one.unwrap(), None);
}

async fn a_dropped_transaction_leaves_nothing(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let values = [1i64.into(), "a".into(), Value::Null, Value::Null];
    tx.execute(INSERT, &values).await.unwrap();
    drop(tx);
    // The next transaction can begin, and sees nothing of the dropped one.
    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.query("SELECT id FROM note", &[]).await.unwrap(),
        Vec::new()
    );
}

async fn broken_constraints_are_named(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let values = [1i64.into(), "a".into(), Value::Null, Value::Null];
    tx.execute(INSERT, &values).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.begin().await.unwrap();
    let twice = [2i64.into(), "a".into(), Value::Null, Value::Null];
    let error = tx.execute(INSERT, &twice).await.unwrap_err();
    assert_eq!(error.broken_unique(), Some("note.title"));
    assert_eq!(error.kind(), ErrorKind::Conflict);
    drop(tx);

    let mut tx = store.begin().await.unwrap();
    let same_id = [1i64.into(), "z".into(), Value::Null, Value::Null];
    let error = tx.execute(INSERT, &same_id).await.unwrap_err();
    assert_eq!(
        error.broken_unique(),
        Some("note.id"),
        "the primary key too"
    );
    drop(tx);

    let mut tx = store.begin().await.unwrap();
    let tag = "INSERT INTO pair (a, b) VALUES (1, 'x')";
    tx.execute(tag, &[]).await.unwrap();
    let error = tx.execute(tag, &[]).await.unwrap_err();
    assert_eq!(error.broken_unique(), Some("pair.a, pair.b"));
    drop(tx);

    let mut tx = store.begin().await.unwrap();
    let orphan = [3i64.into(), "b".into(), Value::Null, 99i64.into()];
    let error = tx.execute(INSERT, &orphan).await.unwrap_err();
    assert!(
        matches!(error, Error::Constraint { unique: false, .. }),
        "{error:?}"
    );
}

async fn concurrent_writers_all_finish_and_none_is_lost(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let counter = [1i64.into(), "0".into(), Value::Null, Value::Null];
    tx.execute(INSERT, &counter).await.unwrap();
    tx.commit().await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            let mut done = 0;
            while done < 10 {
                match add_one(&store).await {
                    Ok(()) => done += 1,
                    // PostgreSQL lets one of two win; the loser tries again.
                    Err(Error::Busy) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let row = store
        .optional("SELECT title FROM note", &[])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.text("title").unwrap(), "80");
}

async fn add_one(store: &Store) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let row = tx
        .optional("SELECT title FROM note WHERE id = $1", &[1i64.into()])
        .await?
        .unwrap();
    let next = row.text("title")?.parse::<u32>().unwrap() + 1;
    let sql = "UPDATE note SET title = $1 WHERE id = $2";
    tx.execute(sql, &[next.to_string().into(), 1i64.into()])
        .await?;
    tx.commit().await
}

async fn outbox_keeps_order_and_each_event_once(fixture: Fixture) {
    let store = fixture.open(&[]).await.unwrap();
    let entropy = SeededEntropy::new(9);
    let mut events = Vec::new();
    for _ in 0..5 {
        let ctx = Context::system(&fixture.clock, &entropy);
        events.push(Event::change(
            "test.thing.happened",
            &ctx,
            &fixture.clock,
            &entropy,
        ));
        fixture.clock.advance(Duration::from_millis(1));
    }
    let mut tx = store.begin().await.unwrap();
    tx.outbox(&events).await.unwrap();
    tx.outbox(&events[..2]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.outbox_pending(10).await.unwrap(), events);
    store
        .outbox_done(&[events[0].id, events[1].id])
        .await
        .unwrap();
    assert_eq!(store.outbox_pending(2).await.unwrap(), events[2..4]);
}

async fn a_lease_has_one_holder_until_it_ends(fixture: Fixture) {
    let store = fixture.open(&[]).await.unwrap();
    let ttl = Duration::from_secs(30);
    assert!(store.lease("sweep", "a", ttl).await.unwrap());
    assert!(!store.lease("sweep", "b", ttl).await.unwrap());
    assert!(
        store.lease("sweep", "a", ttl).await.unwrap(),
        "the holder renews"
    );
    fixture.clock.advance(Duration::from_secs(31));
    assert!(
        store.lease("sweep", "b", ttl).await.unwrap(),
        "an ended lease is free"
    );
    store.release("sweep", "a").await.unwrap();
    assert!(
        !store.lease("sweep", "a", ttl).await.unwrap(),
        "only the holder gives it back"
    );
    store.release("sweep", "b").await.unwrap();
    assert!(store.lease("sweep", "a", ttl).await.unwrap());
}

async fn sealed_columns_open_in_their_row_only(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    let place = Place {
        table: "note",
        column: "body",
        row: "1",
    };
    let mut tx = store.begin().await.unwrap();
    let sealed = store.seal(place, b"secret").unwrap();
    tx.execute(INSERT, &[1i64.into(), "a".into(), sealed, Value::Null])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let row = store
        .optional("SELECT body FROM note", &[])
        .await
        .unwrap()
        .unwrap();
    let bytes = row.blob("body").unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"secret"));
    assert_eq!(
        store.open_sealed(place, &bytes).unwrap().expose(),
        b"secret"
    );
    let moved = Place { row: "2", ..place };
    assert!(matches!(
        store.open_sealed(moved, &bytes),
        Err(Error::Sealed(_))
    ));
}

async fn text_sorts_by_code_point(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for (id, title) in ["b", "B", "a", "_", "é"].into_iter().enumerate() {
        let id = i64::try_from(id).unwrap();
        tx.execute(INSERT, &[id.into(), title.into(), Value::Null, Value::Null])
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let rows = store
        .query("SELECT title FROM note ORDER BY title", &[])
        .await
        .unwrap();
    let titles: Vec<_> = rows.iter().map(|row| row.text("title").unwrap()).collect();
    assert_eq!(titles, ["B", "_", "a", "b", "é"]);
}

async fn wrong_types_are_errors_that_name_the_column(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let values = [1i64.into(), "a".into(), Value::Null, Value::Null];
    tx.execute(INSERT, &values).await.unwrap();
    tx.commit().await.unwrap();
    let row = store
        .optional("SELECT id, title, body FROM note", &[])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        row.text("id").unwrap_err().to_string(),
        "column `id` is not text"
    );
    assert!(row.int("title").is_err() && row.blob("body").is_err() && row.int("gone").is_err());
    assert_eq!(row.time("id").unwrap(), Timestamp::from_millis(1));
}

async fn nul_in_text_is_refused_before_the_database_sees_it(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let values = [1i64.into(), "a\0b".into(), Value::Null, Value::Null];
    let error = tx.execute(INSERT, &values).await.unwrap_err();
    assert!(matches!(error, Error::Nul), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let sql = "SELECT id FROM note WHERE title = $1";
    assert!(store.query(sql, &["\0".into()]).await.is_err());
    assert_eq!(tx.query(sql, &["a".into()]).await.unwrap(), Vec::new());
}

async fn sums_and_counts_are_integers(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    insert(&store, 3_000_000_000, "a").await;
    insert(&store, 4, "b").await;
    let sql = "SELECT count(*) AS n, max(id) AS top, CAST(sum(id) AS BIGINT) AS total, \
               CAST(sum(id) AS BIGINT) > 7 AS many FROM note";
    let row = store.optional(sql, &[]).await.unwrap().unwrap();
    assert_eq!(row.int("n").unwrap(), 2);
    assert_eq!(row.int("top").unwrap(), 3_000_000_000);
    assert_eq!(row.int("total").unwrap(), 3_000_000_004);
    assert!(row.flag("many").unwrap());
}

async fn an_old_value_is_kept_or_replaced_on_conflict(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    insert(&store, 1, "old").await;
    let mut tx = store.begin().await.unwrap();
    let keep = "INSERT INTO note (id, title) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
    assert_eq!(
        tx.execute(keep, &[1i64.into(), "new".into()])
            .await
            .unwrap(),
        0
    );
    let replace = "INSERT INTO note (id, title) VALUES ($1, $2) \
                   ON CONFLICT (id) DO UPDATE SET title = excluded.title RETURNING title";
    let rows = tx
        .query(replace, &[1i64.into(), "new".into()])
        .await
        .unwrap();
    assert_eq!(rows[0].text("title").unwrap(), "new");
}

async fn readers_see_what_was_committed_while_a_writer_works(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    insert(&store, 1, "a").await;
    let mut tx = store.begin().await.unwrap();
    tx.execute("DELETE FROM note", &[]).await.unwrap();
    let sql = "SELECT id FROM note";
    assert_eq!(store.query(sql, &[]).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    assert_eq!(store.query(sql, &[]).await.unwrap().len(), 0);
    store.check().await.unwrap();
}

async fn a_statement_that_fails_rolls_back_with_its_transaction(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    insert(&store, 1, "a").await;
    let mut tx = store.begin().await.unwrap();
    tx.execute("DELETE FROM note", &[]).await.unwrap();
    let error = tx.execute("DELETE FROM nowhere", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal, "{error:?}");
    drop(tx);
    assert_eq!(
        store.query("SELECT id FROM note", &[]).await.unwrap().len(),
        1
    );
}

async fn nothing_commits_after_a_statement_that_failed(fixture: Fixture) {
    let store = fixture.open(&[NOTES]).await.unwrap();
    insert(&store, 1, "a").await;
    let mut tx = store.begin().await.unwrap();
    let row = |id: i64, title: &str| [id.into(), title.into(), Value::Null, Value::Null];
    tx.execute(INSERT, &row(2, "b")).await.unwrap();
    // A caller that takes the error for an answer and goes on must not be told that all is well.
    assert!(tx.execute(INSERT, &row(3, "a")).await.is_err());
    let error = tx.commit().await.unwrap_err();
    assert!(matches!(error, Error::Aborted), "{error:?}");
    let rows = store.query("SELECT id FROM note", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    insert(&store, 2, "b").await;
}

async fn insert(store: &Store, id: i64, title: &str) {
    let mut tx = store.begin().await.unwrap();
    let values = [id.into(), title.into(), Value::Null, Value::Null];
    tx.execute(INSERT, &values).await.unwrap();
    tx.commit().await.unwrap();
}
