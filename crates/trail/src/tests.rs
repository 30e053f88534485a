//! What the trail promises, tried on real files, with crashes, full disks and forgers.

mod checkpoints;
mod crash;
mod disk_full;
mod formats;
mod long;
mod mark;
mod opening;
mod recording;
mod verifying;

use std::path::PathBuf;
use std::sync::Arc;

use keyring::{Keyring, RootKey};
use merkle::SigningKey;
use model::{ByteSize, Class, Context, Event, SharedClock, SharedEntropy};
use store::{Location, Store};
use tempfile::TempDir;
use testkit::{FakeClock, SeededEntropy};

use crate::disk::{Disk, RealDisk};
use crate::*;

/// A folder with a store and a trail.
struct Fixture {
    folder: TempDir,
    clock: FakeClock,
    entropy: Arc<SeededEntropy>,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("trail")).unwrap();
        Self {
            folder,
            clock: FakeClock::new(),
            entropy: Arc::new(SeededEntropy::new(3)),
        }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("trail")
    }

    fn settings(&self) -> Settings {
        Settings {
            dir: self.dir(),
            origin: "test.example/trail".to_owned(),
            reserve: ByteSize(64 * 1024),
            checkpoints: vec![self.folder.path().join("outside")],
        }
    }

    async fn store(&self) -> Store {
        let keyring = Keyring::new(RootKey::generate(&SeededEntropy::new(1)));
        let settings = store::Settings {
            location: Location::Sqlite(self.folder.path().join("test.db")),
            backups: self.folder.path().join("backups"),
            without_backup: store::WithoutBackup::Refuse,
        };
        let (clock, entropy) = self.time();
        Store::open(settings, Arc::new(keyring), clock, entropy, &[])
            .await
            .unwrap()
    }

    fn time(&self) -> (SharedClock, SharedEntropy) {
        (Arc::new(self.clock.clone()), self.entropy.clone())
    }

    async fn open(&self) -> Result<Trail, Error> {
        self.open_on(Arc::new(RealDisk)).await
    }

    async fn open_on(&self, disk: Arc<dyn Disk>) -> Result<Trail, Error> {
        let (clock, entropy) = self.time();
        Trail::open_on(
            disk,
            self.settings(),
            self.store().await,
            key(),
            clock,
            entropy,
        )
        .await
    }

    fn event(&self, message: &str) -> Event {
        let ctx = Context::system(&self.clock, &*self.entropy);
        Event::change("test.thing.happened", &ctx, &self.clock, &*self.entropy).message(message)
    }

    /// A closed trail of `count` entries, signed after every one.
    async fn filled(&self, count: usize) {
        let trail = self.open().await.unwrap();
        for number in 0..count {
            trail
                .append(vec![self.event(&format!("event {number}"))])
                .await
                .unwrap();
        }
        trail.close().await;
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed("test.example/trail", &[7; 32]).unwrap()
}

fn trusted() -> verify::Trusted {
    verify::Trusted {
        key: Some(key().verifying_key().clone()),
        ..Default::default()
    }
}

fn used(mut event: Event) -> Event {
    event.class = Class::Use;
    event
}
