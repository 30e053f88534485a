//! Recording, finding, and what the outbox guarantees.

use std::sync::Arc;
use std::time::Duration;

use model::{Class, SegmentId};
use store::Value;

use super::{Fixture, trusted, used};
use crate::*;

#[tokio::test]
async fn what_was_recorded_is_found_newest_first() {
    let fixture = Fixture::new();
    let trail = fixture.open().await.unwrap();
    for number in 0..7 {
        trail
            .append(vec![fixture.event(&format!("Event {number}"))])
            .await
            .unwrap();
    }
    trail
        .append(vec![used(fixture.event("read"))])
        .await
        .unwrap();
    let query = Query {
        text: Some("eVENT".to_owned()),
        limit: 3,
        ..Query::default()
    };
    let first = trail.search(&query).await.unwrap();
    let messages: Vec<_> = first
        .records
        .iter()
        .map(|r| r.event.message.as_str())
        .collect();
    assert_eq!(messages, ["Event 6", "Event 5", "Event 4"]);
    let second = trail
        .search(&Query {
            before: first.next,
            ..query
        })
        .await
        .unwrap();
    assert_eq!(second.records.first().unwrap().event.message, "Event 3");
    let nothing = Query {
        kind: Some("identity.".to_owned()),
        ..Query::default()
    };
    assert_eq!(trail.search(&nothing).await.unwrap(), Page::default());
    let found = trail.find(first.records[0].event.id).await.unwrap();
    assert_eq!(found.as_ref(), first.records.first());
}

#[tokio::test]
async fn same_event_twice_is_one_entry_even_after_a_restart() {
    let fixture = Fixture::new();
    let event = fixture.event("once");
    let trail = fixture.open().await.unwrap();
    let first = trail
        .append(vec![event.clone(), event.clone()])
        .await
        .unwrap();
    assert_eq!(
        first.iter().map(|p| p.index).collect::<Vec<_>>(),
        [Some(0), None]
    );
    trail.close().await;
    let trail = fixture.open().await.unwrap();
    assert_eq!(trail.append(vec![event]).await.unwrap()[0].index, None);
    assert_eq!(trail.health().size, 1);
}

#[tokio::test]
async fn change_and_its_event_come_together_or_not_at_all() {
    let fixture = Fixture::new();
    let store = fixture.store().await;
    let trail = fixture.open().await.unwrap();
    let tx = store.begin().await.unwrap();
    trail.commit(tx, vec![fixture.event("done")]).await.unwrap();
    assert_eq!(trail.health().size, 1);
    // A transaction that cannot commit leaves no event behind.
    let mut tx = store.begin().await.unwrap();
    assert!(
        tx.execute("INSERT INTO nowhere VALUES ($1)", &[Value::Null])
            .await
            .is_err()
    );
    drop(tx);
    assert_eq!(trail.health().size, 1);
    assert_eq!(
        trail.search(&Query::default()).await.unwrap().records.len(),
        1
    );
}

#[tokio::test]
async fn event_left_in_the_outbox_reaches_the_trail_at_the_next_start() {
    let fixture = Fixture::new();
    let store = fixture.store().await;
    // The process died between the commit and the trail.
    let mut tx = store.begin().await.unwrap();
    tx.outbox(&[fixture.event("committed, then killed")])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let trail = fixture.open().await.unwrap();
    assert_eq!(trail.health().size, 1);
    assert!(store.outbox_pending(9).await.unwrap().is_empty());
    // It died between the trail and the outbox: the event is there already.
    let event = fixture.event("recorded, then killed");
    trail.append(vec![event.clone()]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.outbox(&[event]).await.unwrap();
    tx.commit().await.unwrap();
    trail.close().await;
    let trail = fixture.open().await.unwrap();
    assert_eq!(trail.health().size, 2);
}

#[tokio::test]
async fn live_listeners_hear_every_entry_in_order() {
    let fixture = Fixture::new();
    let trail = fixture.open().await.unwrap();
    let mut live = trail.subscribe();
    for number in 0..5 {
        let mut event = fixture.event(&number.to_string());
        event.class = if number % 2 == 0 {
            Class::Traffic
        } else {
            Class::Change
        };
        trail.append(vec![event]).await.unwrap();
    }
    for number in 0..5 {
        let record = tokio::time::timeout(Duration::from_secs(5), live.recv()).await;
        assert_eq!(record.unwrap().unwrap().index, number);
    }
}

#[tokio::test]
async fn a_hundred_writers_at_once_lose_nothing() {
    let fixture = Arc::new(Fixture::new());
    let trail = fixture.open().await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..100 {
        let (trail, fixture) = (trail.clone(), fixture.clone());
        writers.spawn(async move {
            for number in 0..5 {
                let event = fixture.event(&format!("{writer}/{number}"));
                trail.append(vec![event]).await.unwrap();
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    trail.close().await;
    let report = verify::verify(&fixture.dir(), &trusted()).unwrap();
    assert_eq!(
        (report.entries, report.signed, report.is_intact()),
        (500, 500, true)
    );
}

#[tokio::test]
async fn entry_is_proven_in_the_checkpoint() {
    let fixture = Fixture::new();
    fixture.filled(9).await;
    let trail = fixture.open().await.unwrap();
    let checkpoint = trail.checkpoint();
    let (size, root) = (checkpoint.claimed().size, checkpoint.claimed().root);
    for index in 0..9 {
        let record = trail.read(index).await.unwrap().unwrap();
        let proof = trail.prove(index, size).await.unwrap().unwrap();
        merkle::verify_inclusion(&record.leaf_hash, index, size, &proof, &root).unwrap();
    }
    assert_eq!(trail.prove(9, 9).await.unwrap(), None);
}

#[tokio::test]
async fn sealed_segment_is_one_entry_however_often_it_is_sent() {
    let fixture = Fixture::new();
    let trail = fixture.open().await.unwrap();
    let seal = SegmentSeal {
        segment: SegmentId::new(&fixture.clock, &*fixture.entropy),
        node: "gateway".to_owned(),
        root: "00".repeat(32),
        count: 12,
        gap: 1,
        first: model::Clock::now(&fixture.clock),
        last: model::Clock::now(&fixture.clock),
        routes: [("orders".to_owned(), 12)].into(),
    };
    trail.sealed_segment(&seal).await.unwrap();
    trail.sealed_segment(&seal).await.unwrap();
    assert_eq!(trail.health().size, 1);
    let record = trail.read(0).await.unwrap().unwrap();
    assert_eq!(record.event.detail["count"], 12);
    assert_eq!(record.event.detail["routes"]["orders"], 12);
}

#[tokio::test]
async fn event_beyond_the_limit_is_refused_by_name() {
    let fixture = Fixture::new();
    let trail = fixture.open().await.unwrap();
    let huge = fixture.event(&"x".repeat(300 * 1024));
    let error = trail.append(vec![huge]).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    trail.append(vec![fixture.event("next")]).await.unwrap();
}
