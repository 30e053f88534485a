//! A write transaction: all of it or nothing.

use model::Event;

use crate::engine::{Engine, bind_postgres, bind_sqlite};
use crate::row::{from_postgres, from_sqlite};
use crate::{Error, Row, Value, outbox, value};

/// A write transaction. Dropping it rolls it back.
///
/// After a statement that failed nothing of the transaction can be committed: PostgreSQL would
/// answer such a commit as if all were well, and store nothing; SQLite would store the rest.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    failed: bool,
}

#[derive(Debug)]
enum Inner {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Tx {
    /// Begins. On SQLite the write lock is taken at once (`BEGIN IMMEDIATE`), so that a
    /// transaction that has begun cannot lose it; on PostgreSQL the isolation is serializable, so
    /// that both engines promise the same and a loser gets [`Error::Busy`].
    pub(crate) async fn begin(engine: &Engine) -> Result<Self, Error> {
        match engine {
            Engine::Sqlite { writer, .. } => {
                let tx = writer
                    .begin_with("BEGIN IMMEDIATE")
                    .await
                    .map_err(Error::read)?;
                Ok(Self::of(Inner::Sqlite(tx)))
            }
            Engine::Postgres { pool, .. } => {
                let begin = "BEGIN ISOLATION LEVEL SERIALIZABLE";
                let tx = pool.begin_with(begin).await;
                let tx = tx.map_err(|error| engine.read(error))?;
                Ok(Self::of(Inner::Postgres(tx)))
            }
        }
    }

    /// Carries out a statement; returns how many rows it touched.
    ///
    /// # Errors
    /// [`Error::Constraint`], [`Error::Busy`], [`Error::Full`] and the rest of [`Error`].
    pub async fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, Error> {
        let done = self.run(sql, values).await;
        self.failed |= done.is_err();
        done
    }

    /// Reads every row of an answer.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn query(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Error> {
        let rows = self.read(sql, values).await;
        self.failed |= rows.is_err();
        rows
    }

    /// Reads the first row, if there is one.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn optional(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }

    /// Puts events into the outbox of this transaction; they reach the trail after the commit.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn outbox(&mut self, events: &[Event]) -> Result<(), Error> {
        outbox::put(self, events).await
    }

    /// Makes everything permanent.
    ///
    /// # Errors
    /// [`Error::Busy`] when a concurrent transaction won, [`Error::Aborted`] when a statement of
    /// this one had failed: nothing was changed.
    pub async fn commit(self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Aborted);
        }
        match self.inner {
            Inner::Sqlite(tx) => tx.commit().await,
            Inner::Postgres(tx) => tx.commit().await,
        }
        .map_err(Error::read)
    }
}

impl Tx {
    fn of(inner: Inner) -> Self {
        Self {
            inner,
            failed: false,
        }
    }

    async fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, Error> {
        value::check(values)?;
        match &mut self.inner {
            Inner::Sqlite(tx) => bind_sqlite(sql, values)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            Inner::Postgres(tx) => bind_postgres(sql, values)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
        }
        .map_err(Error::read)
    }

    async fn read(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Error> {
        value::check(values)?;
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                let rows = bind_sqlite(sql, values).fetch_all(&mut **tx).await;
                from_sqlite(&rows.map_err(Error::read)?)
            }
            Inner::Postgres(tx) => {
                let rows = bind_postgres(sql, values).fetch_all(&mut **tx).await;
                from_postgres(&rows.map_err(Error::read)?)
            }
        }
    }

    /// Begins a migration, when no other process migrates any more. SQLite's write lock says so by
    /// itself. On PostgreSQL every statement must see what was committed before it, not before the
    /// wait: a serializable transaction would still see the schema from before the other process.
    pub(crate) async fn begin_migration(engine: &Engine) -> Result<Self, Error> {
        let Engine::Postgres { pool, .. } = engine else {
            return Self::begin(engine).await;
        };
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
        let tx = pool.begin_with(begin).await;
        let tx = tx.map_err(|error| engine.read(error))?;
        let mut tx = Self::of(Inner::Postgres(tx));
        // Another process may be making its copy, which takes longer than a write may.
        tx.execute("SET LOCAL lock_timeout = '15min'", &[]).await?;
        // A fixed number of Rampart's own: the advisory lock ends with the transaction.
        tx.execute("SELECT pg_advisory_xact_lock(7211094533221)", &[])
            .await?;
        Ok(tx)
    }

    /// Carries out one or more statements without values: migrations only.
    pub(crate) async fn run_text(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        use sqlx::Executor as _;
        // SECURITY: migrations are part of the program; nothing from outside is in their text.
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        match &mut self.inner {
            Inner::Sqlite(tx) => tx.execute(sql).await.map(|_| ()),
            Inner::Postgres(tx) => tx.execute(sql).await.map(|_| ()),
        }
    }
}
