//! What the store remembers, held against the folder that a start finds.

use std::path::Path;

use super::Fixture;
use crate::*;

/// What a start records beyond what was there, by kind and message.
async fn said_at_start(fixture: &Fixture) -> Vec<(String, String)> {
    let trail = fixture.open().await.unwrap();
    let query = Query {
        kind: Some("trail.".to_owned()),
        ..Query::default()
    };
    let page = trail.search(&query).await.unwrap();
    trail.close().await;
    page.records
        .iter()
        .map(|record| (record.event.kind.to_string(), record.event.message.clone()))
        .collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_start_on_the_folder_that_was_left_says_nothing() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    assert_eq!(said_at_start(&fixture).await, []);
    fixture.filled(1).await;
    assert_eq!(said_at_start(&fixture).await, []);
}

#[tokio::test]
async fn a_folder_put_back_to_an_older_state_is_recorded_once_with_the_checkpoint() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    let older = fixture.folder.path().join("older");
    copy(&fixture.dir(), &older);
    fixture.filled(3).await;
    std::fs::remove_dir_all(fixture.dir()).unwrap();
    copy(&older, &fixture.dir());
    let said = said_at_start(&fixture).await;
    let text =
        "the trail was put back to an older state: the store remembers 5 entries, 2 are there";
    assert_eq!(
        said,
        [("trail.log.rolled_back".to_owned(), text.to_owned())]
    );
    let trail = fixture.open().await.unwrap();
    assert_eq!(trail.health().size, 3, "the second start says nothing new");
    let page = trail.search(&Query::default()).await.unwrap();
    let evidence = serde_json::to_value(&page.records[0].event).unwrap();
    let signed: merkle::SignedCheckpoint = evidence["detail"]["checkpoint"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(signed.verify(super::key().verifying_key()).is_ok());
    assert_eq!(signed.claimed().size, 5);
}

#[tokio::test]
async fn an_emptied_folder_is_recorded() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    std::fs::remove_dir_all(fixture.dir()).unwrap();
    std::fs::create_dir(fixture.dir()).unwrap();
    let said = said_at_start(&fixture).await;
    assert_eq!(said.len(), 1);
    assert!(said[0].1.contains("remembers 2 entries, 0 are there"));
}

#[tokio::test]
async fn another_history_of_the_same_length_is_recorded() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    std::fs::remove_dir_all(fixture.dir()).unwrap();
    // The same key over other entries, by somebody who has key and folder but not the store.
    let other = Fixture::new();
    let trail = other.open().await.unwrap();
    trail.append(vec![other.event("another")]).await.unwrap();
    trail.close().await;
    other.filled(1).await;
    copy(&other.dir(), &fixture.dir());
    let said = said_at_start(&fixture).await;
    assert_eq!(
        said.first().unwrap().1,
        "the first 2 entries are not those that the store remembers"
    );
}
