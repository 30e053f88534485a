//! The two engines behind the one interface.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use model::Secret;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::{Error, Value, files};

/// LIMIT: readers of the SQLite file.
const READERS_MAX: u32 = 4;
/// LIMIT: connections to PostgreSQL of one process.
const CONNECTIONS_MAX: u32 = 16;
/// How long a statement waits for another writer, and a caller for a connection.
const WAIT: Duration = Duration::from_secs(10);

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file; made when it is not there.
    Sqlite(PathBuf),
    /// A server, as a `postgres://` address, which may hold a password.
    Postgres(Secret<String>),
}

/// A text that names no database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database must be a path or a `postgres://` address; `{scheme}://` is neither")]
pub struct ParseLocationError {
    scheme: String,
}

impl FromStr for Location {
    type Err = ParseLocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => {
                Ok(Self::Postgres(Secret::new(text.to_owned())))
            }
            Some((scheme, _)) => Err(ParseLocationError {
                scheme: scheme.to_owned(),
            }),
            None => Ok(Self::Sqlite(PathBuf::from(text))),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Engine {
    Sqlite {
        /// One connection: SQLite has one writer, and waiting here is fair.
        writer: SqlitePool,
        readers: SqlitePool,
        path: PathBuf,
    },
    Postgres {
        pool: PgPool,
        address: Secret<String>,
    },
}

impl Engine {
    pub(crate) async fn open(location: &Location) -> Result<Self, Error> {
        match location {
            Location::Sqlite(path) => open_sqlite(path).await,
            Location::Postgres(address) => open_postgres(address).await,
        }
    }

    /// Sorts an error. A pool that waited in vain although it might have opened more connections
    /// waited for a server that is away, not for somebody to finish.
    pub(crate) fn read(&self, error: sqlx::Error) -> Error {
        match (self, &error) {
            (Self::Postgres { pool, .. }, sqlx::Error::PoolTimedOut)
                if pool.size() < CONNECTIONS_MAX =>
            {
                Error::Unreachable(error)
            }
            _ => Error::read(error),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

async fn open_sqlite(path: &PathBuf) -> Result<Engine, Error> {
    let failed = |source| Error::opening(path.display().to_string(), source);
    // A new file becomes one with a WAL by a lock that SQLite does not wait for: of two who do so
    // at once, one would be told that the database is busy.
    let turn = files::turn(path).await?;
    // SECURITY: the file is ours alone from its first byte; SQLite gives its WAL the same mode.
    files::create_private(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(WAIT)
        // What was deleted is overwritten, so that a copy of the file does not bring it back.
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF");
    let writer = SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(1)
        .acquire_timeout(WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        // SQLite ends a transaction by itself when the disk is full; the driver then still counts
        // it as open and would refuse every later one. Such a connection is replaced.
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        .connect_with(options.clone())
        .await
        .map_err(failed)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .acquire_timeout(WAIT)
        .connect_with(options.pragma("query_only", "ON"))
        .await
        .map_err(failed)?;
    drop(turn);
    Ok(Engine::Sqlite {
        writer,
        readers,
        path: path.clone(),
    })
}

async fn open_postgres(address: &Secret<String>) -> Result<Engine, Error> {
    let options = PgConnectOptions::from_str(address.expose())
        .map_err(|source| Error::Open {
            place: "postgres://…".to_owned(),
            source,
        })?
        .application_name("rampart")
        // As `busy_timeout` on SQLite: whoever waits longer for another writer is told so.
        .options([("lock_timeout", format!("{}s", WAIT.as_secs()))]);
    let place = format!(
        "postgres://{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default()
    );
    // The pool would go on trying and then say only that it waited: ask once, for the reason.
    let probe = PgConnection::connect_with(&options).await;
    let probed = match probe {
        Ok(connection) => connection.close().await,
        Err(error) => Err(error),
    };
    probed.map_err(|source| Error::opening(place, source))?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(WAIT)
        .connect_lazy_with(options);
    Ok(Engine::Postgres {
        pool,
        address: address.clone(),
    })
}

type SqliteQuery<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;
type PostgresQuery<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

pub(crate) fn bind_sqlite<'q>(sql: &'static str, values: &[Value]) -> SqliteQuery<'q> {
    values
        .iter()
        .fold(sqlx::query(sql), |query, value| match value {
            Value::Null => query.bind(None::<i64>),
            Value::Int(value) => query.bind(*value),
            Value::Text(value) => query.bind(value.clone()),
            Value::Blob(value) => query.bind(value.clone()),
        })
}

pub(crate) fn bind_postgres<'q>(sql: &'static str, values: &[Value]) -> PostgresQuery<'q> {
    values
        .iter()
        .fold(sqlx::query(sql), |query, value| match value {
            Value::Null => query.bind(Untyped),
            Value::Int(value) => query.bind(*value),
            Value::Text(value) => query.bind(value.clone()),
            Value::Blob(value) => query.bind(value.clone()),
        })
}

/// A NULL that leaves its type to the server: a typed one would not fit every column.
#[derive(Clone, Copy, Debug)]
struct Untyped;

impl sqlx::Type<sqlx::Postgres> for Untyped {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        sqlx::postgres::PgTypeInfo::with_oid(sqlx::postgres::types::Oid(0))
    }
}

impl sqlx::Encode<'_, sqlx::Postgres> for Untyped {
    fn encode_by_ref(
        &self,
        _: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Ok(sqlx::encode::IsNull::Yes)
    }
}
