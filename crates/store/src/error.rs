//! What can go wrong with the store, by operation.

use std::path::PathBuf;

use model::ErrorKind;

/// A failed operation of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database could not be opened.
    #[error("cannot open the database {place}")]
    Open {
        /// Path, or the server's address without the password.
        place: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database was written by a newer Rampart.
    #[error(
        "the database holds step `{step}` of `{part}`, which this program does not know: it was written by a newer version"
    )]
    Newer {
        /// Which part.
        part: String,
        /// The unknown step.
        step: String,
    },
    /// A step that has already run was edited since.
    #[error("step `{step}` of `{part}` is not the one that ran on this database")]
    Edited {
        /// Which part.
        part: String,
        /// The step.
        step: String,
    },
    /// A migration step failed; nothing of it stays.
    #[error("cannot carry out step `{step}` of `{part}`")]
    Migrate {
        /// Which part.
        part: String,
        /// The step.
        step: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The copy before a migration could not be made, so nothing was migrated.
    #[error("cannot make the backup before migrating: {reason}")]
    Backup {
        /// Why.
        reason: String,
    },
    /// A unique or foreign key, or a check, refused the change.
    #[error("the change breaks the constraint `{constraint}`")]
    Constraint {
        /// For a unique key its columns, as `person.login` or `binding.person, binding.name`, on
        /// both engines; otherwise what the engine says.
        constraint: String,
        /// Whether it is a unique one.
        unique: bool,
    },
    /// No room on the disk; nothing was changed.
    #[error("the disk that holds the database is full")]
    Full,
    /// Another writer held the database too long, or a concurrent change won; trying again may work.
    #[error("the database is busy")]
    Busy,
    /// The server is away.
    #[error("the database is not reachable")]
    Unreachable(#[source] sqlx::Error),
    /// The database's own check failed.
    #[error("the database is damaged")]
    Damaged(#[source] sqlx::Error),
    /// A statement failed for another reason.
    #[error("a statement of the store failed")]
    Statement(#[source] sqlx::Error),
    /// A statement of the transaction had failed, so nothing of it was committed.
    #[error("nothing was committed: a statement of the transaction had failed")]
    Aborted,
    /// A text to be stored holds the character NUL.
    #[error("a text holds the character NUL, which is not stored")]
    Nul,
    /// A column does not hold what the program expects.
    #[error("column `{column}` is not {expected}")]
    Column {
        /// Which.
        column: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A column of a type the store does not use.
    #[error("a column has the type `{0}`, which the store does not use")]
    Type(String),
    /// A sealed value does not open.
    #[error("a sealed value does not open")]
    Sealed(#[source] keyring::Error),
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A stored event is not readable.
    #[error("an outbox entry is not an event")]
    Outbox(#[source] serde_json::Error),
}

impl Error {
    /// What sort of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Newer { .. } | Self::Edited { .. } => ErrorKind::Conflict,
            Self::Constraint { .. } => ErrorKind::Conflict,
            Self::Open { .. }
            | Self::Full
            | Self::Busy
            | Self::Unreachable(_)
            | Self::Backup { .. }
            | Self::Write { .. } => ErrorKind::Unavailable,
            Self::Damaged(_) | Self::Sealed(_) | Self::Outbox(_) | Self::Column { .. } => {
                ErrorKind::Corrupt
            }
            Self::Nul => ErrorKind::Invalid,
            Self::Migrate { .. } | Self::Statement(_) | Self::Type(_) | Self::Aborted => {
                ErrorKind::Internal
            }
        }
    }

    /// The columns of the unique key a change broke, when that is what happened:
    /// `person.login`, or `binding.person, binding.name`.
    #[must_use]
    pub fn broken_unique(&self) -> Option<&str> {
        match self {
            Self::Constraint {
                constraint,
                unique: true,
            } => Some(constraint),
            _ => None,
        }
    }

    /// Sorts what the driver says into what a caller can act on.
    pub(crate) fn read(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind as Driver;
        match &error {
            sqlx::Error::PoolTimedOut => return Self::Busy,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed => {
                return Self::Unreachable(error);
            }
            _ => {}
        }
        let Some(database) = error.as_database_error() else {
            return Self::Statement(error);
        };
        let unique = database.kind() == Driver::UniqueViolation;
        let broken = unique
            || matches!(
                database.kind(),
                Driver::ForeignKeyViolation | Driver::CheckViolation | Driver::NotNullViolation
            );
        if broken {
            return Self::Constraint {
                constraint: constraint(database),
                unique,
            };
        }
        match condition(database) {
            Condition::Busy => Self::Busy,
            Condition::Full => Self::Full,
            Condition::Damaged => Self::Damaged(error),
            Condition::Away => Self::Unreachable(error),
            Condition::Other => Self::Statement(error),
        }
    }

    /// As [`Error::read`], for a failure to open `place`.
    pub(crate) fn opening(place: String, source: sqlx::Error) -> Self {
        match Self::read(source) {
            Self::Statement(source) | Self::Unreachable(source) => Self::Open { place, source },
            sorted => sorted,
        }
    }
}

/// What a caller can act on.
enum Condition {
    Busy,
    Full,
    Damaged,
    Away,
    Other,
}

fn condition(error: &(dyn sqlx::error::DatabaseError + 'static)) -> Condition {
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    if error
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_some()
    {
        sqlite_condition(code.parse().unwrap_or_default())
    } else {
        postgres_condition(code)
    }
}

/// SQLite's result codes: the low byte is the primary code, <https://sqlite.org/rescode.html>.
fn sqlite_condition(extended: u32) -> Condition {
    /// The shared-memory file of the WAL cannot grow: no room.
    const IOERR_SHMSIZE: u32 = 4874;
    match (extended, extended & 0xff) {
        // BUSY, LOCKED.
        (_, 5 | 6) => Condition::Busy,
        // FULL.
        (_, 13) | (IOERR_SHMSIZE, _) => Condition::Full,
        // CORRUPT, NOTADB.
        (_, 11 | 26) => Condition::Damaged,
        // PERM, READONLY, IOERR, CANTOPEN: the file is not to be had, or not any more.
        (_, 3 | 8 | 10 | 14) => Condition::Away,
        _ => Condition::Other,
    }
}

/// PostgreSQL's SQLSTATE codes, <https://www.postgresql.org/docs/15/errcodes-appendix.html>.
fn postgres_condition(code: &str) -> Condition {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available.
        "40001" | "40P01" | "55P03" => Condition::Busy,
        // disk_full.
        "53100" => Condition::Full,
        // data_corrupted, index_corrupted.
        "XX001" | "XX002" => Condition::Damaged,
        // Shutting down, crashed, starting, too many connections, read-only (a standby).
        "57P01" | "57P02" | "57P03" | "53300" | "25006" => Condition::Away,
        _ => Condition::Other,
    }
}

/// The columns of a unique key as `person.login` or `binding.person, binding.name`, the same on
/// both engines; of other constraints, what the engine says.
fn constraint(error: &(dyn sqlx::error::DatabaseError + 'static)) -> String {
    if let Some(error) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        return unique_columns(error)
            .or_else(|| error.constraint().map(str::to_owned))
            .unwrap_or_default();
    }
    // SQLite: `UNIQUE constraint failed: person.login` or `…: index 'person_login'`.
    let message = error.message();
    let named = message.rsplit_once(": ").map_or(message, |(_, name)| name);
    named
        .trim_start_matches("index ")
        .trim_matches('\'')
        .to_owned()
}

/// PostgreSQL says the columns in the detail only: `Key (person, name)=(…) already exists.`; the
/// words around them follow the server's language, the brackets do not.
fn unique_columns(error: &sqlx::postgres::PgDatabaseError) -> Option<String> {
    let table = error.table()?;
    let (_, rest) = error.detail()?.split_once('(')?;
    let (columns, _) = rest.split_once(")=(")?;
    let columns = columns
        .split(", ")
        .map(|column| format!("{table}.{column}"));
    Some(columns.collect::<Vec<_>>().join(", "))
}
