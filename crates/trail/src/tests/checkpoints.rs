//! Signing, and the files checkpoints are kept in.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::{Fixture, trusted, used};
use crate::verify::{Trusted, verify};
use crate::*;

fn history(fixture: &Fixture) -> PathBuf {
    fixture.dir().join("checkpoints")
}

fn sizes(text: &str) -> Vec<u64> {
    let notes = read_checkpoints(text).unwrap();
    notes.iter().map(|note| note.claimed().size).collect()
}

#[tokio::test]
async fn a_stream_of_events_without_a_rest_is_signed_all_the_same() {
    let fixture = Fixture::new();
    let trail = fixture.open().await.unwrap();
    for number in 0..50 {
        fixture.clock.advance(Duration::from_secs(1));
        let event = used(fixture.event(&format!("use {number}")));
        trail.append(vec![event]).await.unwrap();
    }
    // The last one may have been answered a moment before it was signed for; and the writer may see
    // the clock before or after it moves, which puts the next signature off by a second. Without a
    // rest to wait for, it is never further behind than that.
    assert!(trail.health().signed >= 47, "{:?}", trail.health());
    trail.close().await;
}

#[tokio::test]
async fn histories_receive_one_checkpoint_a_minute_and_the_last_one() {
    let fixture = Fixture::new();
    let trail = fixture.open().await.unwrap();
    for number in 0..100 {
        fixture.clock.advance(Duration::from_secs(2));
        let event = used(fixture.event(&format!("use {number}")));
        trail.append(vec![event]).await.unwrap();
    }
    trail.close().await;
    let outside = std::fs::read_to_string(fixture.folder.path().join("outside")).unwrap();
    assert_eq!(outside, std::fs::read_to_string(history(&fixture)).unwrap());
    let kept = sizes(&outside);
    assert!((4..=6).contains(&kept.len()), "{kept:?}");
    assert_eq!(kept.last(), Some(&100));
}

#[tokio::test]
async fn a_note_cut_off_anywhere_is_passed_over_and_taken_off_by_the_next() {
    let fixture = Fixture::new();
    fixture.filled(1).await;
    fixture.filled(1).await;
    let whole = std::fs::read_to_string(history(&fixture)).unwrap();
    let note = whole.len() / 2;
    for cut in note + 1..whole.len() {
        if !whole.is_char_boundary(cut) {
            continue;
        }
        store::atomic_write(
            &history(&fixture),
            whole.as_bytes().get(..cut).unwrap(),
            0o644,
        )
        .unwrap();
        let report = verify(&fixture.dir(), &trusted()).unwrap();
        assert!(report.is_intact(), "{cut}: {:?}", report.faults);
    }
    fixture.filled(1).await;
    let mended = std::fs::read_to_string(history(&fixture)).unwrap();
    assert_eq!(sizes(&mended), [1, 2, 3]);
    assert!(mended.starts_with(whole.get(..note).unwrap()));
}

#[tokio::test]
async fn a_file_outside_that_is_away_turns_health_red_and_is_caught_up_on() {
    let fixture = Fixture::new();
    let outside = fixture.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let trail = fixture.open().await.unwrap();
    trail.append(vec![fixture.event("one")]).await.unwrap();
    let mut reason = None;
    for _ in 0..100 {
        reason = trail.health().reason;
        if reason.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(reason.unwrap().contains("outside"), "it says which file");
    assert!(trail.health().writable, "the trail itself goes on");
    assert_eq!(
        trail.health().signed,
        1,
        "the newest is signed all the same"
    );
    std::fs::remove_dir(&outside).unwrap();
    trail.append(vec![fixture.event("two")]).await.unwrap();
    trail.close().await;
    assert_eq!(sizes(&std::fs::read_to_string(&outside).unwrap()), [2]);
    assert_eq!(trail.health().reason, None);
}

#[tokio::test]
async fn a_file_outside_that_holds_something_else_is_left_as_it_is() {
    let fixture = Fixture::new();
    let outside = fixture.folder.path().join("outside");
    store::atomic_write(&outside, b"root:x:0:0::/root:/bin/sh\n", 0o644).unwrap();
    let trail = fixture.open().await.unwrap();
    trail.append(vec![fixture.event("one")]).await.unwrap();
    trail.close().await;
    let reason = trail.health().reason.unwrap();
    assert!(reason.contains("name another file"), "{reason}");
    let text = std::fs::read_to_string(&outside).unwrap();
    assert_eq!(text, "root:x:0:0::/root:/bin/sh\n");
}

#[tokio::test]
async fn a_first_note_cut_off_is_taken_off() {
    for begun in ["test.exam", "test.example/trail\n12\nabc"] {
        let fixture = Fixture::new();
        let outside = fixture.folder.path().join("outside");
        store::atomic_write(&outside, begun.as_bytes(), 0o644).unwrap();
        fixture.filled(1).await;
        let text = std::fs::read_to_string(&outside).unwrap();
        assert_eq!(sizes(&text), [1], "{text}");
    }
}

#[tokio::test]
async fn every_checkpoint_of_a_history_from_outside_is_held_against_the_folder() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    fixture.filled(2).await;
    let outside = std::fs::read_to_string(fixture.folder.path().join("outside")).unwrap();
    let since = read_checkpoints(&outside).unwrap();
    assert_eq!(since.len(), 2);
    let trusted = Trusted { since, ..trusted() };
    let report = verify(&fixture.dir(), &trusted).unwrap();
    assert!(report.is_intact(), "{:?}", report.faults);
    assert_eq!(report.not_excluded, Vec::<String>::new());
}

#[test]
fn a_file_without_a_note_is_said_to_be_none() {
    assert!(read_checkpoints("").is_err());
    assert!(read_checkpoints("text\n\nmore text\n\n").is_err());
    let mut half = Vec::new();
    half.write_all("a\n\n\u{2014} b".as_bytes()).unwrap();
    assert!(read_checkpoints(&String::from_utf8(half).unwrap()).is_err());
}
