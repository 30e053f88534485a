//! Killed at any byte: what was signed or acknowledged stays, what was half-written goes.

use std::fs::OpenOptions;
use std::path::Path;

use super::{Fixture, trusted};
use crate::leaf::{FILE_HEADER_BYTES, Kind, LEAF_FRAME_BYTES};
use crate::*;

fn cut(path: &Path, length: u64) {
    OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(length)
        .unwrap();
}

fn file(fixture: &Fixture, kind: Kind) -> std::path::PathBuf {
    segment::path(&fixture.dir(), 0, kind)
}

/// Takes the signed state back to `size` entries, as if the crash had come before later ones.
async fn sign_only(fixture: &Fixture, size: u64, root: merkle::Hash) {
    let origin = "test.example/trail".to_owned();
    let checkpoint = merkle::Checkpoint { origin, size, root }.sign(&super::key());
    for name in ["checkpoint", "checkpoints"] {
        let text = if name == "checkpoint" {
            checkpoint.to_string()
        } else {
            format!("{checkpoint}\n")
        };
        store::atomic_write(&fixture.dir().join(name), text.as_bytes(), 0o644).unwrap();
    }
    let store = fixture.store().await;
    store
        .set_outbox_mark(super::key().verifying_key().name(), &checkpoint.to_string())
        .await
        .unwrap();
    store.close().await;
}

#[tokio::test]
async fn an_unsigned_last_entry_cut_at_any_byte_is_taken_off_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    let trail = fixture.open().await.unwrap();
    let root = trail.checkpoint().claimed().root;
    let before = std::fs::metadata(file(&fixture, Kind::Payloads))
        .unwrap()
        .len();
    trail.append(vec![fixture.event("the last")]).await.unwrap();
    trail.close().await;
    let leaves = std::fs::read(file(&fixture, Kind::Leaves)).unwrap();
    let payloads = std::fs::read(file(&fixture, Kind::Payloads)).unwrap();
    let leaves_before = FILE_HEADER_BYTES + 2 * LEAF_FRAME_BYTES;
    let points = (leaves_before..leaves.len() as u64).map(|at| (at, payloads.len() as u64));
    let points = points.chain((before..payloads.len() as u64).map(|at| (leaves.len() as u64, at)));
    for (leaf_end, payload_end) in points {
        store::atomic_write(&file(&fixture, Kind::Leaves), &leaves, 0o600).unwrap();
        store::atomic_write(&file(&fixture, Kind::Payloads), &payloads, 0o600).unwrap();
        cut(&file(&fixture, Kind::Leaves), leaf_end);
        cut(&file(&fixture, Kind::Payloads), payload_end);
        sign_only(&fixture, 2, root).await;
        let report = verify::verify(&fixture.dir(), &trusted()).unwrap();
        assert!(
            report.is_intact(),
            "{leaf_end}/{payload_end}: {:?}",
            report.faults
        );
        let trail = fixture.open().await.unwrap();
        assert_eq!(trail.health().size, 2, "{leaf_end}/{payload_end}");
        trail.append(vec![fixture.event("after")]).await.unwrap();
        trail.close().await;
        let report = verify::verify(&fixture.dir(), &trusted()).unwrap();
        assert_eq!(
            (report.entries, report.is_intact()),
            (3, true),
            "{:?}",
            report.faults
        );
    }
}

#[tokio::test]
async fn a_signed_entry_that_is_gone_stops_the_start_and_changes_nothing() {
    let fixture = Fixture::new();
    fixture.filled(3).await;
    let path = file(&fixture, Kind::Leaves);
    cut(&path, FILE_HEADER_BYTES + 2 * LEAF_FRAME_BYTES);
    let error = fixture.open().await.unwrap_err();
    assert!(
        matches!(error, Error::Shortened { size: 2, signed: 3 }),
        "{error:?}"
    );
    assert_eq!(
        std::fs::metadata(&path).unwrap().len(),
        FILE_HEADER_BYTES + 2 * LEAF_FRAME_BYTES
    );
}

#[tokio::test]
async fn a_segment_whose_making_was_cut_off_is_made_again() {
    let fixture = Fixture::new();
    fixture.filled(1).await;
    let next = segment::path(&fixture.dir(), 1, Kind::Leaves);
    store::atomic_write(&next, b"RAMP", 0o600).unwrap();
    store::atomic_write(
        &segment::path(&fixture.dir(), 1, Kind::Payloads),
        b"",
        0o600,
    )
    .unwrap();
    let trail = fixture.open().await.unwrap();
    trail.append(vec![fixture.event("on")]).await.unwrap();
    assert_eq!(trail.health().size, 2);
}
