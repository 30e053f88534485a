//! The contract of the store, held on both engines.
//!
//! SQLite always; PostgreSQL when `RAMPART_TEST_POSTGRES` names a server where databases may be
//! made (each test makes one of its own).

mod contract;
mod copies;
mod damage;
mod migrations;
mod root_file;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use keyring::{Keyring, RootKey};
use sqlx::Connection as _;
use tempfile::TempDir;
use testkit::{FakeClock, SeededEntropy};

use crate::*;

const NOTES: Migrations = Migrations {
    part: "notes",
    steps: &[Step {
        name: "0001_note",
        sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body BLOB, \
              parent INTEGER REFERENCES note (id)); CREATE UNIQUE INDEX note_title ON note (title); \
              CREATE TABLE pair (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b))",
    }],
};

/// One engine with a fresh database.
struct Fixture {
    folder: TempDir,
    location: Location,
    clock: FakeClock,
}

impl Fixture {
    fn settings(&self) -> Settings {
        Settings {
            location: self.location.clone(),
            backups: self.folder.path().join("backups"),
            without_backup: WithoutBackup::Refuse,
        }
    }

    async fn open(&self, parts: &[Migrations]) -> Result<Store, Error> {
        let keyring = Keyring::new(RootKey::generate(&SeededEntropy::new(1)));
        let clock = Arc::new(self.clock.clone());
        let entropy = Arc::new(SeededEntropy::new(2));
        Store::open(self.settings(), Arc::new(keyring), clock, entropy, parts).await
    }
}

fn sqlite() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("test.db"));
    Fixture {
        folder,
        location,
        clock: FakeClock::new(),
    }
}

/// A database of its own on the server, or `None` where there is no server.
async fn postgres() -> Option<Fixture> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test run is told about its server"
    )]
    let Ok(server) = std::env::var("RAMPART_TEST_POSTGRES") else {
        eprintln!("skipped: RAMPART_TEST_POSTGRES is not set");
        return None;
    };
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    let name = format!("rampart_store_{}_{number}", std::process::id());
    let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
    for sql in [
        format!("DROP DATABASE IF EXISTS {name}"),
        format!("CREATE DATABASE {name}"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut admin)
            .await
            .unwrap();
    }
    let (before, _) = server.rsplit_once('/').unwrap();
    let query = server
        .split_once('?')
        .map(|(_, query)| format!("?{query}"))
        .unwrap_or_default();
    let location = format!("{before}/{name}{query}").parse().unwrap();
    Some(Fixture {
        folder: tempfile::tempdir().unwrap(),
        location,
        clock: FakeClock::new(),
    })
}

/// Runs one claim on both engines.
macro_rules! on_both {
    ($($name:ident)*) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(super::super::sqlite()).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(fixture) = super::super::postgres().await {
                    super::$name(fixture).await;
                }
            }
        }
    )* };
}
use on_both;
