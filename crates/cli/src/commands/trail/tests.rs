use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use keyring::{Keyring, RootKey};
use merkle::SigningKey;
use model::{ByteSize, Context, Event, SharedClock, SharedEntropy};
use store::{Location, Store};
use testkit::{FakeClock, SeededEntropy};
use trail::Trail;

use crate::Exit;
use crate::testing::Place;

const ORIGIN: &str = "test.example/trail";

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

/// A data folder whose trail has `count` entries, the newest signed for; returns the checkpoint.
fn recorded(place: &Place, count: usize) -> String {
    let data = place.data();
    std::fs::create_dir_all(data.join("trail")).unwrap();
    let clock: SharedClock = Arc::new(FakeClock::new());
    let entropy: SharedEntropy = Arc::new(SeededEntropy::new(3));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let ring = Arc::new(Keyring::new(RootKey::generate(&SeededEntropy::new(1))));
        let at = store::Settings {
            location: Location::Sqlite(data.join("test.db")),
            backups: data.join("backups"),
            without_backup: store::WithoutBackup::Refuse,
        };
        let store = Store::open(at, ring, clock.clone(), entropy.clone(), &[])
            .await
            .unwrap();
        let settings = trail::Settings {
            dir: data.join("trail"),
            origin: ORIGIN.to_owned(),
            reserve: ByteSize(64 * 1024),
            checkpoints: Vec::new(),
        };
        let trail = Trail::open(settings, store, key(), clock.clone(), entropy.clone())
            .await
            .unwrap();
        let ctx = Context::system(&*clock, &*entropy);
        for number in 0..count {
            let event = Event::change("test.thing.happened", &ctx, &*clock, &*entropy);
            trail
                .append(vec![event.message(format!("event {number}"))])
                .await
                .unwrap();
        }
        let checkpoint = trail.checkpoint().to_string();
        trail.close().await;
        checkpoint
    })
}

#[test]
fn whole_trail_is_consistent_and_says_what_it_cannot_exclude() {
    let place = Place::new();
    let checkpoint = recorded(&place, 5);
    let ran = place.run(&["trail", "verify"]);
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.out);
    insta::assert_snapshot!("verify", ran.show());
    place.write("kept.checkpoint", &checkpoint);
    let vkey = key().verifying_key().to_string();
    let ran = place.run(&[
        "trail",
        "verify",
        "--key",
        &vkey,
        "--since",
        "kept.checkpoint",
    ]);
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.out);
    let other = SigningKey::from_seed(ORIGIN, &[8; 32])
        .unwrap()
        .verifying_key()
        .to_string();
    assert_eq!(
        place.run(&["trail", "verify", "--key", &other]).exit,
        Exit::No
    );
}

#[test]
fn changed_entry_is_named_and_ends_with_one() {
    let place = Place::new();
    recorded(&place, 5);
    let folder = place.data().join("trail");
    // The first byte of every file's middle: whatever is stored there, it is no longer what was.
    let mut changed = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !path.is_file() || !(name.contains("leaves") || name.contains("payload")) {
            continue;
        }
        let middle = path.metadata().unwrap().len() / 2;
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(middle)).unwrap();
        file.write_all(b"\xff\x00\xff").unwrap();
        changed += 1;
    }
    assert!(
        changed > 0,
        "{:?}",
        std::fs::read_dir(&folder).unwrap().collect::<Vec<_>>()
    );
    let ran = place.run(&["trail", "verify", "--format", "json"]);
    assert_eq!(ran.exit, Exit::No, "{}", ran.out);
    assert_eq!(ran.json()["result"], "not_intact");
    assert!(!ran.json()["faults"].as_array().unwrap().is_empty());
    assert!(
        place
            .run(&["trail", "verify"])
            .out
            .starts_with("not consistent")
    );
}

#[test]
fn export_verifies_without_the_data_folder() {
    let place = Place::new();
    recorded(&place, 3);
    let ran = place.run(&["trail", "export", "copy"]);
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.err);
    std::fs::remove_dir_all(place.data()).unwrap();
    let ran = place.run(&["trail", "verify", "--offline", "copy", "--format", "json"]);
    assert_eq!(
        (ran.exit, &ran.json()["entries"]),
        (Exit::Ok, &serde_json::json!(3))
    );
    recorded(&place, 1);
    assert_eq!(
        place.run(&["trail", "export", "--to", "copy"]).exit,
        Exit::Usage
    );
}
