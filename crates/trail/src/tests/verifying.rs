//! Every forgery is found; what cannot be found without help from outside is said.

use std::path::Path;

use super::{Fixture, key, trusted};
use crate::leaf::{
    FILE_HEADER_BYTES, Kind, LEAF_FRAME_BYTES, Leaf, Payload, commitment, file_header, frame,
};
use crate::verify::{Report, Trusted, verify};
use crate::*;

fn entries(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let mut rest = &bytes[usize::try_from(FILE_HEADER_BYTES).unwrap()..];
    let mut bodies = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        bodies.push(rest[8..8 + length].to_vec());
        rest = &rest[8 + length..];
    }
    bodies
}

fn rewrite(fixture: &Fixture, kind: Kind, bodies: &[Vec<u8>]) {
    let mut bytes = file_header(kind, 0);
    bodies.iter().for_each(|body| bytes.extend(frame(body)));
    store::atomic_write(&segment::path(&fixture.dir(), 0, kind), &bytes, 0o600).unwrap();
}

/// What a forger who can write every file, but cannot sign, would do.
fn forge(fixture: &Fixture, change: impl FnOnce(&mut Vec<Vec<u8>>, &mut Vec<Vec<u8>>)) -> Report {
    let path = |kind| segment::path(&fixture.dir(), 0, kind);
    let mut leaves = entries(&path(Kind::Leaves));
    let mut payloads = entries(&path(Kind::Payloads));
    change(&mut leaves, &mut payloads);
    rewrite(fixture, Kind::Leaves, &leaves);
    rewrite(fixture, Kind::Payloads, &payloads);
    verify(&fixture.dir(), &trusted()).unwrap()
}

fn first_fault(report: &Report) -> &str {
    &report.faults.first().expect("the forgery is found").what
}

#[tokio::test]
async fn an_untouched_trail_is_intact_and_says_what_it_cannot_exclude() {
    let fixture = Fixture::new();
    fixture.filled(5).await;
    let alone = verify(&fixture.dir(), &Trusted::default()).unwrap();
    assert!(alone.is_intact(), "{:?}", alone.faults);
    assert_eq!(
        (alone.entries, alone.signed, alone.unfinished_bytes),
        (5, 5, 0)
    );
    assert!(
        alone.not_excluded[0].contains("no key"),
        "{:?}",
        alone.not_excluded
    );
    assert!(
        alone.not_excluded[1].contains("rollback not excluded"),
        "{:?}",
        alone.not_excluded
    );
    let since = std::fs::read_to_string(fixture.dir().join("checkpoint"))
        .unwrap()
        .parse();
    let full = Trusted {
        since: vec![since.unwrap()],
        ..trusted()
    };
    assert_eq!(
        verify(&fixture.dir(), &full).unwrap().not_excluded,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn every_flipped_byte_is_found() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    for kind in [Kind::Leaves, Kind::Payloads] {
        let path = segment::path(&fixture.dir(), 0, kind);
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            store::atomic_write(&path, &bad, 0o600).unwrap();
            let report = verify(&fixture.dir(), &trusted()).unwrap();
            assert!(!report.is_intact(), "{kind:?} byte {at}");
        }
        store::atomic_write(&path, &good, 0o600).unwrap();
    }
}

#[tokio::test]
async fn a_changed_payload_with_a_mended_checksum_names_its_entry() {
    let fixture = Fixture::new();
    fixture.filled(4).await;
    let report = forge(&fixture, |_, payloads| {
        let text = String::from_utf8(payloads[2][17..].to_vec()).unwrap();
        payloads[2].splice(17.., text.replace("event 2", "event X").into_bytes());
    });
    assert_eq!(report.faults[0].entry, Some(2));
    assert_eq!(
        first_fault(&report),
        "the payload is not the one its leaf commits to"
    );
}

#[tokio::test]
async fn a_forged_leaf_with_its_payload_leads_to_another_root() {
    let fixture = Fixture::new();
    fixture.filled(4).await;
    let event = fixture.event("forged");
    let report = forge(&fixture, |leaves, payloads| {
        let json = serde_json::to_vec(&event).unwrap();
        leaves[1] = Leaf::of(&event, commitment(&[0; 16], &json)).to_bytes();
        payloads[1] = Payload::bytes(&[0; 16], &json);
    });
    assert!(
        first_fault(&report).contains("another root"),
        "{}",
        first_fault(&report)
    );
}

#[tokio::test]
async fn removed_inserted_and_reordered_entries_are_found() {
    for change in [
        |leaves: &mut Vec<Vec<u8>>, payloads: &mut Vec<Vec<u8>>| {
            leaves.remove(1);
            payloads.remove(1);
        },
        |leaves: &mut Vec<Vec<u8>>, payloads: &mut Vec<Vec<u8>>| {
            leaves.insert(1, leaves[0].clone());
            payloads.insert(1, payloads[0].clone());
        },
        |leaves: &mut Vec<Vec<u8>>, payloads: &mut Vec<Vec<u8>>| {
            leaves.swap(1, 2);
            payloads.swap(1, 2);
        },
        |leaves: &mut Vec<Vec<u8>>, payloads: &mut Vec<Vec<u8>>| {
            leaves.pop();
            payloads.pop();
        },
    ] {
        let fixture = Fixture::new();
        fixture.filled(4).await;
        assert!(!forge(&fixture, change).is_intact());
    }
}

#[tokio::test]
async fn an_erased_payload_keeps_the_trail_intact() {
    let fixture = Fixture::new();
    fixture.filled(3).await;
    let report = forge(&fixture, |_, payloads| {
        payloads[1].fill(0);
        payloads[1][0] = 1;
    });
    assert_eq!(
        (report.is_intact(), report.erased, report.entries),
        (true, 1, 3)
    );
}

#[tokio::test]
async fn an_older_state_of_the_folder_is_found_with_a_checkpoint_from_outside() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    let copy = fixture.folder.path().join("copy");
    export(&fixture.dir(), &copy).unwrap();
    fixture.filled(2).await;
    let since = std::fs::read_to_string(fixture.dir().join("checkpoint")).unwrap();
    let without = verify(&copy, &trusted()).unwrap();
    assert!(without.is_intact(), "alone, the older state is consistent");
    let since = Trusted {
        since: vec![since.parse().unwrap()],
        ..trusted()
    };
    let report = verify(&copy, &since).unwrap();
    assert!(
        first_fault(&report).starts_with("entries 2 to 3 are missing"),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_log_signed_by_somebody_else_is_not_believed() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    let stranger = merkle::SigningKey::from_seed("test.example/trail", &[9; 32]).unwrap();
    let strange = Trusted {
        key: Some(stranger.verifying_key().clone()),
        ..Trusted::default()
    };
    assert!(!verify(&fixture.dir(), &strange).unwrap().is_intact());
}

#[tokio::test]
async fn a_folder_put_back_to_an_older_state_contradicts_what_the_server_remembers() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    let older = fixture.folder.path().join("older");
    export(&fixture.dir(), &older).unwrap();
    fixture.filled(3).await;
    let newest = std::fs::read_to_string(fixture.dir().join("checkpoint")).unwrap();
    let remembering = Trusted {
        remembered: Some(newest.parse().unwrap()),
        ..trusted()
    };
    assert!(verify(&fixture.dir(), &remembering).unwrap().is_intact());
    assert!(verify(&older, &trusted()).unwrap().is_intact());
    let report = verify(&older, &remembering).unwrap();
    assert!(first_fault(&report).contains("the running server's checkpoint covers"));
}

#[tokio::test]
async fn an_export_is_verified_like_the_trail_and_holds_every_event_as_a_line() {
    let fixture = Fixture::new();
    fixture.filled(3).await;
    let copy = fixture.folder.path().join("copy");
    assert_eq!(
        export(&fixture.dir(), &copy).unwrap(),
        Exported {
            events: 3,
            segments: 1
        }
    );
    let report = verify(&copy, &trusted()).unwrap();
    assert_eq!((report.entries, report.is_intact()), (3, true));
    let lines = std::fs::read_to_string(copy.join("events.jsonl")).unwrap();
    let records: Vec<Record> = lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(records[2].event.message, "event 2");
    assert!(
        export(&fixture.dir(), &copy).is_err(),
        "an existing folder is not written over"
    );
}

#[tokio::test]
async fn checkpoints_reach_the_file_outside() {
    let fixture = Fixture::new();
    fixture.filled(2).await;
    let outside = std::fs::read_to_string(fixture.folder.path().join("outside")).unwrap();
    let last = std::fs::read_to_string(fixture.dir().join("checkpoint")).unwrap();
    assert!(outside.ends_with(&format!("{last}\n")));
    let signed: merkle::SignedCheckpoint = last.parse().unwrap();
    assert_eq!(signed.verify(key().verifying_key()).unwrap().size, 2);
    assert_eq!(LEAF_FRAME_BYTES, 72, "leaf v1 never changes its size");
}
