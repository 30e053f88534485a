//! What a long log costs while it is open: of its places few stay in memory, of its files two stay
//! open, and every entry is found.

use std::path::Path;

use super::*;
use crate::opening::open;

/// Enough for more than one segment.
const LONG_BYTES: usize = 250 * 1024;
const ROUNDS: u64 = 300;
const ENTRIES: u64 = ROUNDS * 3;

async fn write(fixture: &Fixture, trail: &Trail) {
    let long = "x".repeat(LONG_BYTES);
    for round in 0..ROUNDS {
        let mut events = Vec::new();
        for part in 0..3 {
            let number = round * 3 + part;
            let rest = if part == 0 { long.as_str() } else { "" };
            events.push(used(fixture.event(&format!("event {number} {rest}"))));
        }
        trail.append(events).await.unwrap();
    }
}

async fn reads_all(trail: &Trail) {
    // From both sides into the middle, so that neighbours in time are none in the files.
    for step in 0..ENTRIES {
        let number = match step % 2 {
            0 => step / 2,
            _ => ENTRIES - 1 - step / 2,
        };
        let record = trail.read(number).await.unwrap().unwrap();
        let message = record.event.message;
        assert!(message.starts_with(&format!("event {number} ")), "{number}");
    }
    assert_eq!(trail.read(ENTRIES).await.unwrap(), None);
    let (mut before, mut found) = (None, Vec::new());
    loop {
        let query = Query {
            before,
            limit: 500,
            ..Query::default()
        };
        let page = trail.search(&query).await.unwrap();
        found.extend(page.records.iter().map(|record| record.index));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert!(found.into_iter().eq((0..ENTRIES).rev()));
}

fn open_files(dir: &Path) -> usize {
    let all = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = all.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(dir)).count()
}

#[tokio::test]
async fn of_a_long_log_two_files_stay_open_and_every_entry_is_found() {
    let fixture = Fixture::new();
    let trail = fixture.open().await.unwrap();
    write(&fixture, &trail).await;
    assert_eq!(segment::list(&fixture.dir()).unwrap().len(), 2);
    reads_all(&trail).await;
    assert_eq!(open_files(&fixture.dir()), 2);
    trail.close().await;
    drop(trail);
    let trail = fixture.open().await.unwrap();
    reads_all(&trail).await;
    assert_eq!(open_files(&fixture.dir()), 2);
    trail.close().await;
}

#[tokio::test]
async fn one_place_in_thirty_two_stays_in_memory() {
    let fixture = Fixture::new();
    let trail = fixture.open().await.unwrap();
    for _ in 0..10 {
        let events = (0..100).map(|_| used(fixture.event("short")));
        trail.append(events.collect()).await.unwrap();
    }
    trail.close().await;
    let opened = open(&fixture.dir(), Arc::new(RealDisk), None, 1).unwrap();
    let index = opened.log.index();
    assert_eq!((index.size(), index.marks()), (1000, 32));
}

#[tokio::test]
async fn file_that_breaks_off_takes_no_entry_before_the_break_along() {
    let fixture = Fixture::new();
    let trail = fixture.open().await.unwrap();
    for number in 0..8 {
        let event = used(fixture.event(&format!("event {number}")));
        trail.append(vec![event]).await.unwrap();
    }
    let payloads = std::fs::read_dir(fixture.dir()).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name()?.to_str()?;
        name.contains("payload").then(|| path.clone())
    });
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(payloads.unwrap())
        .unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    assert!(trail.read(1).await.unwrap().is_some());
    assert!(
        trail.read(7).await.is_err(),
        "what is gone is not taken for what never was"
    );
}
