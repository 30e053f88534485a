//! A start goes through a long log without reading it, finds what it would have found, and says
//! afterwards what is wrong with what it did not read.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use merkle::{Checkpoint, Frontier, SignedCheckpoint, leaf_hash};

use super::{Fixture, key, trusted};
use crate::disk::RealDisk;
use crate::leaf::{FILE_HEADER_BYTES, Kind, LEAF_FRAME_BYTES, Leaf, Payload, commitment, frame};
use crate::log::Encoded;
use crate::opening::{Opened, open};
use crate::*;

const ENTRIES: u64 = 500;
/// Each of some hundred entries.
const SEGMENT_BYTES_MAX: u64 = 32 * 1024;

/// A log of several segments that ends in the middle of one.
struct Long {
    fixture: Fixture,
    /// The root after each number of entries.
    roots: Vec<merkle::Hash>,
    events: Vec<model::Event>,
}

impl Long {
    fn new() -> Self {
        let fixture = Fixture::new();
        let mut log = open(&fixture.dir(), Arc::new(RealDisk), None, 1)
            .unwrap()
            .log;
        log.segment_bytes_max = SEGMENT_BYTES_MAX;
        let (mut frontier, mut events) = (Frontier::new(), Vec::new());
        let mut roots = vec![frontier.root()];
        for number in 0..ENTRIES {
            let event = fixture.event(&format!("event {number}"));
            let json = serde_json::to_vec(&event).unwrap();
            let leaf = Leaf::of(&event, commitment(&[5; 16], &json)).to_bytes();
            frontier.push(leaf_hash(&leaf));
            roots.push(frontier.root());
            let entry = Encoded {
                id: event.id,
                leaf,
                payload: Payload::bytes(&[5; 16], &json),
            };
            log.append(&[entry]).unwrap();
            events.push(event);
        }
        log.sync().unwrap();
        let long = Self {
            fixture,
            roots,
            events,
        };
        assert!(long.firsts().len() >= 4, "{:?}", long.firsts());
        let text = long.signed(ENTRIES).to_string();
        for (name, text) in [("checkpoint", text.clone()), ("checkpoints", text + "\n")] {
            let path = long.fixture.dir().join(name);
            store::atomic_write(&path, text.as_bytes(), 0o644).unwrap();
        }
        long
    }

    fn firsts(&self) -> Vec<u64> {
        segment::list(&self.fixture.dir()).unwrap()
    }

    /// Where the newest segment begins.
    fn newest(&self) -> u64 {
        *self.firsts().last().unwrap()
    }

    fn path(&self, position: usize, kind: Kind) -> PathBuf {
        segment::path(&self.fixture.dir(), self.firsts()[position], kind)
    }

    /// The root of the first `size` entries.
    fn root(&self, size: u64) -> merkle::Hash {
        self.roots[usize::try_from(size).unwrap()]
    }

    fn signed(&self, size: u64) -> SignedCheckpoint {
        Checkpoint {
            origin: "test.example/trail".to_owned(),
            size,
            root: self.root(size),
        }
        .sign(&key())
    }

    fn open(&self) -> Result<Opened, Error> {
        self.open_signed(ENTRIES)
    }

    fn open_signed(&self, size: u64) -> Result<Opened, Error> {
        let signed = self.signed(size);
        let disk = Arc::new(RealDisk);
        open(&self.fixture.dir(), disk, Some(&signed), 1 << 20)
    }

    /// Opens it, and holds everything that was found against what was written.
    fn opens_whole(&self) -> u64 {
        let opened = self.open().unwrap();
        assert_eq!(opened.log.size(), ENTRIES);
        assert_eq!(opened.log.root(), self.root(ENTRIES));
        let ids: Vec<_> = self.events.iter().map(|event| event.id).collect();
        assert_eq!(opened.recent, ids);
        let index = opened.log.index();
        let mut reader = index.reader();
        for (number, event) in (0..).zip(&self.events) {
            let entry = reader.read(number).unwrap().unwrap();
            assert_eq!(entry.event.as_ref(), Some(event), "{number}");
        }
        opened.unread
    }
}

fn damage(path: &std::path::Path, at: u64) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

#[test]
fn of_closed_segments_nothing_is_read_and_everything_is_found() {
    let long = Long::new();
    assert_eq!(long.opens_whole(), long.newest());
}

#[test]
fn a_log_without_summaries_is_read_once_and_then_has_them() {
    let long = Long::new();
    for position in 0..long.firsts().len() - 1 {
        std::fs::remove_file(long.path(position, Kind::Summary)).unwrap();
    }
    assert_eq!(long.opens_whole(), 0);
    assert_eq!(long.opens_whole(), long.newest());
}

#[test]
fn a_summary_damaged_at_any_byte_costs_time_and_nothing_else() {
    let long = Long::new();
    let path = long.path(1, Kind::Summary);
    let whole = std::fs::read(&path).unwrap();
    let expected = long.newest() - (long.firsts()[2] - long.firsts()[1]);
    for at in 0..whole.len() as u64 {
        damage(&path, at);
        let opened = long.open().unwrap();
        assert_eq!(opened.unread, expected, "{at}");
        assert_eq!(opened.log.root(), long.root(ENTRIES), "{at}");
        assert_eq!(std::fs::read(&path).unwrap(), whole, "it is made again");
    }
    for length in (0..whole.len()).step_by(9) {
        store::atomic_write(&path, &whole[..length], 0o600).unwrap();
        assert_eq!(long.open().unwrap().unread, expected, "{length}");
    }
}

#[test]
fn a_summary_of_another_tree_is_not_believed() {
    let long = Long::new();
    let (first, last) = (long.firsts()[2], long.newest());
    let (dir, position) = (long.fixture.dir(), long.firsts().len() - 2);
    let true_one = summary::Summary::read(&dir, long.firsts()[position]).unwrap();
    assert!(first <= long.firsts()[position]);
    let mut other = Frontier::new();
    for number in 0..last {
        other.push(leaf_hash(&number.to_be_bytes()));
    }
    let forged = true_one.with_frontier(other);
    forged.write(&dir).unwrap();
    assert_eq!(long.opens_whole(), 0, "every segment was read instead");
    assert_eq!(
        summary::Summary::read(&dir, long.firsts()[position]).unwrap(),
        true_one,
        "and the summary is the true one again"
    );
}

#[test]
fn a_summary_that_names_wrong_places_hides_no_entry() {
    for change in [
        |marks: &mut Vec<u64>| marks[1] += 1,
        |marks: &mut Vec<u64>| marks[1] = marks[2] - 1,
        // The place of another entry.
        |marks: &mut Vec<u64>| {
            let step = marks[1] - marks[0];
            marks[1] += step / 32;
        },
    ] {
        let long = Long::new();
        let (dir, first) = (long.fixture.dir(), long.firsts()[1]);
        let true_one = summary::Summary::read(&dir, first).unwrap();
        true_one.with_marks(change).write(&dir).unwrap();
        assert_ne!(summary::Summary::read(&dir, first), Some(true_one));
        assert_eq!(long.opens_whole(), long.newest());
    }
}

#[test]
fn segments_that_no_checkpoint_covers_are_read() {
    let long = Long::new();
    let firsts = long.firsts();
    for signed in [1, firsts[1] - 1, firsts[1], firsts[2] + 3, ENTRIES - 1] {
        let opened = long.open_signed(signed).unwrap();
        let covered = firsts.iter().filter(|first| **first <= signed).max();
        assert_eq!(opened.unread, *covered.unwrap(), "{signed}");
        assert_eq!(opened.log.root(), long.root(ENTRIES));
    }
}

#[test]
fn a_closed_segment_that_lost_its_end_stops_the_start() {
    for kind in [Kind::Leaves, Kind::Payloads] {
        let long = Long::new();
        let path = long.path(1, kind);
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length - 1).unwrap();
        let error = long.open().unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
        assert_eq!(file.metadata().unwrap().len(), length - 1);
    }
}

#[test]
fn the_root_of_every_size_is_found_without_reading_from_the_beginning() {
    let long = Long::new();
    let index = long.open().unwrap().log.index();
    for size in 0..=ENTRIES {
        assert_eq!(index.root_at(size).unwrap(), long.root(size), "{size}");
    }
}

#[tokio::test]
async fn an_event_of_a_closed_segment_is_recognised_after_a_start() {
    let long = Long::new();
    let trail = long.fixture.open().await.unwrap();
    let again = long.events[3].clone();
    let positions = trail.append(vec![again]).await.unwrap();
    assert_eq!(positions[0].index, None);
    assert_eq!(trail.health().size, ENTRIES);
    trail.close().await;
}

/// What health says once the whole log was read.
async fn damage_found(trail: &Trail) -> Option<String> {
    for _ in 0..500 {
        if let Some(damage) = trail.health().damage {
            return Some(damage);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

#[tokio::test]
async fn what_was_changed_in_a_closed_segment_is_said_soon_after_the_start() {
    for (kind, at) in [
        (Kind::Leaves, FILE_HEADER_BYTES + 5 * LEAF_FRAME_BYTES + 40),
        (Kind::Payloads, FILE_HEADER_BYTES + 100),
    ] {
        let long = Long::new();
        damage(&long.path(1, kind), at);
        let trail = long.fixture.open().await.unwrap();
        let said = damage_found(&trail).await.unwrap();
        assert!(said.contains("damaged"), "{said}");
        let query = Query {
            kind: Some("trail.log.damaged".to_owned()),
            ..Query::default()
        };
        let mut found = Vec::new();
        while found.is_empty() {
            let page = trail.search(&query).await.unwrap();
            assert!(
                page.unreadable > 0,
                "and what cannot be read hides nothing else"
            );
            found = page.records;
        }
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].event.severity, model::Severity::Critical);
        let fault = &found[0].event.detail["faults"][0];
        assert!(fault["entry"].as_u64() >= Some(long.firsts()[1]), "{fault}");
        assert!(trail.health().writable, "and everything goes on");
        trail.close().await;
    }
}

#[tokio::test]
async fn an_entry_replaced_with_its_checksum_right_is_found_too() {
    let long = Long::new();
    let first = long.firsts()[1];
    let event = long.fixture.event("nothing happened");
    let json = serde_json::to_vec(&event).unwrap();
    let leaf = Leaf::of(&event, commitment(&[5; 16], &json)).to_bytes();
    let file = OpenOptions::new()
        .write(true)
        .open(long.path(1, Kind::Leaves))
        .unwrap();
    file.write_all_at(&frame(&leaf), FILE_HEADER_BYTES).unwrap();
    let trail = long.fixture.open().await.unwrap();
    let said = damage_found(&trail).await.unwrap();
    trail.close().await;
    let report = verify::verify(&long.fixture.dir(), &trusted()).unwrap();
    assert!(said.contains(&report.faults[0].what), "{said}");
    assert_eq!(report.faults[0].entry, Some(first));
}

#[tokio::test]
async fn a_long_log_in_order_is_read_and_nothing_is_said() {
    let long = Long::new();
    let trail = long.fixture.open().await.unwrap();
    let found = check::whole(
        long.fixture.dir(),
        check::trusted(key().verifying_key(), &trail.checkpoint()),
    );
    assert_eq!(found.await.unwrap(), None);
    assert_eq!(trail.health().damage, None);
    assert_eq!(trail.health().size, ENTRIES, "no event about it");
    trail.close().await;
}
