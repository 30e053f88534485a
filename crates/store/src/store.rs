//! The store itself.

use std::path::PathBuf;
use std::sync::Arc;

use keyring::{Keyring, Place};
use model::{Event, EventId, Secret, SharedClock, SharedEntropy};

use crate::engine::{Engine, Location, bind_postgres, bind_sqlite};
use crate::migrate::{self, Migrations};
use crate::row::{from_postgres, from_sqlite};
use crate::{Error, Row, Tx, Value, outbox, value};

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the database is.
    pub location: Location,
    /// Folder for the copies made before migrations.
    pub backups: PathBuf,
    /// Whether to migrate a PostgreSQL database of which no copy can be made (no `pg_dump` here).
    pub without_backup: WithoutBackup,
}

/// See [`Settings::without_backup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutBackup {
    /// Stop, and say how to go on.
    Refuse,
    /// The operator has a copy of their own.
    Migrate,
}

/// A handle on the database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    keyring: Arc<Keyring>,
    clock: SharedClock,
    entropy: SharedEntropy,
}

impl Store {
    /// Opens the database and brings it to the newest step of every part, after a copy.
    ///
    /// # Errors
    /// [`Error::Newer`] when a newer program wrote it, [`Error::Edited`], [`Error::Backup`],
    /// [`Error::Migrate`], [`Error::Open`], [`Error::Damaged`]. In all of them the data is untouched.
    pub async fn open(
        settings: Settings,
        keyring: Arc<Keyring>,
        clock: SharedClock,
        entropy: SharedEntropy,
        parts: &[Migrations],
    ) -> Result<Self, Error> {
        let engine = Engine::open(&settings.location).await?;
        let mut all = vec![outbox::MIGRATIONS];
        all.extend_from_slice(parts);
        migrate::run(&engine, &settings, clock.now(), &all).await?;
        Ok(Self(Arc::new(Inner {
            engine,
            keyring,
            clock,
            entropy,
        })))
    }

    /// Begins a write transaction.
    ///
    /// # Errors
    /// [`Error::Busy`] when other writers held the database for ten seconds.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Tx::begin(&self.0.engine).await
    }

    /// Reads every row of an answer.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn query(&self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Error> {
        value::check(values)?;
        match &self.0.engine {
            Engine::Sqlite { readers, .. } => {
                let rows = bind_sqlite(sql, values).fetch_all(readers).await;
                from_sqlite(&rows.map_err(Error::read)?)
            }
            Engine::Postgres { pool, .. } => {
                let rows = bind_postgres(sql, values).fetch_all(pool).await;
                from_postgres(&rows.map_err(|error| self.0.engine.read(error))?)
            }
        }
    }

    /// Reads the first row, if there is one.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn optional(
        &self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }

    /// Whether the database answers and lets a writer in, for health. Whether there is room on its
    /// disk only a write shows.
    ///
    /// # Errors
    /// [`Error`], which says why not.
    pub async fn check(&self) -> Result<(), Error> {
        self.begin().await?.commit().await
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// [`Error::Sealed`] when it is too long.
    pub fn seal(&self, place: Place<'_>, plaintext: &[u8]) -> Result<Value, Error> {
        let sealed = self.0.keyring.seal(&*self.0.entropy, place, plaintext);
        sealed.map(Value::Blob).map_err(Error::Sealed)
    }

    /// Opens what was sealed for exactly this place.
    ///
    /// # Errors
    /// [`Error::Sealed`], whatever the reason.
    pub fn open_sealed(&self, place: Place<'_>, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Error> {
        self.0.keyring.open(place, sealed).map_err(Error::Sealed)
    }

    /// Up to `limit` events that have yet to reach the trail, oldest first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn outbox_pending(&self, limit: u32) -> Result<Vec<Event>, Error> {
        outbox::events(&self.query(outbox::PENDING, &[limit.into()]).await?)
    }

    /// Takes events that reached the trail out of the outbox.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn outbox_done(&self, ids: &[EventId]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        outbox::done(&mut tx, ids).await?;
        tx.commit().await
    }

    /// The checkpoint of `log` that was kept last: how far the trail had come, as the store
    /// remembers it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn outbox_mark(&self, log: &str) -> Result<Option<String>, Error> {
        let row = self.optional(outbox::MARK, &[log.into()]).await?;
        row.map(|row| row.text("checkpoint")).transpose()
    }

    /// Keeps a checkpoint of `log` in place of the one before.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_outbox_mark(&self, log: &str, checkpoint: &str) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        outbox::mark(&mut tx, log, checkpoint).await?;
        tx.commit().await
    }

    /// Closes every connection, after the statements under way.
    pub async fn close(&self) {
        self.0.engine.close().await;
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.0.clock
    }
}
