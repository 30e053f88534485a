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
        /// The index or constraint as the migration names it; on SQLite `table.column` where the
        /// constraint has no name of its own.
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
            Self::Migrate { .. } | Self::Statement(_) | Self::Type(_) => ErrorKind::Internal,
        }
    }

    /// The constraint a change broke, when that is what happened.
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
        let code = database.code();
        match code.as_deref() {
            // SQLite: BUSY and LOCKED; PostgreSQL: serialization failure, deadlock, lock timeout.
            Some("5" | "6" | "261" | "517" | "40001" | "40P01" | "55P03") => Self::Busy,
            // SQLite FULL; PostgreSQL disk_full.
            Some("13" | "53100") => Self::Full,
            // SQLite CORRUPT and NOTADB; PostgreSQL data_corrupted, index_corrupted.
            Some("11" | "26" | "XX001" | "XX002") => Self::Damaged(error),
            // PostgreSQL: shutting down, starting, too many connections.
            Some("57P01" | "57P02" | "57P03" | "53300") => Self::Unreachable(error),
            // SQLite IOERR_WRITE, IOERR_FSYNC and their like with no room left say so in errno
            // only; the primary code 10 is an input/output error.
            _ => Self::Statement(error),
        }
    }
}

fn constraint(error: &(dyn sqlx::error::DatabaseError + 'static)) -> String {
    if let Some(name) = error.constraint() {
        return name.to_owned();
    }
    // SQLite: `UNIQUE constraint failed: person.login` or `…: index 'person_login'`.
    let message = error.message();
    let named = message.rsplit_once(": ").map_or(message, |(_, name)| name);
    named
        .trim_start_matches("index ")
        .trim_matches('\'')
        .to_owned()
}
